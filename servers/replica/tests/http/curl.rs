//! curl, unchanged.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::gateway::Gateway;

impl Gateway {
    /// What curl writes: the body, and the status after it.
    fn curl(&self, arguments: &[&str], path: &str) -> String {
        let mut command = self.command(arguments, path);
        let output = command.arg("-w").arg("[%{http_code}]").output().expect("curl is there");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?} {path}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn command(&self, arguments: &[&str], path: &str) -> Command {
        let mut command = Command::new("curl");
        command.args(["-sS", "--noproxy", "*"]).args(arguments).stdin(Stdio::null());
        command.arg(format!("http://{}{path}", self.running.address()));
        command
    }
}

#[test]
fn curl_puts_gets_and_deletes() {
    let gateway = Gateway::start();
    let path = "/v1/registers/greeting";
    assert!(gateway.curl(&[], path).ends_with("[404]"));
    assert_eq!(gateway.curl(&["-X", "PUT", "--data-binary", "olá"], path), "[204]");
    assert_eq!(gateway.curl(&[], path), "olá[200]");
    let head = gateway.curl(&["-I"], path);
    assert!(head.contains("etag: \"") && head.ends_with("[200]"), "{head}");
    assert_eq!(gateway.curl(&["-X", "DELETE"], path), "[204]");
    assert!(gateway.curl(&[], path).ends_with("[404]"));
}

#[test]
fn curl_sends_a_file_of_the_largest_size_and_is_told_when_it_is_larger() {
    let gateway = Gateway::start();
    let directory = std::env::temp_dir().join(format!("palco-http-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("value");
    let path = "/v1/registers/file";
    for (bytes, status) in [(1 << 20, "[204]"), ((1 << 20) + 1, "[413]")] {
        std::fs::File::create(&file).unwrap().write_all(&vec![b'x'; bytes]).unwrap();
        // With a length, which curl asks about before it sends the body, and without.
        for header in ["X-Length: known", "Transfer-Encoding: chunked"] {
            let said = gateway.curl(&["-T", file.to_str().unwrap(), "-H", header], path);
            assert!(said.ends_with(status), "{header}: {said}");
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn curl_compares_and_swaps() {
    let gateway = Gateway::start();
    let path = "/v1/registers/cas:x";
    let put = |header: &str, value: &str| {
        gateway.curl(&["-X", "PUT", "-H", header, "--data-binary", value], path)
    };
    assert_eq!(put("If-None-Match: *", "1"), "[201]");
    assert_eq!(put("If-Match: \"1\"", "2"), "[204]");
    let failed = put("If-Match: \"1\"", "3");
    assert!(failed.contains("precondition-failed") && failed.ends_with("[412]"), "{failed}");
    assert_eq!(gateway.curl(&[], path), "2[200]");
}

#[test]
fn curl_watches() {
    let gateway = Gateway::start();
    let path = "/v1/registers/x";
    let mut stream = gateway
        .command(&["-N", "-H", "Accept: text/event-stream"], path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(stream.stdout.take().unwrap()).lines();
    let mut find = |text: &str| {
        while !lines.next().expect("the stream goes on").unwrap().contains(text) {}
    };
    find("\"value\":null");
    assert_eq!(gateway.curl(&["-X", "PUT", "--data-binary", "1"], path), "[204]");
    find("\"value\":\"1\"");
    assert_eq!(gateway.curl(&[], "/v1/registers/x?watch=0&timeout=30s"), "1[200]");
    stream.kill().unwrap();
    stream.wait().unwrap();
}
