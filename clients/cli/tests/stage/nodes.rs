//! `palco node`: a cluster of processes that prove who they are, through crashes and lost disks.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{http, palco, until};

/// Whoever shows it may act.
const TOKEN: &str = "0123456789abcdef";

/// A node; killed when dropped.
pub(crate) struct Node {
    child: Child,
    data: PathBuf,
    pub(crate) said: Value,
}

impl Node {
    /// In a directory of its own below `root`; at free ports of loopback unless told otherwise.
    pub(crate) fn start(root: &Path, name: &str, more: &[&str]) -> Self {
        let data = root.join(name);
        let mut child = palco()
            .args(["node", "--name", name])
            .env("PALCO_TOKEN", TOKEN)
            .args(["--dashboard", "off", "--json", "--data"])
            .arg(&data)
            .args(unless_said("--listen", more))
            .args(unless_said("--resp", more))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{name} said: {line}"));
        Self { child, data, said }
    }

    fn resp(&self) -> &str {
        self.said["resp"].as_str().unwrap()
    }

    fn join(&self) -> &str {
        self.said["join"][0].as_str().unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What a command about this node says.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let output = palco()
            .args(arguments)
            .arg("--control")
            .arg(self.data.join("control.sock"))
            .output()
            .unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        String::from_utf8_lossy(&said).into_owned()
    }

    pub(crate) fn connected(&self) -> usize {
        let view: Value =
            serde_json::from_str(&self.ask(&["register", "status", "--json"])).unwrap();
        let nodes = view["nodes"].as_array().unwrap();
        nodes.iter().filter(|node| node["is_connected"] == true).count()
    }

    fn set(&self, value: &str) {
        let said = self.ask(&["register", "set", "x", value, "--at", self.resp()]);
        assert!(said.contains(".n"), "{said}");
    }

    fn get(&self) -> String {
        self.ask(&["register", "get", "x", "--at", self.resp()]).trim().to_owned()
    }
}

fn unless_said<'a>(option: &'a str, more: &[&str]) -> Vec<&'a str> {
    if more.contains(&option) { Vec::new() } else { vec![option, "127.0.0.1:0"] }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// n1 founds, the others join it, and all become members.
fn cluster(root: &TempDir) -> [Node; 3] {
    let first = Node::start(root.path(), "n1", &["--found"]);
    let join = ["--join", first.join()];
    let second = Node::start(root.path(), "n2", &join);
    let third = Node::start(root.path(), "n3", &join);
    until("all are connected", || {
        [&first, &second, &third].iter().all(|node| node.connected() == 3)
    });
    let said = first.ask(&["reconfigure", "--members", "n1,n2,n3"]);
    assert!(said.contains("configuration 1 is installed"), "{said}");
    [first, second, third]
}

#[test]
fn a_node_that_was_killed_comes_back_and_knows_everything() {
    let root = tempfile::tempdir().unwrap();
    let [first, mut second, third] = cluster(&root);
    first.set("1");
    assert_eq!(third.get(), "1");
    second.kill();
    third.set("2");
    let again = Node::start(root.path(), "n2", &[]);
    assert_eq!(again.said["node"], second.said["node"]);
    assert_eq!(again.said["arrival"], "came back under its identity");
    until("it is connected again", || again.connected() == 3);
    assert_eq!(again.get(), "2");
}

#[test]
fn a_node_that_has_lost_its_directory_is_somebody_new_and_takes_its_own_place() {
    let root = tempfile::tempdir().unwrap();
    let [first, mut second, third] = cluster(&root);
    first.set("1");
    second.kill();
    std::fs::remove_dir_all(root.path().join("n2")).unwrap();
    let again = Node::start(root.path(), "n2", &["--join", first.join()]);
    assert_ne!(again.said["node"], second.said["node"]);
    until("it is connected", || third.connected() == 3 && again.connected() == 3);
    let said = third.ask(&["reconfigure", "--replace", "n2=n2"]);
    assert!(said.contains("configuration 2 is installed"), "{said}");
    assert_eq!(again.get(), "1");
}

