//! Leases: nobody writes before every reader has been told, and none is told for ever.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{Answer, Code, Extension, OpenFlags, Reply, Request, Secret};
use palco_files::sftp::{Asked, Config, Response, SftpService};
use palco_service::{CallContext, Codec, LocalFuture, Service};

use crate::client::{ALL, Client, TestHost, directory, poll};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(1000);
const ONE: Secret = [1; 16];
const TWO: Secret = [2; 16];

fn leasing(root: &Path, term: Duration) -> SftpService {
    SftpService::new(Config { lease_term: Some(term), ..Config::read_write(root) }).unwrap()
}

fn client(service: &SftpService, id: Secret) -> Client<'_> {
    let mut client = Client::new(service);
    client.host.sleeps_for_ever = true;
    assert_eq!(client.code(&Extension::Client { client: id }.request()), Code::Ok);
    client
}

/// Granted milliseconds, when to ask again, the version and the lease.
fn lease(client: &mut Client<'_>, handle: &Bytes) -> (u32, u32, u64, Secret) {
    let lease = Extension::Lease { handle: handle.clone(), wanted_ms: 0 };
    granted(client.ask(&lease.request()))
}

fn granted(reply: Reply) -> (u32, u32, u64, Secret) {
    let Reply::Extended(fields) = reply else { panic!("no lease: {reply:?}") };
    match Answer::decode_lease(fields).unwrap() {
        Answer::Lease { granted_ms, retry_ms, version, lease } => {
            (granted_ms, retry_ms, version, lease)
        }
        other => panic!("no lease: {other:?}"),
    }
}

fn renewed(client: &mut Client<'_>) -> u32 {
    let Reply::Extended(fields) = client.ask(&Extension::Renew.request()) else {
        panic!("not answered")
    };
    match Answer::decode_renewed(fields).unwrap() {
        Answer::Renewed { granted_ms } => granted_ms,
        other => panic!("no renewal: {other:?}"),
    }
}

fn decoded(client: &mut Client<'_>, request: &Request) -> Asked {
    let mut bytes = BytesMut::new();
    request.encode(9, &mut bytes);
    client.codec.decode(&mut bytes).unwrap().unwrap()
}

/// Sleeps never end.
fn asleep() -> TestHost {
    TestHost { sleeps_for_ever: true, ..TestHost::default() }
}

/// A write that may have to wait.
fn write<'a>(
    client: &'a mut Client<'_>,
    handle: &Bytes,
    cx: &'a CallContext<'_>,
) -> LocalFuture<'a, Response> {
    let request = Request::Write { handle: handle.clone(), offset: 0, data: "new".into() };
    let asked = decoded(client, &request);
    Box::pin(client.service.call(&mut client.session, asked, cx))
}

/// The next lease that is wanted back.
fn event(listener: &mut Client<'_>, response: &mut Response) -> Option<Secret> {
    let host = asleep();
    let cx = CallContext::new(&host);
    let mut more: Pin<Box<dyn Future<Output = bool>>> =
        Box::pin(listener.service.more(response, &cx));
    let Poll::Ready(true) = poll(&mut more) else { return None };
    drop(more);
    let mut bytes = BytesMut::new();
    let _ = listener.codec.encode(response, &mut bytes);
    let packet = palco_files::sftp::wire::take(&mut bytes).unwrap().unwrap();
    let Ok((9, Reply::Extended(fields))) = Reply::decode(packet) else { panic!("no event") };
    match Answer::decode_event(fields).unwrap() {
        Answer::Event { lease } => Some(lease),
        other => panic!("no event: {other:?}"),
    }
}

#[test]
fn a_writer_waits_until_the_lease_is_given_back() {
    let root = directory();
    let service = leasing(root.path(), LONG);
    let (mut reader, mut control) = (client(&service, ONE), client(&service, ONE));
    let (mut listener, mut writer) = (Client::new(&service), client(&service, TWO));
    let handle = reader.open("a", OpenFlags::READ);
    let (for_ms, 0, version, id) = lease(&mut reader, &handle) else { panic!("not granted") };
    assert_eq!(Duration::from_millis(for_ms.into()), LONG);
    assert_eq!(lease(&mut reader, &handle), (for_ms, 0, version, id), "it is the same");
    let asked = decoded(&mut listener, &Extension::Events { client: ONE }.request());
    let mut events = listener.call(asked);
    assert_eq!(event(&mut listener, &mut events), None);

    let written = writer.open("a", ALL);
    let host = asleep();
    let cx = CallContext::new(&host);
    let mut writing = write(&mut writer, &written, &cx);
    assert!(poll(&mut writing).is_pending());
    assert_eq!(event(&mut listener, &mut events), Some(id));
    assert!(poll(&mut writing).is_pending());
    assert_eq!(reader.read(&handle, 0, 8), "contents", "nothing has been written yet");
    assert_eq!(renewed(&mut control), 0, "who is to give back gets nothing more");
    let (0, 1.., ..) = lease(&mut reader, &handle) else { panic!("granted") };
    let forged = Extension::Release { lease: TWO };
    assert_eq!(control.code(&forged.request()), Code::Ok);
    assert!(poll(&mut writing).is_pending());
    assert_eq!(control.code(&Extension::Release { lease: id }.request()), Code::Ok);
    let Poll::Ready(_) = poll(&mut writing) else { panic!("it still waits") };
    drop(writing);

    let (1.., 0, after, _) = lease(&mut reader, &handle) else { panic!("not granted") };
    assert_ne!(after, version, "what was written late is counted");
    assert_eq!(reader.read(&handle, 0, 8), "newtents");
}

