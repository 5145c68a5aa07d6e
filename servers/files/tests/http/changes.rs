//! HTTP: files that clients make, replace and remove.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use palco_files::http::{Config, HttpCodec, HttpService};
use palco_service::Farewell;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::files::Answer;
use crate::support::{Connection, TestHost, play};

/// A directory that clients may change: `file` is "old", `dir` is a directory.
pub(crate) struct Desk {
    _directory: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) service: HttpService,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(|config| config)
    }

    pub(crate) fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_owned();
        fs::write(root.join("file"), "old").unwrap();
        fs::create_dir(root.join("dir")).unwrap();
        let config = Config { durable: false, ..Config::read_write(&root) };
        let service = HttpService::new(change(config)).unwrap();
        Self { _directory: directory, root, service }
    }

    /// The same directory, served by another server.
    pub(crate) fn reopened(self) -> Self {
        let service = HttpService::new(Config::read_write(&self.root)).unwrap();
        Self { service, ..self }
    }

    /// Sends a request on a connection of its own.
    pub(crate) fn ask(&self, line: &str, fields: &str, content: &str) -> Answer {
        let length = content.len();
        self.say(&format!(
            "{line} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n{fields}\r\n{content}"
        ))
    }

    pub(crate) fn say(&self, request: &str) -> Answer {
        let host = TestHost::default();
        let mut connection = Connection::open(&self.service, HttpCodec::default(), &host);
        Answer::only(&connection.ask(request))
    }

    pub(crate) fn file(&self) -> String {
        fs::read_to_string(self.root.join("file")).unwrap()
    }

    /// The tag of the file, as soon as it is strong.
    fn tag(&self) -> String {
        loop {
            let tag = self.ask("HEAD /file", "", "").field("ETag").unwrap().to_owned();
            if !tag.starts_with("W/") {
                return tag;
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&self.root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[test]
fn put_makes_and_replaces_and_delete_removes() {
    let desk = Desk::new();
    assert_eq!(desk.ask("PUT /new%20one", "", "first").status, 201);
    assert_eq!(fs::read_to_string(desk.root.join("new one")).unwrap(), "first");
    assert_eq!(desk.ask("PUT /file", "", "new").status, 204);
    assert_eq!(desk.file(), "new");
    assert_eq!(desk.ask("PUT /file", "", "").status, 204);
    assert_eq!(desk.file(), "");
    assert_eq!(desk.ask("DELETE /file", "", "").status, 204);
    assert_eq!(desk.ask("DELETE /file", "", "").status, 404);
    assert_eq!(desk.ask("DELETE /dir", "", "").status, 405);
    assert_eq!(desk.names(), [".palco", "dir", "new one"]);
}

#[test]
fn what_cannot_be_a_file_is_refused_and_nothing_changes() {
    let desk = Desk::new();
    symlink("file", desk.root.join("link")).unwrap();
    let before = desk.names();
    let long = "x".repeat(300);
    for (target, status) in [
        ("/", 405),
        ("/dir", 405),
        ("/dir/", 405),
        ("/none/file", 409),
        ("/file/below", 409),
        ("/link", 409),
        ("/../file", 404),
        ("/%2e%2e/file", 404),
        ("/.hidden", 404),
        ("/.palco/lock", 404),
        ("/a%2fb", 404),
        ("/nul%00", 400),
        ("*", 400),
        (&format!("/{long}"), 404),
    ] {
        let answer = desk.ask(&format!("PUT {target}"), "", "content");
        assert_eq!(answer.status, status, "{target}");
    }
    let partial = desk.ask("PUT /file", "Content-Range: bytes 0-2/9\r\n", "new");
    assert_eq!(partial.status, 400);
    let target = "x".repeat(64 << 10);
    assert_eq!(desk.say(&format!("PUT /{target} HTTP/1.1\r\nHost: h\r\n\r\n")).status, 414);
    assert_eq!((desk.names(), desk.file().as_str()), (before, "old"));
}

#[test]
fn a_change_happens_only_to_the_version_that_is_meant() {
    let desk = Desk::new();
    let tag = desk.tag();
    assert_eq!(desk.ask("PUT /file", "If-Match: \"other\"\r\n", "lost").status, 412);
    assert_eq!(desk.ask("PUT /file", &format!("If-None-Match: {tag}\r\n"), "lost").status, 412);
    assert_eq!(desk.ask("PUT /file", "If-None-Match: *\r\n", "lost").status, 412);
    assert_eq!(desk.ask("PUT /file", "If-Match: other\r\n", "lost").status, 400);
    assert_eq!(desk.ask("PUT /none", "If-Match: *\r\n", "lost").status, 412);
    assert_eq!(desk.ask("DELETE /file", "If-Match: \"other\"\r\n", "").status, 412);
    assert_eq!(desk.file(), "old");
    assert_eq!(desk.ask("GET /file", &format!("If-None-Match: {tag}\r\n"), "").status, 304);
    let matches = format!("If-Match: \"other\", {tag}\r\n");
    assert_eq!(desk.ask("PUT /file", &matches, "new").status, 204);
    assert_eq!(desk.ask("PUT /file", &matches, "lost update").status, 412);
    assert_eq!(desk.file(), "new");
    assert_eq!(desk.ask("PUT /first", "If-None-Match: *\r\n", "1").status, 201);
    assert_eq!(desk.ask("PUT /first", "If-None-Match: *\r\n", "2").status, 412);
    assert_eq!(desk.ask("DELETE /file", &format!("If-Match: {}\r\n", desk.tag()), "").status, 204);
}

#[test]
fn conditions_can_be_required() {
    let desk = Desk::with(|config| Config { conditions_required: true, ..config });
    assert_eq!(desk.ask("PUT /file", "", "blind").status, 428);
    assert_eq!(desk.ask("DELETE /file", "", "").status, 428);
    assert_eq!(desk.ask("PUT /new", "", "1").status, 201);
    assert_eq!(desk.ask("PUT /file", &format!("If-Match: {}\r\n", desk.tag()), "new").status, 204);
}

#[test]
fn a_range_of_the_same_version_is_known_by_its_tag() {
    let desk = Desk::new();
    let tag = desk.tag();
    for (same, status) in [(tag.clone(), 206), (format!("W/{tag}"), 200), ("\"x\"".into(), 200)] {
        let fields = format!("Range: bytes=1-1\r\nIf-Range: {same}\r\n");
        assert_eq!(desk.ask("GET /file", &fields, "").status, status, "{same}");
    }
}

#[test]
fn several_ranges_are_several_parts() {
    let desk = Desk::new();
    fs::write(desk.root.join("file"), "0123456789").unwrap();
    let answer = desk.ask("GET /file", "Range: bytes=7-8,0-1,-1\r\n", "");
    assert_eq!(answer.status, 206);
    let media = answer.field("Content-Type").unwrap();
    let boundary = media.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let parts: Vec<_> = answer.body.split(&format!("\r\n--{boundary}")).collect();
    assert_eq!(parts.len(), 5, "{}", answer.body);
    for (part, (range, content)) in
        parts[1..].iter().zip([("7-8", "78"), ("0-1", "01"), ("9-9", "9")])
    {
        assert!(part.contains(&format!("Content-Range: bytes {range}/10\r\n")), "{part}");
        assert!(part.ends_with(&format!("\r\n\r\n{content}")), "{part}");
    }
    assert_eq!(parts[4], "--\r\n");
    let bomb = format!("Range: bytes={}\r\n", "0-,".repeat(16));
    let answer = desk.ask("GET /file", &bomb, "");
    assert_eq!((answer.status, answer.body.as_str()), (200, "0123456789"));
}

#[test]
fn content_comes_in_chunks_and_after_an_invitation() {
    let desk = Desk::new();
    let chunked = "PUT /file HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
    let answer = desk.say(&format!("{chunked}\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"));
    assert_eq!((answer.status, desk.file().as_str()), (204, "abcde"));
    assert_eq!(desk.say(&format!("{chunked}\r\n3\r\nabcX")).status, 400);
    assert_eq!(desk.say(&format!("{chunked}Content-Length: 3\r\n\r\nabc")).status, 400);
    assert_eq!(desk.say("PUT /file HTTP/1.1\r\nHost: h\r\n\r\n").status, 411);
    assert_eq!(desk.file(), "abcde");

    let host = TestHost::default();
    let mut connection = Connection::open(&desk.service, HttpCodec::default(), &host);
    let head = "PUT /file HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";
    assert_eq!(connection.ask(format!("{head}\r\n")), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(Answer::only(&connection.ask("again")).status, 204);
    let refused = connection.ask(format!("{head}If-Match: \"no\"\r\n\r\n"));
    assert_eq!(Answer::only(&refused).status, 412);
    assert!(connection.closed, "nobody knows whether the content comes");
    assert_eq!(desk.ask("PUT /file", "Expect: more\r\n", "x").status, 417);
    assert_eq!(desk.file(), "again");
}

#[test]
fn an_upload_that_ends_early_leaves_nothing() {
    let desk = Desk::new();
    let before = desk.names();
    let host = TestHost::default();
    let mut connection = Connection::open(&desk.service, HttpCodec::default(), &host);
    let half = "PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhalf";
    assert_eq!(connection.ask(half), "");
    assert_eq!(desk.names(), before);
    drop(connection);
    assert_eq!((desk.names(), desk.file().as_str()), (before, "old"));
}

#[test]
fn content_that_is_too_large_is_refused_announced_or_not() {
    let desk = Desk::with(|config| Config { content_bytes_max: 4, ..config });
    assert_eq!(desk.ask("PUT /file", "", "12345").status, 413);
    let chunked = "PUT /file HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = desk.say(&format!("{chunked}5\r\n12345"));
    assert_eq!((answer.status, answer.field("Connection")), (413, Some("close")));
    assert_eq!(desk.file(), "old");
    let desk = Desk::with(|config| Config { content_bytes_max: u64::MAX, ..config });
    let huge = "PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n";
    assert_eq!(desk.say(huge).status, 507);
}

#[test]
fn methods_are_named() {
    let all = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
    let desk = Desk::new();
    let answer = desk.ask("OPTIONS *", "", "");
    assert_eq!((answer.status, answer.field("Allow")), (204, Some(all)));
    assert_eq!(desk.ask("PATCH /file", "", "").field("Allow"), Some(all));
}

#[test]
fn a_listing_comes_as_json_to_who_wants_it() {
    let desk = Desk::new();
    let answer = desk.ask("GET /", "Accept: application/json\r\n", "");
    assert_eq!(answer.field("Content-Type"), Some("application/json"));
    for part in [r#""name":"file""#, r#""bytes":3"#, r#""type":"directory""#, r#""href":"dir/""#] {
        assert!(answer.body.contains(part), "{part} in {}", answer.body);
    }
    assert!(!answer.body.contains(".palco"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn content_is_the_same_in_chunks_or_whole_however_it_is_cut(
        content in prop::collection::vec(any::<u8>(), 0..3000),
        chunk in 1_usize..700,
        cuts in prop::collection::vec(1_usize..400, 1..8),
    ) {
        let desk = Desk::new();
        let mut chunked = b"PUT /chunked HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in content.chunks(chunk) {
            chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunked.extend_from_slice(chunk);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        let length = content.len();
        let head = format!("PUT /whole HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        let bytes = [&chunked, head.as_bytes(), &content].concat();
        let seen = play(&desk.service, HttpCodec::default(), &bytes, &cuts);
        let text = String::from_utf8(seen.output).unwrap();
        let status: Vec<_> = Answer::all(&text).iter().map(|answer| answer.status).collect();
        prop_assert_eq!(status, [201, 201]);
        prop_assert!(fs::read(desk.root.join("chunked")).unwrap() == content);
        prop_assert!(fs::read(desk.root.join("whole")).unwrap() == content);
    }

    #[test]
    fn any_bytes_behind_a_head_are_survived(
        bytes in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(b"0123aF\r\n\r\n;: ".to_vec()), 1 => any::<u8>()
        ], 0..200),
        cuts in prop::collection::vec(1_usize..40, 1..8),
        is_chunked in any::<bool>(),
    ) {
        let desk = Desk::new();
        let framing = if is_chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 60" };
        let head = format!("PUT /file HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n");
        let bytes = [head.as_bytes(), &bytes].concat();
        let whole = play(&desk.service, HttpCodec::default(), &bytes, &[usize::MAX]);
        let cut = play(&desk.service, HttpCodec::default(), &bytes, &cuts);
        prop_assert_eq!(whole, cut);
        // Whole or not at all.
        let file = fs::read(desk.root.join("file")).unwrap();
        prop_assert!(file == b"old" || is_chunked || file.len() == 60);
    }
}

#[test]
fn last_words_in_the_middle_of_content_are_a_response() {
    let desk = Desk::new();
    let host = TestHost::default();
    let mut connection = Connection::open(&desk.service, HttpCodec::default(), &host);
    connection.ask("PUT /file HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhalf");
    let words =
        crate::support::farewell::<HttpService, _>(&HttpCodec::default(), &Farewell::Interrupted);
    assert_eq!(Answer::only(&words).status, 503);
}
