//! What is outside stays outside.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use tempfile::TempDir;

use super::*;

fn site() -> (TempDir, PathBuf) {
    let beside = tempfile::tempdir().unwrap();
    let root = beside.path().join("root");
    fs::create_dir_all(root.join("inner")).unwrap();
    fs::create_dir(root.join(".hidden")).unwrap();
    fs::create_dir(beside.path().join("outer")).unwrap();
    fs::write(root.join("inner/file"), "inside").unwrap();
    fs::write(root.join(".hidden/file"), "secret").unwrap();
    fs::write(beside.path().join("outer/file"), "secret").unwrap();
    symlink("inner", root.join("link")).unwrap();
    symlink("../outer", root.join("out")).unwrap();
    symlink(".hidden", root.join("unhidden")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink(beside.path().join("root/inner"), root.join("absolute")).unwrap();
    (beside, root)
}

#[test]
fn only_what_is_beneath_is_found() {
    let (_beside, root) = site();
    let tree = Tree::open(&root, Links::Beneath).unwrap();
    for path in ["inner/file", "link/file"] {
        assert!(tree.read(Path::new(path)).unwrap().1.is_file(), "{path}");
    }
    let long = "x".repeat(64 << 10);
    for path in [
        "../outer/file",
        "/etc/passwd",
        "inner/../../outer/file",
        "inner/../inner/file",
        "out/file",
        "unhidden/file",
        ".hidden/file",
        "loop",
        "absolute/file",
        "inner/file/x",
        "nul\0",
        "missing",
    ] {
        let error = tree.read(Path::new(path)).unwrap_err();
        assert_eq!(error.kind(), TreeErrorKind::NotFound, "{path}");
    }
    assert_eq!(tree.read(Path::new(&long)).unwrap_err().kind(), TreeErrorKind::NameTooLong);
}

#[test]
fn links_can_be_refused() {
    let (_beside, root) = site();
    let tree = Tree::open(&root, Links::Refuse).unwrap();
    assert!(tree.read(Path::new("inner/file")).is_ok());
    assert_eq!(tree.read(Path::new("link/file")).unwrap_err().kind(), TreeErrorKind::NotFound);
}

#[test]
fn a_component_that_becomes_a_link_leads_nowhere() {
    let (_beside, root) = site();
    let tree = Tree::open(&root, Links::Beneath).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                fs::rename(root.join("inner"), root.join("aside")).unwrap();
                symlink("../outer", root.join("inner")).unwrap();
                fs::remove_file(root.join("inner")).unwrap();
                fs::rename(root.join("aside"), root.join("inner")).unwrap();
            }
        });
        for _ in 0..5000 {
            if let Ok((file, _)) = tree.read(Path::new("inner/file")) {
                assert_eq!(io::read_to_string(file).unwrap(), "inside");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_staged_file_has_no_name_before_it_is_published() {
    let (_beside, root) = site();
    let tree = Tree::open(&root, Links::Beneath).unwrap();
    let names = || fs::read_dir(root.join("inner")).unwrap().count();
    let mut staged = tree.stage(Path::new("inner/new")).unwrap();
    staged.write(b"half").unwrap();
    assert_eq!(names(), 1);
    drop(staged);
    assert_eq!(names(), 1);
    for (existing, expected) in
        [(Existing::Replaced, Ok(())), (Existing::Kept, Err(TreeErrorKind::Exists))]
    {
        let mut staged = tree.stage(Path::new("inner/file")).unwrap();
        staged.write(b"whole").unwrap();
        assert_eq!(staged.publish(existing, true).map_err(|error| error.kind()), expected);
    }
    assert_eq!(fs::read_to_string(root.join("inner/file")).unwrap(), "whole");
    assert_eq!(names(), 1);
    let kind = |path: &str| tree.stage(Path::new(path)).unwrap_err().kind();
    assert_eq!(kind("none/file"), TreeErrorKind::NoParent);
    assert_eq!(kind("out/file"), TreeErrorKind::NoParent);
}
