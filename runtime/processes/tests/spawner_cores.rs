//! Children run where the program may, wherever the thread did that started the first of them. Alone in its program: there
//! is one spawner.

use std::fs;
use std::io::{Read, pipe};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use palco_processes::{Launch, Spawner};

#[test]
fn a_spawner_that_a_confined_thread_has_started_is_not_confined() {
    let this_thread = Pid::from_raw(0);
    let allowed = sched_getaffinity(this_thread).unwrap();
    let first = (0..CpuSet::count()).find(|core| allowed.is_set(*core).unwrap()).unwrap();
    let mut only = CpuSet::new();
    only.set(first).unwrap();
    sched_setaffinity(this_thread, &only).unwrap();
    let (mut from, to) = pipe().unwrap();
    let launch = Launch::new("/bin/cat").arg("/proc/self/status").fd(1, to);
    // With such a signal the spawner's thread starts it, not this one.
    let launch = launch.death_signal(Signal::SIGKILL);
    let mut child = Spawner::new().unwrap().spawn_blocking(launch).unwrap();
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    let cores = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("Cpus_allowed_list:"));
        line.map(str::to_owned).unwrap()
    };
    // Of its first thread, which nobody has confined.
    let program = fs::read_to_string("/proc/self/status").unwrap();
    assert_eq!(cores(&text), cores(&program));
}
