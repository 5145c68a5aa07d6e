//! HTTP: files, directories, and what is outside them.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use bytes::BytesMut;
use palco_files::http::{HttpCodec, HttpService, PART_BYTES};
use palco_service::{CallContext, Codec, Farewell, Next, Peer, Service};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::support::{Connection, NOW, TestHost, farewell, play, ready};

/// What no response may contain.
const SECRET: &str = "the secret beside the root";

/// A directory to serve, with a secret beside it.
pub(crate) struct Site {
    _directory: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) service: HttpService,
}

impl Site {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let beside = directory.path();
        let root = beside.join("root");
        fs::create_dir_all(root.join("list/deeper")).unwrap();
        fs::create_dir_all(root.join("site")).unwrap();
        fs::create_dir_all(root.join(".hidden")).unwrap();
        fs::create_dir(beside.join("outside")).unwrap();
        fs::write(beside.join("secret.txt"), SECRET).unwrap();
        fs::write(beside.join("outside/secret.txt"), SECRET).unwrap();
        fs::write(root.join(".hidden/secret.txt"), SECRET).unwrap();
        fs::write(root.join(".secret.txt"), SECRET).unwrap();
        fs::write(root.join("hello.txt"), "Hello, world\n").unwrap();
        fs::write(root.join("empty"), "").unwrap();
        fs::write(root.join("site/index.html"), "<p>index</p>").unwrap();
        fs::write(root.join("list/<b> & \"c\".txt"), "odd").unwrap();
        fs::write(root.join("big.bin"), big()).unwrap();
        symlink("hello.txt", root.join("inside")).unwrap();
        symlink("../secret.txt", root.join("escape.txt")).unwrap();
        symlink("../outside", root.join("escape")).unwrap();
        symlink(".hidden", root.join("unhidden")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        age(&root.join("hello.txt"));
        age(&root.join("big.bin"));
        let service = HttpService::new(root.clone()).unwrap();
        Self { _directory: directory, root, service }
    }

    fn get(&self, target: &str) -> Answer {
        let host = TestHost::default();
        let mut connection = Connection::open(&self.service, HttpCodec::default(), &host);
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        Answer::only(&connection.ask(request))
    }
}

/// Last changed 1000 s before now.
fn age(path: &Path) {
    let time = UNIX_EPOCH + Duration::from_secs(NOW - 1000);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

fn big() -> Vec<u8> {
    (0..200_000_u32).map(|at| b'a' + (at % 23) as u8).collect()
}

/// One response as a client reads it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Splits responses by their lengths. None of them may answer a `HEAD` with a length, unless it is the last.
    pub(crate) fn all(mut text: &str) -> Vec<Self> {
        let mut answers = Vec::new();
        while !text.is_empty() {
            let (head, rest) = text.split_once("\r\n\r\n").expect("a head ends");
            let mut lines = head.split("\r\n");
            let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
            let fields = lines
                .map(|line| line.split_once(": ").expect("a field has a name"))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let mut answer =
                Self { status: status[..3].parse().unwrap(), fields, body: String::new() };
            let length: usize = answer.field("Content-Length").unwrap_or("0").parse().unwrap();
            let (body, rest) = rest.split_at(length.min(rest.len()));
            answer.body = body.to_owned();
            answers.push(answer);
            text = rest;
        }
        answers
    }

    pub(crate) fn only(text: &str) -> Self {
        let mut answers = Self::all(text);
        assert_eq!(answers.len(), 1, "{text}");
        answers.remove(0)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|field| field.0 == name);
        let value = found.next().map(|field| field.1.as_str());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }
}

#[test]
fn a_directory_is_its_index_or_a_listing() {
    let site = Site::new();
    assert_eq!(site.get("/site/").body, "<p>index</p>");
    let listing = site.get("/list/");
    assert_eq!(listing.status, 200);
    let odd = "<a href=\"%3Cb%3E%20%26%20%22c%22.txt\">&lt;b&gt; &amp; &quot;c&quot;.txt</a>";
    assert!(listing.body.contains(odd), "{}", listing.body);
    assert!(listing.body.contains("<a href=\"deeper/\">deeper/</a>"));
    assert!(listing.body.contains("<a href=\"../\">"));
    assert_eq!(site.get("/list/%3Cb%3E%20%26%20%22c%22.txt").body, "odd");
}

#[test]
fn a_listing_shows_exactly_what_would_be_served() {
    let site = Site::new();
    let page = site.get("/").body;
    let links: Vec<&str> =
        page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(links, ["list/", "site/", "big.bin", "empty", "hello.txt", "inside"]);
    for link in links {
        assert_eq!(site.get(&format!("/{link}")).status, 200, "{link}");
    }
}

#[test]
fn a_directory_without_its_slash_is_moved() {
    let site = Site::new();
    for target in ["/list", "//list", "http://other/list?x=//evil"] {
        let answer = site.get(target);
        assert_eq!((answer.status, answer.field("Location")), (301, Some("/list/")), "{target}");
    }
}

