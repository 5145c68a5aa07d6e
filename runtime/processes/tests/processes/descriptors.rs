//! Which descriptors a child has, under which numbers, and that the parent loses none.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use palco_processes::{Exit, Launch};
use proptest::collection::btree_map;
use proptest::prop_assert_eq;
use proptest::test_runner::{Config, TestRunner};

use crate::harness::{ended, forked, launch, report, spawner, started, zygote};
use crate::tests;

tests![
    a_child_has_what_it_was_given_and_nothing_else,
    descriptors_get_their_numbers_whatever_numbers_they_had,
    two_descriptors_may_swap_their_numbers,
    a_parent_loses_no_descriptor,
];

fn a_child_has_what_it_was_given_and_nothing_else() {
    // Inheritable by mistake, as libraries leave them.
    let _stray = nix::unistd::dup(File::open("/etc/passwd").unwrap()).unwrap();
    let list = report(launch().fd(9, File::open("/etc/hosts").unwrap()), "descriptors");
    let numbers: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(numbers, ["0", "1", "2", "9"], "{list}");
    assert!(list.contains("9 /etc/hosts"), "{list}");
}

/// Files that can be told apart.
fn files(count: usize) -> (tempfile::TempDir, Vec<File>) {
    let directory = tempfile::tempdir().unwrap();
    let made =
        (0..count).map(|n| File::create(directory.path().join(n.to_string())).unwrap()).collect();
    (directory, made)
}

/// Which file a shell finds under which number, and which it should.
fn told_and_expected(wanted: Vec<(i32, u64, OwnedFd)>) -> (String, String) {
    let (mut reader, writer) = io::pipe().unwrap();
    let mut launch = Launch::new("/bin/sh").env("PATH", "/usr/bin:/bin").fd(1, writer);
    let (mut script, mut expected) = (String::from("stat -L -c %i"), String::new());
    for (number, inode, fd) in wanted {
        launch = launch.fd(number, fd);
        write!(script, " /proc/$$/fd/{number}").unwrap();
        writeln!(expected, "{inode}").unwrap();
    }
    let mut child = spawner().spawn_blocking(launch.args(["-c", &script])).unwrap();
    let mut told = String::new();
    reader.read_to_string(&mut told).unwrap();
    child.wait().unwrap();
    (told, expected)
}

fn descriptors_get_their_numbers_whatever_numbers_they_had() {
    let (_directory, files) = files(8);
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    // Numbers in the child, of which many are other descriptors' numbers in this process; and for each which file.
    let cases = btree_map(3_i32..48, 0_usize..8, 1..16);
    TestRunner::new(config)
        .run(&cases, |wanted| {
            let wanted: Vec<(i32, u64, OwnedFd)> = wanted
                .into_iter()
                .map(|(number, file)| {
                    let file = &files[file];
                    (number, file.metadata().unwrap().ino(), file.try_clone().unwrap().into())
                })
                .collect();
            let (told, expected) = told_and_expected(wanted);
            prop_assert_eq!(told, expected);
            Ok(())
        })
        .unwrap();
}

fn two_descriptors_may_swap_their_numbers() {
    let (_directory, files) = files(3);
    let inode = |file: &File| file.metadata().unwrap().ino();
    let numbers: Vec<i32> = files.iter().map(AsRawFd::as_raw_fd).collect();
    // A cycle of three: each gets the number that the next one has in this process.
    let inodes: Vec<u64> = files.iter().map(inode).collect();
    let mut launch = Launch::new("/bin/sh").env("PATH", "/usr/bin:/bin");
    let mut script = String::new();
    for (place, file) in files.into_iter().enumerate() {
        let number = numbers[(place + 1) % 3];
        launch = launch.fd(number, file);
        let inode = inodes[place];
        write!(script, "[ $(stat -L -c %i /proc/$$/fd/{number}) = {inode} ] || exit 1;").unwrap();
    }
    let mut child = spawner().spawn_blocking(launch.args(["-c", &script])).unwrap();
    assert_eq!(child.wait().unwrap(), Exit::Exited(0));
}

fn open_here() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn a_parent_loses_no_descriptor() {
    let spawner = spawner();
    let zygote = zygote();
    let before = open_here();
    for round in 0..200 {
        if round % 4 == 1 {
            assert_eq!(ended(forked(&zygote, "nothing")).1, Exit::Exited(0));
        } else if round % 4 == 2 {
            assert_eq!(ended(started(launch(), "nothing")).1, Exit::Exited(0));
        } else if round % 4 == 3 {
            let launch = Launch::new("/bin/true").fd(7, File::open("/dev/null").unwrap());
            assert_eq!(spawner.spawn_blocking(launch).unwrap().wait().unwrap(), Exit::Exited(0));
        } else {
            let launch = Launch::new("/nowhere").fd(7, File::open("/dev/null").unwrap());
            spawner.spawn_blocking(launch).unwrap_err();
        }
    }
    assert_eq!(open_here(), before);
}