#[test]
fn a_node_in_memory_is_somebody_new_each_time_and_takes_its_own_place() {
    let root = tempfile::tempdir().unwrap();
    let first = Node::start(root.path(), "n1", &["--memory", "--found"]);
    let join = ["--memory", "--join", first.join()];
    let mut second = Node::start(root.path(), "n2", &join);
    let third = Node::start(root.path(), "n3", &join);
    until("all are connected", || {
        [&first, &second, &third].iter().all(|node| node.connected() == 3)
    });
    let said = first.ask(&["reconfigure", "--members", "n1,n2,n3"]);
    assert!(said.contains("configuration 1 is installed"), "{said}");
    first.set("1");
    second.kill();
    let again = Node::start(root.path(), "n2", &join);
    assert_ne!(again.said["node"], second.said["node"]);
    assert!(!root.path().join("n2/data").exists(), "it keeps nothing");
    until("it is connected", || third.connected() == 3 && again.connected() == 3);
    let said = third.ask(&["reconfigure", "--replace", "n2=n2"]);
    assert!(said.contains("configuration 2 is installed"), "{said}");
    assert_eq!(again.get(), "1");
}

#[test]
fn a_node_answers_http_and_whoever_shows_the_token_reconfigures() {
    let root = tempfile::tempdir().unwrap();
    let node = Node::start(root.path(), "n1", &["--found", "--http", "127.0.0.1:0"]);
    node.set("1");
    let address = node.said["http"].as_str().unwrap();
    let answer = http(address, "GET /v1/registers/x", "");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n1"), "{answer}");
    let wish = format!(r#"{{"expected":0,"members":[{{"node":{}}}]}}"#, node.said["node"]);
    let length = wish.len();
    let body = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{wish}");
    let answer = http(address, "POST /v1/reconfigure", &body);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let body = format!("Authorization: Bearer {TOKEN}\r\n{body}");
    let answer = http(address, "POST /v1/reconfigure", &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_node_that_other_machines_reach_wants_a_password() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("n1");
    let open = ["node", "--name", "n1", "--found", "--listen", "127.0.0.1:0", "--data"];
    let refused = palco().args(open).arg(&data).args(["--resp", "0.0.0.0:0"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("whoever connects could write: give --password-file FILE"), "{said}");
    let secret = root.path().join("secret");
    std::fs::write(&secret, TOKEN).unwrap();
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let secret = secret.to_str().unwrap();
    let more = ["--found", "--resp", "0.0.0.0:0", "--http", "0.0.0.0:0", "--password-file", secret];
    let node = Node::start(root.path(), "n2", &more);
    let said = node.ask(&["register", "set", "x", "1", "--at", node.resp()]);
    assert!(said.contains("NOAUTH"), "{said}");
    let at = ["--at", node.resp(), "--password-file", secret];
    node.ask(&[&["register", "set", "x", "1"], &at[..]].concat());
    assert_eq!(node.ask(&[&["register", "get", "x"], &at[..]].concat()).trim(), "1");
    let address = node.said["http"].as_str().unwrap();
    let answer = http(address, "GET /v1/registers/x", "");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let answer =
        http(address, "GET /v1/registers/x", &format!("Authorization: Bearer {TOKEN}\r\n"));
    assert!(answer.ends_with("\r\n\r\n1"), "{answer}");
}

/// The key of a node that has not been started yet.
pub(crate) fn key(root: &Path, name: &str) -> String {
    let output =
        palco().args(["node", "--print-key", "--data"]).arg(root.join(name)).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_key_of_a_node_is_known_before_it_starts_and_strangers_are_let_in_by_it() {
    let root = tempfile::tempdir().unwrap();
    let [first_key, second_key, third_key] = ["n1", "n2", "n3"].map(|name| key(root.path(), name));
    assert!(first_key.starts_with("12D3"), "{first_key}");
    // Once keys are listed, no others are let in.
    let first = Node::start(root.path(), "n1", &["--found", "--allow", &second_key]);
    assert_eq!(first.said["peer"], first_key.as_str());
    let join = ["--join", first.join()];
    let second = Node::start(root.path(), "n2", &join);
    let third = Node::start(root.path(), "n3", &join);
    until("the second is let in", || second.connected() == 2);
    assert_eq!(third.connected(), 1);
    let said = first.ask(&["register", "allow", "12D3"]);
    assert!(said.contains("names no node"), "{said}");
    first.ask(&["register", "allow", &third_key]);
    until("the third is let in", || third.connected() == 3);
}

#[test]
fn who_is_new_says_whether_it_founds_or_joins() {
    let root = tempfile::tempdir().unwrap();
    let output = palco()
        .args([
            "node",
            "--name",
            "n1",
            "--listen",
            "127.0.0.1:0",
            "--resp",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(root.path().join("n1"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("either it founds a cluster, or it joins one"), "{said}");
}
