//! What a program begins with, and what is said when it cannot begin.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use palco_processes::{Confinement, Exit, Launch, Policy, Resource, User};

use crate::harness::{ended, field, launch, report, spawner, started};
use crate::tests;

tests![
    a_failure_names_step_question_and_answer,
    other_threads_keep_their_user,
    signals_begin_as_new,
    the_state_asked_for_is_the_state_begun_in,
    exit_codes_and_signals_arrive,
    the_executable_may_have_been_replaced,
    a_large_parent_starts_children_too,
    children_start_from_many_threads_at_once,
];

fn nobody() -> User {
    User { uid: 65534, gid: 65534, groups: Vec::new() }
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn a_failure_names_step_question_and_answer() {
    let failure = |launch: Launch| spawner().spawn_blocking(launch).unwrap_err().to_string();
    let no_file = "No such file or directory (os error 2)";
    assert_eq!(failure(Launch::new("/nowhere")), format!("exec /nowhere: {no_file}"));
    assert_eq!(failure(launch().cwd("/nowhere")), format!("chdir /nowhere: {no_file}"));
    let launch_limited = launch().limit(Resource::RLIMIT_NOFILE, 20, 10);
    let invalid = "Invalid argument (os error 22)";
    assert_eq!(
        failure(launch_limited),
        format!("limit RLIMIT_NOFILE to 20, at most 10: {invalid}")
    );
    let fifo = launch().scheduler(Policy::Fifo(100));
    assert_eq!(failure(fifo), format!("scheduler policy 1 priority 100: {invalid}"));
    let user = User { uid: u32::MAX, ..nobody() };
    if is_root() {
        // The kernel takes -1 for "leave as it is", so the child would be root.
        assert_eq!(failure(launch().user(user)), "4294967295 is no user or group");
    }
    assert_eq!(
        failure(Launch::new("/etc/passwd")),
        "exec /etc/passwd: Permission denied (os error 13)"
    );
}

fn other_threads_keep_their_user() {
    if !is_root() {
        return;
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watchers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut looked = 0_u32;
                    while !done.load(Ordering::Relaxed) {
                        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
                        assert_eq!(field(&status, "Uid"), "0\t0\t0\t0");
                        looked += 1;
                    }
                    looked
                })
            })
            .collect();
        for _ in 0..50 {
            let launch = Launch::new("/bin/true").user(nobody());
            let mut child = spawner().spawn_blocking(launch).unwrap();
            assert_eq!(child.wait().unwrap(), Exit::Exited(0));
        }
        done.store(true, Ordering::Relaxed);
        for watcher in watchers {
            assert!(watcher.join().unwrap() > 0);
        }
    });
    let status =
        report(launch().user(User { groups: vec![7, 8], ..nobody() }), "read /proc/self/status");
    assert_eq!(field(&status, "Uid"), "65534\t65534\t65534\t65534");
    assert_eq!(field(&status, "Gid"), "65534\t65534\t65534\t65534");
    assert_eq!(field(&status, "Groups"), "7 8");
    let own = fs::read_to_string("/proc/self/status").unwrap();
    assert_eq!(field(&own, "Uid"), "0\t0\t0\t0");
}

fn signals_begin_as_new() {
    // A program that ignores SIGPIPE: std does so before main. And this one blocks a signal besides.
    let mut before = SigSet::empty();
    let some = SigSet::from_iter([Signal::SIGTERM, Signal::SIGUSR1]);
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&some), Some(&mut before)).unwrap();
    let own = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_ne!(field(&own, "SigIgn"), "0000000000000000");
    // A program without handlers of its own, so that it shows what it was given.
    let (mut reader, writer) = std::io::pipe().unwrap();
    let cat = Launch::new("/bin/cat").arg("/proc/self/status").fd(1, writer);
    let mut child = spawner().spawn_blocking(cat).unwrap();
    let mut status = String::new();
    reader.read_to_string(&mut status).unwrap();
    for set in ["SigBlk", "SigIgn", "SigCgt"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
    assert_eq!(child.wait().unwrap(), Exit::Exited(0));
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None).unwrap();
    // Nothing of that has reached this process.
    let after = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert_eq!(field(&own, "SigIgn"), field(&after, "SigIgn"));
    assert_eq!(field(&own, "SigCgt"), field(&after, "SigCgt"));
}

