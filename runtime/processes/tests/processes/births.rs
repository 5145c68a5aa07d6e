//! Children of the same program: by `exec`, by a zygote; and what is no birth.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use palco_processes::{
    BIRTH_FD, Confinement, Exit, Launch, PAYLOAD_MAX, User, Zygote, bear, send_with,
};
use palco_threads::block_on;

use crate::harness::{ended, forked, launch, report, spawner, zygote};
use crate::tests;

tests![
    a_child_knows_how_it_came_to_be_and_whose_it_is,
    a_zygote_outlives_its_children_and_bad_births,
    what_a_zygote_says_when_it_is_no_more,
    a_program_that_is_no_zygote_is_found_out,
    a_zygote_with_threads_refuses_to_be_one,
    the_kernel_s_refusal_to_fork_arrives,
    a_child_that_cannot_be_watched_is_not_left_behind,
    a_wrong_environment_is_an_error_and_no_panic,
    a_malformed_birth_is_an_error_and_no_panic,
    a_zygote_ends_with_its_parent_s_end_of_the_socket,
];

fn a_child_knows_how_it_came_to_be_and_whose_it_is() {
    let own = std::process::id();
    assert_eq!(report(launch(), "role"), format!("once {own}\n"));
    let (report, exit) = ended(forked(&zygote(), "role"));
    assert_eq!((report, exit), (format!("zygote {own}\n"), Exit::Exited(0)));
}

fn a_zygote_outlives_its_children_and_bad_births() {
    let zygote = zygote();
    assert_eq!(
        zygote.fork(&[0; PAYLOAD_MAX + 1], &[]).unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
    for _ in 0..20 {
        assert_eq!(ended(forked(&zygote, "exit 4")).1, Exit::Exited(4));
        let (child, reader) = forked(&zygote, "hold");
        child.signal(Signal::SIGKILL).unwrap();
        let killed = Exit::Signaled { signal: 9, core: false };
        assert_eq!(ended((child, reader)).1, killed);
    }
    // A child has nothing of its zygote but the standard streams.
    let (report, _) = ended(forked(&zygote, "descriptors"));
    assert!(
        report.lines().all(|line| ["0 ", "1 ", "2 "].iter().any(|fd| line.starts_with(fd))),
        "{report}"
    );
}

fn what_a_zygote_says_when_it_is_no_more() {
    let zygote = zygote();
    assert_eq!(ended(forked(&zygote, "exit 4")).1, Exit::Exited(4));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(zygote.pid()), Signal::SIGKILL).unwrap();
    for _ in 0..2 {
        let error = zygote.fork(b"nothing", &[]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(error.to_string(), "the zygote has ended: killed by SIGKILL");
    }
}

fn a_program_that_is_no_zygote_is_found_out() {
    let zygote =
        block_on(Zygote::start(&spawner(), Launch::new("/bin/false"), &Confinement::none()))
            .unwrap();
    let error = zygote.fork(b"", &[]).unwrap_err();
    assert_eq!(error.to_string(), "the zygote has ended: exited with 1");
}

fn a_zygote_with_threads_refuses_to_be_one() {
    let (mut reader, writer) = io::pipe().unwrap();
    let late = launch().arg("--late").fd(2, writer);
    let zygote = block_on(Zygote::start(&spawner(), late, &Confinement::none())).unwrap();
    let error = zygote.fork(b"", &[]).unwrap_err();
    assert_eq!(error.to_string(), "the zygote has ended: exited with 70");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let expected = "`enter` must be the first thing in main: this process has threads already\n";
    assert_eq!(text, expected);
}

fn the_kernel_s_refusal_to_fork_arrives() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    // A user with one process at most: the zygote.
    let user = User { uid: 64_999, gid: 64_999, groups: Vec::new() };
    let alone = launch().user(user).limit(Resource::RLIMIT_NPROC, 1, 1);
    let zygote = block_on(Zygote::start(&spawner(), alone, &Confinement::none())).unwrap();
    for _ in 0..2 {
        let error = zygote.fork(b"nothing", &[]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::EAGAIN));
    }
}

