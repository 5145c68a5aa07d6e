//! Who dies with whom, and that nobody is left over.

use std::io::{Read, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use palco_processes::{Exit, Launch};

use crate::harness::{ended, forked, is_there, launch, line, spawner, started, zygote};
use crate::tests;

tests![
    children_die_with_their_parent,
    children_outlive_the_thread_that_asked_for_them,
    a_child_that_is_dropped_is_killed_and_reaped,
    a_child_that_is_left_lives_on_and_is_reaped,
    a_start_that_nobody_waits_for_leaves_no_child,
    ends_are_remembered,
];

fn children_die_with_their_parent() {
    for how in ["once", "zygote"] {
        let (parent, mut reader) = started(launch(), &format!("bear {how}"));
        let pids = [line(&mut reader), line(&mut reader)];
        let own = parent.pid().to_string();
        let child = pids.iter().find(|pid| **pid != own).unwrap().parse().unwrap();
        let child = palco_sys::open_pidfd(child).unwrap();
        let mut watched = [PollFd::new(child.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut watched, PollTimeout::ZERO).unwrap(), 0, "{how}: it lives");
        parent.signal(Signal::SIGKILL).unwrap();
        poll(&mut watched, PollTimeout::NONE).unwrap();
        // And nobody holds the pipe any more, the zygote neither.
        ended((parent, reader));
    }
}

fn children_outlive_the_thread_that_asked_for_them() {
    let asked = std::thread::spawn(|| (started(launch(), "confine death"), zygote()));
    let ((child, mut reader), zygote) = asked.join().unwrap();
    assert_eq!(line(&mut reader), child.pid().to_string());
    let (forked, mut other) = forked(&zygote, "confine death");
    assert_eq!(line(&mut other), forked.pid().to_string());
    let mut watched = [PollFd::new(child.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut watched, PollTimeout::ZERO).unwrap(), 0);
}

/// Waits until there is no such process, not even a dead one.
fn await_reaped(pid: i32) {
    while is_there(pid) {
        std::thread::yield_now();
    }
}

fn a_child_that_is_dropped_is_killed_and_reaped() {
    let (child, mut reader) = started(launch(), "hold");
    line(&mut reader);
    let pid = child.pid();
    drop(child);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "dead");
    await_reaped(pid);
    let zygote = zygote();
    let (child, mut reader) = forked(&zygote, "hold");
    line(&mut reader);
    let pids = [child.pid(), zygote.pid()];
    drop((child, zygote));
    pids.into_iter().for_each(await_reaped);
    // One that has ended by itself is reaped too.
    let (child, mut reader) = started(launch(), "nothing");
    reader.read_to_end(&mut Vec::new()).unwrap();
    let pid = child.pid();
    drop(child);
    await_reaped(pid);
}

fn a_child_that_is_left_lives_on_and_is_reaped() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (input, hold) = std::io::pipe().unwrap();
    let launch = Launch::new("/bin/cat").fd(0, input).fd(1, writer);
    let child = spawner().spawn_blocking(launch).unwrap();
    let pid = child.pid();
    child.leave();
    // It is at work only if it was not killed.
    (&hold).write_all(b"alive").unwrap();
    let mut said = [0; 5];
    reader.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"alive");
    drop(hold);
    assert_eq!(reader.read(&mut said).unwrap(), 0, "ended");
    await_reaped(pid);
}

fn a_start_that_nobody_waits_for_leaves_no_child() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let launch = Launch::new("/bin/sleep").arg("1000").fd(1, writer);
    drop(spawner().spawn(launch));
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "dead");
}

fn ends_are_remembered() {
    let (mut child, mut reader) = started(launch(), "hold");
    line(&mut reader);
    assert_eq!(child.try_wait().unwrap(), None);
    child.signal(Signal::SIGTERM).unwrap();
    let exit = child.wait().unwrap();
    assert_eq!(exit, Exit::Signaled { signal: 15, core: false });
    assert_eq!((child.wait().unwrap(), child.try_wait().unwrap()), (exit, Some(exit)));
    assert!(child.signal(Signal::SIGTERM).is_err(), "never another process");
}