fn the_state_asked_for_is_the_state_begun_in() {
    let status = report(launch().umask(0o27), "read /proc/self/status");
    assert_eq!(field(&status, "Umask"), "0027");
    let limits = report(launch().limit(Resource::RLIMIT_NOFILE, 33, 44), "read /proc/self/limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_ascii_whitespace().collect::<Vec<_>>()[3..5], ["33", "44"]);
    assert_eq!(report(launch().cwd("/usr/bin"), "where"), "/usr/bin\n");
    let stat = report(launch().nice(7).new_session(), "read /proc/self/stat");
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
    let pid = stat.split(' ').next().unwrap();
    assert_eq!((fields[16], fields[3]), ("7", pid), "niceness and session");
    for (policy, number) in [(Policy::Batch, "3"), (Policy::Idle, "5"), (Policy::Normal, "0")] {
        let stat = report(launch().scheduler(policy), "read /proc/self/stat");
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
        assert_eq!(fields[38], number, "{policy:?}");
    }
    let environment = report(launch().env("A", "b"), "read /proc/self/environ");
    assert_eq!(environment, "A=b\0PALCO_CHILD=once\0");
    assert_eq!(report(launch().arg("x"), "read /proc/self/cmdline"), "palco-child\0x\0");
    let input = report(launch().quiet_stdin(), "descriptors");
    assert!(input.contains("0 /dev/null\n"), "{input}");
}

fn exit_codes_and_signals_arrive() {
    for code in [0, 1, 255] {
        assert_eq!(ended(started(launch(), &format!("exit {code}"))).1, Exit::Exited(code));
    }
    for signal in [Signal::SIGTERM, Signal::SIGPIPE, Signal::SIGKILL] {
        let (_, exit) = ended(started(launch(), &format!("raise {signal}")));
        // SIGPIPE is ignored by std again, before main.
        if signal != Signal::SIGPIPE {
            assert_eq!(exit, Exit::Signaled { signal: signal as i32, core: false });
        }
    }
    let (child, reader) = started(launch(), "hold");
    child.signal_raw(40).unwrap();
    let (_, exit) = ended((child, reader));
    assert_eq!(exit, Exit::Signaled { signal: 40, core: false });
    assert_eq!(exit.to_string(), "killed by signal 40");
    let (_, exit) = ended(started(launch().limit(Resource::RLIMIT_CORE, 0, 0), "abort"));
    assert_eq!(exit, Exit::Signaled { signal: 6, core: false });
    // Where memory is dumped to a file, the child says that it was.
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.trim() == "core" {
        let directory = tempfile::tempdir().unwrap();
        let launch = launch().cwd(directory.path()).limit(Resource::RLIMIT_CORE, 1 << 30, 1 << 30);
        let (_, exit) = ended(started(launch, "abort"));
        assert_eq!(exit, Exit::Signaled { signal: 6, core: true });
        assert_eq!(exit.to_string(), "killed by SIGABRT, core dumped");
    }
}

fn the_executable_may_have_been_replaced() {
    // A copy that starts a child of its own after it was deleted and another file has taken its place.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("program");
    fs::copy("/proc/self/exe", &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let zygote = palco_threads::block_on(palco_processes::Zygote::start(
        &spawner(),
        Launch::new(&copy),
        &Confinement::none(),
    ))
    .unwrap();
    let (mut parent, mut reader) = crate::harness::forked(&zygote, "bear-later");
    assert_eq!(crate::harness::line(&mut reader), "ready");
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, "not a program").unwrap();
    parent.signal(Signal::SIGUSR1).unwrap();
    assert_eq!(crate::harness::line(&mut reader), "exited with 7");
    assert_eq!(parent.wait().unwrap(), Exit::Exited(0));
}

fn a_large_parent_starts_children_too() {
    let mut large = vec![0_u8; 256 << 20];
    for place in (0..large.len()).step_by(4096) {
        large[place] = 1;
    }
    for _ in 0..5 {
        assert_eq!(ended(started(launch(), "exit 3")).1, Exit::Exited(3));
    }
    assert!(getrusage(UsageWho::RUSAGE_SELF).unwrap().max_rss() >= 256 << 10);
    drop(large);
}

fn children_start_from_many_threads_at_once() {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(ended(started(launch(), "exit 5")).1, Exit::Exited(5));
                }
            });
        }
    });
}
