//! `palco serve files` and real clients: curl and wget, unchanged. Behind feature `real-clients`, for they must be there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::Stage;

/// Every place, and every model once.
const CELLS: [(&str, &str); 4] = [
    ("per-connection", "task"),
    ("team", "thread"),
    ("team", "process"),
    ("per-connection", "process"),
];

/// Appends whose server is killed meanwhile.
const APPENDS: usize = 60;

/// More than any buffer on the way holds.
const LARGE_BYTES: usize = 5_000_000;

struct Served {
    stage: Stage,
    root: TempDir,
    /// Where the clients keep what is theirs.
    own: TempDir,
}

impl Served {
    fn new(model: &str, place: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let stage = start(root.path(), "127.0.0.1:0", model, place);
        Self { stage, root, own: tempfile::tempdir().unwrap() }
    }

    fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.stage.address("files"))
    }

    fn served(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A file of the client.
    fn own(&self, name: &str) -> String {
        self.own.path().join(name).to_str().unwrap().to_owned()
    }
}

fn start(root: &Path, listen: &str, model: &str, place: &str) -> Stage {
    let root = root.to_str().unwrap();
    Stage::run(&[
        "serve", "files", "--root", root, "--listen", listen, "--model", model, "--place", place,
    ])
}

fn large() -> Vec<u8> {
    (0..LARGE_BYTES).map(|at| (at.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()[0]).collect()
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The status of what curl does with these arguments.
fn curl(arguments: &[&str]) -> String {
    let report = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"];
    let output = run("curl", &[&report, arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "curl {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn curl_uploads_and_downloads_what_is_larger_than_any_buffer() {
    for (model, place) in CELLS {
        let served = Served::new(model, place);
        let (up, url) = (served.own("up"), served.url("large"));
        fs::write(&up, large()).unwrap();
        // curl asks with `Expect: 100-continue` before so much.
        assert_eq!(curl(&["-T", &up, &url]), "201", "{model} {place}");
        assert!(fs::read(served.served("large")).unwrap() == large());
        let chunked = ["-T", &up, "-H", "Transfer-Encoding: chunked", &url];
        assert_eq!(curl(&chunked), "204", "{model} {place}");
        assert!(fs::read(served.served("large")).unwrap() == large());
        let down = served.own("down");
        assert!(run("curl", &["-sS", "-o", &down, &url]).status.success());
        assert!(fs::read(&down).unwrap() == large());
        assert_eq!(curl(&["-X", "DELETE", &url]), "204");
        assert_eq!(curl(&[&url]), "404");
    }
}

#[test]
fn curl_and_wget_resume_where_they_were_also_with_another_server() {
    let mut served = Served::new("per-connection", "task");
    fs::write(served.served("large"), large()).unwrap();
    let address = served.stage.address("files").to_string();
    let half = &large()[..LARGE_BYTES / 2];
    for (program, arguments) in
        [("curl", &["-sS", "-C", "-", "-o"][..]), ("wget", &["-q", "-c", "-O"])]
    {
        let (down, url) = (served.own(program), served.url("large"));
        fs::write(&down, half).unwrap();
        served.stage.kill("-KILL");
        served.stage.child.wait().unwrap();
        served.stage = start(served.root.path(), &address, "per-connection", "task");
        let output = run(program, &[arguments, &[&down, &url]].concat());
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::read(&down).unwrap() == large(), "{program}");
    }
}

#[test]
fn curl_gets_ranges_and_only_the_version_that_it_names() {
    let served = Served::new("per-connection", "task");
    fs::write(served.served("file"), "0123456789").unwrap();
    let url = served.url("file");
    let range = |ranges: &str| {
        String::from_utf8(run("curl", &["-sS", "--range", ranges, &url]).stdout).unwrap()
    };
    assert_eq!(range("2-4"), "234");
    assert_eq!(range("-3"), "789");
    let several = range("0-1,8-9");
    assert_eq!(several.matches("Content-Range: bytes ").count(), 2, "{several}");
    assert_eq!(curl(&["--range", "10-", &url]), "416");
    let new = served.own("new");
    fs::write(&new, "new").unwrap();
    assert_eq!(curl(&["-T", &new, "-H", "If-Match: \"another\"", &url]), "412");
    assert_eq!(curl(&["-T", &new, "-H", "If-None-Match: *", &url]), "412");
    assert_eq!(curl(&["-T", &new, "-H", "If-Match: *", &url]), "204");
    assert_eq!(curl(&["--path-as-is", "-T", &new, &served.url("../escape")]), "404");
}

#[test]
fn an_upload_that_is_cut_off_leaves_the_old_file_and_nothing_else() {
    let served = Served::new("per-connection", "task");
    fs::write(served.served("file"), "old").unwrap();
    let before = fs::read_dir(served.root.path()).unwrap().count();
    let address = served.stage.address("files").to_string();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    write!(stream, "PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\nhalf").unwrap();
    drop(stream);
    assert_eq!(curl(&[&served.url("file")]), "200");
    assert_eq!(fs::read_to_string(served.served("file")).unwrap(), "old");
    assert_eq!(fs::read_dir(served.root.path()).unwrap().count(), before);
}

/// The server is killed while appends come; every client tries again with its key until it has an answer.
#[test]
fn appends_are_neither_lost_nor_doubled_by_kills() {
    let mut served = Served::new("per-connection", "task");
    fs::write(served.served("log"), "").unwrap();
    let address = served.stage.address("files").to_string();
    let url = served.url("log");
    let client = std::thread::spawn(move || {
        for number in 0..APPENDS {
            let key = format!("Idempotency-Key: \"append {number}\"");
            let line = format!("line {number}\n");
            let append = ["-sS", "-f", "-o", "/dev/null", "-H", &key, "--data-binary", &line, &url];
            while !run("curl", &append).status.success() {}
        }
    });
    let mut kills = 0;
    while !client.is_finished() {
        let length = || fs::metadata(served.root.path().join("log")).unwrap().len();
        let before = length();
        // Killed when the file has just grown: in the middle of an append, or right behind it.
        while length() == before && !client.is_finished() {
            std::thread::yield_now();
        }
        served.stage.kill("-KILL");
        served.stage.child.wait().unwrap();
        served.stage = start(served.root.path(), &address, "per-connection", "task");
        kills += 1;
    }
    client.join().unwrap();
    assert!(kills > 3, "{kills}");
    let expected: String = (0..APPENDS).map(|number| format!("line {number}\n")).collect();
    assert_eq!(fs::read_to_string(served.served("log")).unwrap(), expected);
}
