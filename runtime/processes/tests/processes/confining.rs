//! What confined children can no longer do, what they still can, and what is said about those who tried.

use std::fs;
use std::io::PipeReader;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use nix::libc;
use palco_processes::{Child, Exit, Zygote, denied_syscall_name};
use palco_sys::{FATAL_OUT_OF_MEMORY, FATAL_SYSTEM_CALL, SharedWords};

use crate::child::wanted;
use crate::harness::{
    ended, forked, forked_with, launch, report, started_with, zygote, zygote_for,
};
use crate::tests;

tests![
    a_child_makes_no_processes,
    threads_sockets_and_memory_keep_working,
    a_hostile_call_ends_the_child_and_is_named,
    files_beside_the_allowed_ones_cannot_be_opened,
    connections_cannot_be_made,
    a_path_that_does_not_exist_cannot_be_allowed,
    limits_hold,
    a_lack_of_memory_is_told_from_other_aborts,
    an_orphan_is_not_confined_but_refused,
    a_fork_that_wants_more_than_its_zygote_gets_it,
];

/// Whether this kernel has Landlock.
fn has_landlock() -> bool {
    report(launch(), "confine connect 127.0.0.1:9").contains("landlock")
        && !report(launch(), "confine connect 127.0.0.1:9").contains("no landlock")
}

/// What children report that confine themselves for this, in every way to start one: afresh, as a fork of a zygote, and as
/// forks of one that is confined the same, the second after the first has done what it could.
fn reports(what: &str) -> [String; 4] {
    let task = format!("confine {what}");
    let (free, confined) = (zygote(), zygote_for(&wanted(what)));
    let forked = |zygote: &Zygote| {
        let (told, exit) = ended(forked(zygote, &task));
        assert_eq!(exit, Exit::Exited(0), "{told}");
        told
    };
    [report(launch(), &task), forked(&free), forked(&confined), forked(&confined)]
}

/// How children end that do `task`, and what is said about it: started afresh, and as a fork of a confined zygote.
fn ends_and_words(task: &str) -> [(Exit, u64); 2] {
    let zygote = zygote_for(&wanted(task.trim_start_matches("confine ")));
    let end_and_word = |start: &dyn Fn(&SharedWords) -> (Child, PipeReader)| {
        let words = SharedWords::create("end", 1).unwrap();
        let (_, exit) = ended(start(&words));
        (exit, words.words()[0].load(Ordering::Acquire))
    };
    [
        end_and_word(&|words| started_with(launch(), task, &[words.as_fd()])),
        end_and_word(&|words| forked_with(&zygote, task, &[words.as_fd()])),
    ]
}

fn a_child_makes_no_processes() {
    for told in [reports("fork"), reports("brother")].concat() {
        assert!(told.starts_with(&format!("Some({})\n", libc::EPERM)), "{told}");
    }
}

fn threads_sockets_and_memory_keep_working() {
    for told in reports("work") {
        assert_eq!(told, "262144\nno-new-privs, seccomp\n");
    }
    for told in reports("strict") {
        assert!(told.starts_with("262144\nno-new-privs, "), "{told}");
        assert!(told.ends_with("seccomp, 1024 MiB, 64 files\n"), "{told}");
    }
}

fn a_hostile_call_ends_the_child_and_is_named() {
    for call in ["ptrace", "unshare"] {
        for (exit, word) in ends_and_words(&format!("confine {call}")) {
            assert!(matches!(exit, Exit::Signaled { signal: libc::SIGSYS, .. }), "{exit}");
            assert_eq!(word & FATAL_SYSTEM_CALL, FATAL_SYSTEM_CALL);
            assert_eq!(denied_syscall_name(word as u32), Some(call));
        }
    }
}

fn files_beside_the_allowed_ones_cannot_be_opened() {
    if !has_landlock() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let allowed = directory.path().join("allowed");
    fs::create_dir(&allowed).unwrap();
    let expected = "done PermissionDenied done PermissionDenied\nno-new-privs, landlock\n";
    for told in reports(&format!("files {}", allowed.display())) {
        assert_eq!(told, expected);
    }
    assert!(fs::exists(allowed.join("new")).unwrap());
}

fn connections_cannot_be_made() {
    if !has_landlock() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for told in reports(&format!("connect {address}")) {
        assert!(told.starts_with("Err(PermissionDenied) Err(PermissionDenied)\n"), "{told}");
    }
}

fn a_path_that_does_not_exist_cannot_be_allowed() {
    for told in reports("missing-path") {
        assert!(told.starts_with("/nowhere: ") || told.contains("no landlock"), "{told}");
    }
}

fn limits_hold() {
    for told in reports("limits") {
        let limit = |name: &str| -> Vec<String> {
            let line = told.lines().find(|line| line.starts_with(name)).unwrap();
            line[name.len()..].split_ascii_whitespace().map(str::to_owned).take(2).collect()
        };
        assert_eq!(limit("Max open files"), ["20", "20"]);
        assert_eq!(limit("Max cpu time"), ["5", "6"]);
        assert_eq!(limit("Max core file size"), ["0", "0"]);
        assert!(told.ends_with("no-new-privs, 20 files, 5 s cpu\n"), "{told}");
    }
}

fn a_lack_of_memory_is_told_from_other_aborts() {
    for (exit, word) in ends_and_words("outgrow") {
        assert!(matches!(exit, Exit::Signaled { signal: libc::SIGABRT, .. }), "{exit}");
        assert_eq!(word, FATAL_OUT_OF_MEMORY);
    }
    assert_eq!(ends_and_words("outgrow carefully"), [(Exit::Exited(0), 0); 2]);
    for (exit, word) in ends_and_words("abort") {
        assert!(matches!(exit, Exit::Signaled { signal: libc::SIGABRT, .. }), "{exit}");
        assert_eq!(word, 0);
    }
}

fn an_orphan_is_not_confined_but_refused() {
    let own = std::process::id();
    let told = report(launch(), "confine wrong-parent");
    assert_eq!(told, format!("the parent 1000000 has ended: the parent is {own} now\n"));
}

fn a_fork_that_wants_more_than_its_zygote_gets_it() {
    let (told, exit) = ended(forked(&zygote_for(&wanted("limits")), "confine strict"));
    assert_eq!(exit, Exit::Exited(0), "{told}");
    assert!(told.ends_with("seccomp, 1024 MiB, 64 files\n"), "{told}");
}
