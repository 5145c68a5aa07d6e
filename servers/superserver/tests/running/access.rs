//! Who is served, and what a program may do.

use std::fs;
use std::io::Write;
use std::net::{Shutdown, UdpSocket};

use palco_superserver::access::Hosts;
use palco_superserver::{Address, Builtin, Enclosure, Event};

use crate::support::{House, any_port, builtin, is_exit, is_fail, program, read, script};

#[test]
fn who_is_not_welcome_gets_no_program_and_the_log_says_why() {
    let mut spec = script("guarded", "echo served");
    spec.access.no_access = vec!["127.0.0.0".parse().unwrap()];
    let house = House::new([spec]);
    assert_eq!(read(house.connect("guarded")), "");
    let fails = house.log.wait(1, is_fail);
    let Event::Fail { reason, from } = &fails[0] else { panic!("{fails:?}") };
    assert!(reason.contains("127.0.0.0"), "{reason}");
    assert_eq!(from.as_deref(), Some("127.0.0.1"));
    let status = house.superserver.status();
    assert_eq!((status.services[0].refused, status.services[0].started), (1, 0));
}

#[test]
fn datagrams_of_who_is_not_welcome_are_not_answered() {
    let mut spec = builtin(Builtin::Echo, Address::udp(any_port()));
    spec.access.only_from = Some(vec!["127.0.0.2".parse().unwrap()]);
    let house = House::new([spec]);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"hello", house.address("builtin")).unwrap();
    house.log.wait(1, is_fail);
    let friend = UdpSocket::bind("127.0.0.2:0").unwrap();
    friend.send_to(b"hello", house.address("builtin")).unwrap();
    let mut answer = [0; 9];
    assert_eq!(friend.recv(&mut answer).unwrap(), 5);
    assert_eq!(house.superserver.status().services[0].refused, 1);
}

#[test]
fn hosts_allow_may_add_to_a_start_or_serve_instead() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mut spec = script("wrapped", "echo program, WRAPPED=$WRAPPED");
    spec.access.hosts =
        Some(Hosts { daemon: "wrapped".to_owned(), allow: path("allow"), deny: path("deny") });
    let house = House::new([spec]);
    let allow = |rules: &str| fs::write(path("allow"), rules).unwrap();
    allow("wrapped: 127.0.0.1: setenv WRAPPED yes\n");
    let told = read(house.connect("wrapped"));
    assert_eq!(told, "program, WRAPPED=yes\n");
    allow("wrapped: 127.0.0.1: twist echo instead for %a\n");
    assert_eq!(read(house.connect("wrapped")), "instead for 127.0.0.1\n");
    allow("wrapped: ALL: aclexec exit 1\n");
    assert_eq!(read(house.connect("wrapped")), "");
    allow("");
    fs::write(path("deny"), "ALL: ALL\n").unwrap();
    assert_eq!(read(house.connect("wrapped")), "");
}

#[test]
fn banners_come_before_anything_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = directory.path().join(name);
        fs::write(&path, format!("{name}\n")).unwrap();
        Some(path)
    };
    let mut spec = script("spoken", "echo program");
    spec.banners.always = file("always");
    spec.banners.success = file("success");
    spec.banners.failure = file("failure");
    let mut refused = spec.clone();
    refused.id = "refused".to_owned();
    refused.access.only_from = Some(vec![]);
    let house = House::new([spec, refused]);
    assert_eq!(read(house.connect("spoken")), "always\nsuccess\nprogram\n");
    assert_eq!(read(house.connect("refused")), "always\nfailure\n");
}

#[test]
fn a_confined_program_cannot_and_status_says_what_was_obtained() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("allowed"), "allowed\n").unwrap();
    let try_both = format!("cd {0}; cat allowed; cat /etc/passwd", directory.path().display());
    let mut spec = script("confined", &try_both);
    program(&mut spec).confinement = Enclosure {
        no_new_privileges: true,
        no_administration: true,
        read: Some(vec![directory.path().to_owned(), "/usr/bin".into(), "/bin".into()]),
        ..Enclosure::default()
    };
    let house = House::new([spec]);
    let told = read(house.connect("confined"));
    assert!(told.starts_with("allowed\n") && told.contains("Permission denied"), "{told}");
    let obtained = &house.superserver.status().services[0].confinement;
    assert!(obtained.contains("no-new-privs") && obtained.contains("seccomp"), "{obtained}");
}

#[test]
fn a_service_that_nobody_can_confine_as_said_is_off() {
    let mut spec = script("confined", "echo");
    program(&mut spec).confinement.read = Some(vec!["/no/such/directory".into()]);
    let house = House::closed(crate::support::plan([spec]), Default::default());
    let remarks = house.superserver.remarks();
    assert!(remarks[0].to_string().contains("/no/such/directory"), "{}", remarks[0]);
    assert!(house.superserver.listening().is_empty());
}

#[test]
fn a_redirected_client_talks_to_another_service() {
    let other = House::new([script("other", "exec tr a-z A-Z")]);
    let to = Builtin::Redirect(other.address("other").to_string());
    let house = House::new([builtin(to, Address::tcp(any_port()))]);
    let mut client = house.connect("builtin");
    client.write_all(b"through\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(client), "THROUGH\n");
    house.log.wait(1, is_exit);
}