fn a_child_that_cannot_be_watched_is_not_left_behind() {
    let zygote = zygote();
    let (mut reader, writer) = io::pipe().unwrap();
    // As many descriptors as there may be.
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 256.min(soft), hard).unwrap();
    let (mut hoard, mut children) = (Vec::new(), Vec::new());
    let error = loop {
        while let Ok(fd) = writer.try_clone() {
            hoard.push(fd);
        }
        // The spawner may have reaped somebody just now, and closed a descriptor.
        match zygote.fork(b"hold", &[writer.as_fd()]) {
            Ok(child) => children.push(child),
            Err(error) => break error,
        }
    };
    drop((hoard, writer, children));
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    assert_eq!(error.raw_os_error(), Some(nix::libc::EMFILE));
    // It may have said that it is there; then its end of the pipe is closed.
    reader.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(ended(forked(&zygote, "exit 4")).1, Exit::Exited(4));
}

/// What this program says on standard error, started like this, and how it ends.
fn complaint(launch: Launch) -> (String, Exit) {
    let (mut reader, writer) = io::pipe().unwrap();
    let mut child = spawner().spawn_blocking(launch.fd(2, writer)).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    (text, child.wait().unwrap())
}

fn a_wrong_environment_is_an_error_and_no_panic() {
    let none = "PALCO_CHILD is set, but this process was not started by palco: \
        descriptor 3 is no unix seqpacket socket\n";
    for role in ["once", "zygote"] {
        let told = complaint(launch().env("PALCO_CHILD", role));
        assert_eq!(told, (none.to_owned(), Exit::Exited(70)));
        let other: OwnedFd = UnixDatagram::unbound().unwrap().into();
        let told = complaint(launch().env("PALCO_CHILD", role).fd(BIRTH_FD, other));
        assert_eq!(told, (none.to_owned(), Exit::Exited(70)));
    }
    let unknown = "PALCO_CHILD=twice: neither `once` nor `zygote`\n".to_owned();
    assert_eq!(complaint(launch().env("PALCO_CHILD", "twice")), (unknown, Exit::Exited(70)));
}

fn pair() -> (OwnedFd, OwnedFd) {
    let flags = SockFlag::SOCK_CLOEXEC;
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap()
}

fn a_malformed_birth_is_an_error_and_no_panic() {
    let told = |bytes: &[u8], fds: usize| {
        let (here, there) = pair();
        if !bytes.is_empty() {
            send_with(here.as_fd(), bytes, &vec![here.as_fd(); fds]).unwrap();
        }
        drop(here);
        let (text, exit) = complaint(launch().env("PALCO_CHILD", "once").fd(BIRTH_FD, there));
        assert_eq!(exit, Exit::Exited(70), "{text}");
        text
    };
    assert_eq!(told(b"", 0), "the parent has ended before the birth message\n");
    assert_eq!(told(b"hello", 0), "birth message: 5 bytes are no header\n");
    assert_eq!(told(b"hello, world", 1), "birth message: not from this version of palco\n");
    assert_eq!(told(b"palco\x01\x02\0", 1), "birth message: 2 descriptors announced, 1 arrived\n");
    let long = told(&vec![0; PAYLOAD_MAX + 9], 0);
    assert_eq!(long, "birth message: a message of more than 65544 bytes\n");
    let error = block_on(bear(&spawner(), launch(), &vec![0; PAYLOAD_MAX + 1], &[])).unwrap_err();
    assert_eq!(error.to_string(), "65537 bytes at birth, 65536 are allowed");
}

fn a_zygote_ends_with_its_parent_s_end_of_the_socket() {
    let (here, there) = pair();
    let launch = launch().env("PALCO_CHILD", "zygote").fd(BIRTH_FD, there);
    let mut zygote = spawner().spawn_blocking(launch).unwrap();
    // It is to be confined not at all.
    send_with(here.as_fd(), b"palco\x01\0\0\0\0\0\0\0\0", &[]).unwrap();
    // Requests that make no sense are answered, and do it no harm.
    for request in [&b"x"[..], &vec![0; PAYLOAD_MAX + 9]] {
        send_with(here.as_fd(), request, &[]).unwrap();
        let (answer, _) = palco_processes::receive_with(here.as_fd(), 8, 0).unwrap();
        assert_eq!(answer, [74, 0, 0, 0, 0, 0, 0, 0], "EBADMSG");
    }
    drop(here);
    assert_eq!(zygote.wait().unwrap(), Exit::Exited(0));
}