#[test]
fn ones_own_lease_and_other_files_are_in_nobodys_way() {
    let root = directory();
    fs::write(root.path().join("b"), "b").unwrap();
    let service = leasing(root.path(), LONG);
    let mut one = client(&service, ONE);
    let (a, b) = (one.open("a", ALL), one.open("b", ALL));
    lease(&mut one, &a);
    assert_eq!(one.write(&a, 0, "mine"), Code::Ok);
    let mut two = client(&service, TWO);
    let written = two.open("b", ALL);
    assert_eq!(two.write(&written, 0, "yours"), Code::Ok);
    assert_eq!(one.read(&b, 0, 10), "yours");
}

#[test]
fn everything_that_changes_a_file_waits() {
    let root = directory();
    let service = leasing(root.path(), LONG);
    let mut reader = client(&service, ONE);
    let handle = reader.open("a", OpenFlags::READ);
    lease(&mut reader, &handle);
    let none = palco_files::sftp::wire::Attributes::default();
    let (path, new) = (Bytes::from("a"), Bytes::from("d/new"));
    for request in [
        Request::Remove { path: path.clone() },
        Request::Rename { from: path.clone(), to: new.clone() },
        Extension::RenameOver { from: new.clone(), to: path.clone() }.request(),
        Request::Set { path: path.clone(), attributes: none },
        Request::Open {
            path: path.clone(),
            flags: OpenFlags { truncate: true, ..ALL },
            attributes: none,
        },
    ] {
        fs::write(root.path().join("d/new"), "new").unwrap();
        let mut writer = client(&service, TWO);
        let asked = decoded(&mut writer, &request);
        let host = asleep();
        let cx = CallContext::new(&host);
        let mut call: LocalFuture<'_, Response> =
            Box::pin(service.call(&mut writer.session, asked, &cx));
        assert!(poll(&mut call).is_pending(), "{request:?}");
    }
    assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "contents of a");
}

#[test]
fn a_client_that_is_silent_delays_a_writer_for_the_term_and_no_longer() {
    let root = directory();
    let service = leasing(root.path(), Duration::from_millis(30));
    let mut reader = client(&service, ONE);
    let handle = reader.open("a", OpenFlags::READ);
    lease(&mut reader, &handle);
    let mut writer = client(&service, TWO);
    // Each sleep is over at once: it looks again and again until the lease has ended.
    writer.host.sleeps_for_ever = false;
    let written = writer.open("a", ALL);
    assert_eq!(writer.write(&written, 0, "new"), Code::Ok);
    assert_eq!(renewed(&mut reader), 0);
}

#[test]
fn after_a_restart_only_those_who_had_leases_get_them() {
    let root = directory();
    let service = leasing(root.path(), LONG);
    let mut reader = client(&service, ONE);
    let handle = reader.open("a", OpenFlags::READ);
    let (1.., 0, version, _) = lease(&mut reader, &handle) else { panic!("not granted") };

    let service = leasing(root.path(), LONG);
    let mut reader = client(&service, ONE);
    let handle = reader.open("a", OpenFlags::READ);
    let (0, 1.., ..) = lease(&mut reader, &handle) else { panic!("granted in the grace period") };
    let reclaim =
        |version| Extension::Reclaim { path: "a".into(), version, wanted_ms: 0 }.request();
    assert_eq!(reader.code(&reclaim(version + 1)), Code::Failure, "it knows another version");
    let (1.., 0, again, _) = granted(reader.ask(&reclaim(version))) else { panic!("not granted") };
    assert_eq!(again, version);
    let mut writer = client(&service, TWO);
    let written = writer.open("d/other", ALL);
    let host = asleep();
    let cx = CallContext::new(&host);
    assert!(poll(&mut write(&mut writer, &written, &cx)).is_pending(), "nobody writes yet");
}

#[test]
fn when_the_grace_period_is_over_nothing_is_reclaimed() {
    let root = directory();
    let term = Duration::from_millis(30);
    let service = leasing(root.path(), term);
    let mut reader = client(&service, ONE);
    let handle = reader.open("a", OpenFlags::READ);
    let (1.., 0, version, _) = lease(&mut reader, &handle) else { panic!("not granted") };

    let service = leasing(root.path(), term);
    let mut writer = client(&service, TWO);
    writer.host.sleeps_for_ever = false;
    let written = writer.open("d/other", ALL);
    assert_eq!(writer.write(&written, 0, "new"), Code::Ok, "the grace period is waited out");
    let reclaim = Extension::Reclaim { path: "a".into(), version, wanted_ms: 0 };
    assert_eq!(client(&service, ONE).code(&reclaim.request()), Code::Failure);
}

#[test]
fn leases_are_somebodys() {
    let root = directory();
    let service = leasing(root.path(), LONG);
    let mut nobody = Client::new(&service);
    let handle = nobody.open("a", OpenFlags::READ);
    let lease = Extension::Lease { handle, wanted_ms: 0 };
    assert_eq!(nobody.code(&lease.request()), Code::Failure);
    assert_eq!(nobody.code(&Extension::Renew.request()), Code::Failure);
}
