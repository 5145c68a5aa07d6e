//! `palco serve files`, as a user starts it; with real clients behind feature `real-clients`.

use std::fs;

use crate::support::{http, palco};

/// Standard error of a command that must fail.
fn refused(arguments: &[&str]) -> String {
    let output = palco().args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_would_be_unsafe_or_means_nothing_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().to_str().unwrap();
    let everybody = ["serve", "files", "--root", root, "--listen", "0.0.0.0:0"];
    assert!(refused(&everybody).contains("--insecure"));
    assert!(refused(&["serve", "files"]).contains("--root DIR"));
    assert!(refused(&["serve", "echo", "--insecure"]).contains("belong to service `files`"));
    assert!(refused(&["serve", "files", "--root", "/none"]).contains("/none is no directory"));
}

#[test]
fn a_stage_file_serves_files_to_write() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().to_str().unwrap();
    let stage = crate::support::Stage::up(&format!(
        "[[server]]\nservice = \"files\"\nmodel = \"team\"\nplace = \"thread\"\nroot = \"{path}\"\n\
         files = {{ keys = \"optional\" }}\n"
    ));
    let address = stage.address("files").to_string();
    let put = http(&address, "PUT /file", "Content-Length: 3\r\n\r\nnew");
    assert!(put.starts_with("HTTP/1.1 201 "), "{put}");
    let post = http(&address, "POST /file", "Content-Length: 2\r\n\r\n-x");
    assert!(post.starts_with("HTTP/1.1 200 "), "{post}");
    assert_eq!(fs::read_to_string(root.path().join("file")).unwrap(), "new-x");
}
