//! A server that is killed at any moment of an append neither loses nor doubles it, nor its key.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::Links;

struct Bench {
    root: TempDir,
    tree: Tree,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("log"), "old").unwrap();
        let tree = Tree::open(root.path(), Links::Beneath).unwrap();
        Self { root, tree }
    }

    /// As another server would.
    fn journal(&self) -> Journal {
        Journal::open(&self.tree, 10, Duration::from_secs(100), false).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.root.path().join("log")).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path().join(".palco")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// An append of `content` that has come as far as `steps` says, and no further; what is half copied is so long.
    fn killed(&self, content: &str, steps: usize, copied: usize) {
        let journal = self.journal();
        let locked = journal.lock(&self.tree).unwrap();
        let path = Path::new("log");
        let mut staged = journal.stage(path).unwrap();
        staged.write(content.as_bytes()).unwrap();
        let (target, metadata) = self.tree.write(path).unwrap();
        let record = Record::new(Some("d"), "f", path, &metadata, content.len() as u64);
        if steps >= 1 {
            locked.intend(&record, &staged).unwrap();
            target.write_all_at(&content.as_bytes()[..copied], record.offset).unwrap();
        }
        if steps >= 2 {
            locked.apply(&record, staged.file(), &target).unwrap();
        }
        if steps >= 3 {
            locked.conclude(&record).unwrap();
        }
    }
}

#[test]
fn what_was_intended_is_done_once_wherever_the_server_is_killed() {
    for (steps, copied, log, known) in [
        (0, 0, "old", false),
        (1, 0, "old-new", true),
        (1, 2, "old-new", true),
        (1, 4, "old-new", true),
        (2, 4, "old-new", true),
        (3, 4, "old-new", true),
    ] {
        let bench = Bench::new();
        bench.killed("-new", steps, copied);
        for _ in 0..2 {
            let journal = bench.journal();
            let locked = journal.lock(&bench.tree).unwrap();
            assert_eq!(bench.log(), log, "{steps} {copied}");
            assert_eq!(locked.done("d").unwrap().is_some(), known, "{steps} {copied}");
        }
        let expected: &[&str] = if known { &["key-d", "lock"] } else { &["lock"] };
        assert_eq!(bench.names(), expected, "{steps} {copied}");
    }
}

#[test]
fn a_server_that_goes_on_completes_what_another_has_left_before_its_own_change() {
    let bench = Bench::new();
    let survivor = bench.journal();
    bench.killed("-new", 1, 1);
    drop(survivor.lock(&bench.tree).unwrap());
    assert_eq!(bench.log(), "old-new");
}

#[test]
fn what_was_intended_for_a_file_is_not_done_to_another() {
    let bench = Bench::new();
    bench.killed("-new", 1, 0);
    let (log, other) = (bench.root.path().join("log"), bench.root.path().join("other"));
    fs::write(&other, "other").unwrap();
    fs::rename(&other, &log).unwrap();
    let journal = bench.journal();
    let locked = journal.lock(&bench.tree).unwrap();
    assert_eq!(bench.log(), "other");
    assert!(locked.done("d").unwrap().is_none(), "the client may append it again");
    assert_eq!(bench.names(), ["lock"]);
}

#[test]
fn keys_of_killed_servers_are_free() {
    let bench = Bench::new();
    let journal = bench.journal();
    fs::write(bench.root.path().join(".palco/busy-k"), "").unwrap();
    let held = journal.reserve("k").unwrap().unwrap();
    assert!(journal.reserve("k").unwrap().is_none());
    drop(held);
    fs::write(bench.root.path().join(".palco/busy-k"), "").unwrap();
    drop(bench.journal());
    assert_eq!(bench.names(), ["lock"]);
}
