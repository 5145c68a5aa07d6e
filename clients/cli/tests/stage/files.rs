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

#[test]
fn an_option_of_the_other_protocol_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().to_str().unwrap();
    let with = |options: &[&str]| refused(&[&["serve", "files", "--root", root], options].concat());
    for option in [&["--handles", "journalled"][..], &["--lease-term", "5s"], &["--hide-dots"]] {
        assert!(with(option).contains("belong to --protocol sftp"), "{option:?}");
    }
    for option in ["--keys-optional", "--conditions-required"] {
        assert!(with(&["--protocol", "sftp", option]).contains("belong to --protocol http"));
    }
    let process = ["--protocol", "sftp", "--place", "process", "--lease-term", "5s"];
    assert!(with(&process).contains("leases bind only who is served by the same process"));
    let iterative = ["--protocol", "sftp", "--model", "iterative", "--lease-term", "5s"];
    assert!(with(&iterative).contains("another model than `iterative`"));
    let everybody = ["--protocol", "sftp", "--listen", "0.0.0.0:0"];
    assert!(with(&everybody).contains("over plain SFTP"));
}

#[test]
fn fetch_gets_what_is_in_a_directory_however_many_at_once() {
    let (root, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir_all(root.path().join("d/below")).unwrap();
    for number in 0..40 {
        fs::write(root.path().join(format!("d/{number}")), format!("file {number}")).unwrap();
    }
    for protocol in ["http", "sftp"] {
        let root = root.path().to_str().unwrap();
        let serve = ["serve", "files", "--protocol", protocol, "--root", root];
        let stage = crate::support::Stage::run(&serve);
        let from = stage.address("files").to_string();
        let servers = &stage.json(&["ps"])["stage"]["servers"];
        let hint = servers[0]["command"].as_str().unwrap();
        assert!(hint.starts_with(if protocol == "sftp" { "sftp -D" } else { "curl" }), "{hint}");
        let fetch = ["fetch", "--from", &from, "--protocol", protocol, "--parallel", "1,4", "/d/"];
        let told = stage.json(&[&fetch[..], &["--into", into.path().to_str().unwrap()]].concat());
        assert_eq!(told[1]["parallel"], 4, "{told}");
        assert_eq!((&told[1]["files"], &told[1]["bytes"]), (&40.into(), &270.into()), "{told}");
        for number in 0..40 {
            let fetched = into.path().join(number.to_string());
            assert_eq!(fs::read_to_string(&fetched).unwrap(), format!("file {number}"));
            fs::remove_file(fetched).unwrap();
        }
        let missing = refused(&["fetch", "--from", &from, "--protocol", protocol, "/none"]);
        assert!(missing.contains("/none"), "{missing}");
    }
}

#[test]
fn mount_hints_name_the_addresses_and_whether_the_program_is_here() {
    let hints = palco()
        .args(["files", "mount-hints", "--http", "127.0.0.1:1234", "--sftp", "127.0.0.1:5678"])
        .args(["--at", "/there", "--json"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let hints: serde_json::Value = serde_json::from_slice(&hints.stdout).unwrap();
    let hints = hints.as_array().unwrap();
    assert!(hints.iter().all(|hint| hint["is_here"] == false && hint["package"] != ""));
    let of = |part: &str| hints.iter().any(|hint| hint["command"].as_str().unwrap().contains(part));
    assert!(of("http://127.0.0.1:1234/") && of("directport=5678,reconnect 127.0.0.1:/ /there"));
}

#[test]
fn a_proxy_listens_only_on_loopback() {
    let everybody = ["files", "proxy", "--to", "127.0.0.1:1", "--listen", "0.0.0.0:0"];
    assert!(refused(&everybody).contains("let the proxy listen on loopback"));
}

#[test]
fn appends_through_kills_are_counted() {
    let output = palco().args(["bench", "appends", "--kills", "3", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told[0]["with_keys"], &told[1]["with_keys"]), (&true.into(), &false.into()));
    for outcome in told.as_array().unwrap() {
        assert_eq!((&outcome["kills"], &outcome["lost"]), (&3.into(), &0.into()), "{told}");
    }
    assert_eq!(told[0]["doubled"], 0, "{told}");
}