#[test]
fn what_is_outside_or_hidden_is_not_found() {
    let site = Site::new();
    for target in [
        "/nothing",
        "/hello.txt/",
        "/hello.txt/x",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%2fsecret.txt",
        "/list/../../secret.txt",
        "/escape.txt",
        "/escape/secret.txt",
        "/unhidden/secret.txt",
        "/.hidden/secret.txt",
        "/.secret.txt",
        "/loop",
        &format!("/{}", "x".repeat(300)),
    ] {
        assert_eq!(site.get(target).status, 404, "{target}");
    }
    for target in ["/%00", "/hello.txt%00", "/%zz", "*"] {
        assert_eq!(site.get(target).status, 400, "{target}");
    }
    assert_eq!(site.get("/inside").body, "Hello, world\n");
}

#[test]
fn a_large_file_is_read_in_parts() {
    let site = Site::new();
    let host = TestHost::default();
    let mut connection = Connection::open(&site.service, HttpCodec::default(), &host);
    let answer = Answer::only(&connection.ask("GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_eq!(answer.body.as_bytes(), big());
    assert!(connection.part_peak < PART_BYTES + 1000);
    assert!(host.blocks.get() <= 4, "once a part, and never for what is in memory");
    let range = "GET /big.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=1000-180000\r\n\r\n";
    let answer = Answer::only(&connection.ask(range));
    assert_eq!(answer.body.as_bytes(), &big()[1000..=180_000]);
    assert_eq!(site.get("/empty").body, "");
}

#[test]
fn a_file_that_shrinks_ends_the_connection_without_padding() {
    let site = Site::new();
    let host = TestHost::default();
    let cx = CallContext::new(&host);
    let mut codec = HttpCodec::default();
    let mut input = BytesMut::from(&b"GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n"[..]);
    let request = Codec::<HttpService>::decode(&mut codec, &mut input).unwrap().unwrap();
    site.service.open(&Peer::new("test:1"));
    let mut response = ready(site.service.call(&mut (), request, &cx));
    let mut output = BytesMut::new();
    let next = Codec::<HttpService>::encode(&mut codec, &mut response, &mut output);
    assert_eq!(next, Next::Keep);
    let written = output.len();

    File::options().write(true).open(site.root.join("big.bin")).unwrap().set_len(70_000).unwrap();

    assert!(ready(site.service.more(&mut response, &cx)));
    let next = Codec::<HttpService>::encode(&mut codec, &mut response, &mut output);
    assert_eq!(next, Next::Close);
    assert_eq!(output.len(), written);
    assert!(!ready(site.service.more(&mut response, &cx)));
    assert_eq!(farewell::<HttpService, _>(&codec, &Farewell::Interrupted), "");
}

#[test]
fn a_file_from_before_1970_has_no_date() {
    let site = Site::new();
    let path = site.root.join("hello.txt");
    let time = UNIX_EPOCH - Duration::from_secs(1000);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    let answer = site.get("/hello.txt");
    assert_eq!((answer.status, answer.field("Last-Modified")), (200, None));
    assert_eq!(site.get("/").status, 200);
}

/// Paths made of what attacks are made of.
fn nasty_path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/",
        "//",
        "/./",
        "..",
        "../",
        "/..",
        "%2e",
        "%2E%2e",
        "%2f",
        "%2F",
        "%5c",
        "\\",
        "%00",
        "%252e",
        "%c0%ae",
        "?",
        "#",
        ";",
        "~",
        "%",
        "secret.txt",
        "root",
        "outside",
        "escape",
        "escape.txt",
        "unhidden",
        ".hidden",
        ".secret.txt",
        "list",
        "site",
        "hello.txt",
        "inside",
        "http://h/",
        "file://",
        "proc/self/root",
    ]);
    let piece = prop_oneof![4 => piece.prop_map(String::from), 1 => "[!-~]{1,3}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Whether a request for this target brings the secret to light.
fn leaks(site: &Site, target: &str) -> bool {
    let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
    let seen = play(&site.service, HttpCodec::default(), request.as_bytes(), &[usize::MAX]);
    String::from_utf8_lossy(&seen.output).contains(SECRET)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_path_leads_out_of_the_root(paths in prop::collection::vec(nasty_path(), 20)) {
        let site = Site::new();
        let beside = site.root.parent().unwrap().display().to_string();
        for path in paths {
            for target in [format!("/{path}"), path.clone(), format!("/{path}{beside}/secret.txt")] {
                prop_assert!(!leaks(&site, &target), "{}", target);
            }
        }
    }
}

#[test]
fn the_search_for_leaks_finds_one() {
    let site = Site::new();
    fs::copy(site.root.join("../secret.txt"), site.root.join("leak.txt")).unwrap();
    assert!(leaks(&site, "/leak.txt"));
}
