//! `palco node --discover`: nodes on two machines that know each other's keys, and no address.

use crate::cable::{ADDRESSES, Namespaces, denied};
use crate::nodes::{Node, key};
use crate::support::until;

#[test]
fn nodes_that_know_keys_alone_find_each_other() {
    if denied().is_some() {
        return; // Only root may make network namespaces.
    }
    let namespaces = Namespaces::new();
    let root = tempfile::tempdir().unwrap();
    let keys = ["n1", "n2"].map(|name| key(root.path(), name));
    let start = |place: usize, name: &str, begin: &[&str]| {
        let listen = format!("{}:7401", ADDRESSES[place]);
        let more =
            [&["--discover", "--listen", &listen, "--allow", &keys[1 - place]], begin].concat();
        namespaces.inside(place, || Node::start(root.path(), name, &more))
    };
    let first = start(0, "n1", &["--found"]);
    let second = start(1, "n2", &[]);
    until("they have met", || first.connected() == 2 && second.connected() == 2);
    let status = || second.ask(&["register", "status"]);
    until("the second knows the configuration", || status().contains("configuration 0"));
    let said = second.ask(&["reconfigure", "--members", "n1,n2"]);
    assert!(said.contains("configuration 1 is installed"), "{said}");
}
