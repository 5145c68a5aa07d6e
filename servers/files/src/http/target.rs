//! The request target as path segments that cannot leave a directory.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::Status;

/// Everything but the unreserved characters of RFC 3986, so the result is safe in a path, a field and a page.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A file name as it stands in a URL.
pub(super) fn encode(name: &[u8]) -> String {
    percent_encode(name, SEGMENT).to_string()
}

/// A path: plain names, each without a slash or NUL, none of them starting with a dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    segments: Vec<Vec<u8>>,
    /// It ended in a slash.
    directory: bool,
}

impl Target {
    /// Reads the origin form or the absolute form (RFC 9112 section 3.2); the query is dropped.
    ///
    /// Each segment is decoded on its own, so an encoded slash never separates. Fails with 400 for what is no path,
    /// and with 404 for a name that no visible file has.
    pub(super) fn parse(target: &str) -> Result<Self, Status> {
        let path = origin(target).ok_or(Status::BadRequest)?;
        let path = path.split('?').next().unwrap_or_default();
        let segments: Result<Vec<_>, _> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
        let segments = segments?;
        if segments.iter().any(|name| name.starts_with(b".") || name.contains(&b'/')) {
            return Err(Status::NotFound);
        }
        Ok(Self { segments, directory: path.ends_with('/') })
    }

    pub(super) fn is_directory(&self) -> bool {
        self.directory
    }

    pub(super) fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// The path below the root.
    pub(super) fn path(&self) -> PathBuf {
        self.segments.iter().map(|name| OsStr::from_bytes(name)).collect()
    }

    /// The URL path of the directory of this name. Built anew from the segments, so `//host` cannot survive.
    pub(super) fn directory_url(&self) -> String {
        let mut url = String::from("/");
        for name in &self.segments {
            url.push_str(&encode(name));
            url.push('/');
        }
        url
    }

    /// For people to read.
    pub(super) fn display(&self) -> String {
        let mut text = String::from("/");
        for name in &self.segments {
            text.push_str(&String::from_utf8_lossy(name));
            text.push('/');
        }
        text
    }
}

/// The path and query of a target; `None` if it has neither form.
fn origin(target: &str) -> Option<&str> {
    if target.starts_with('/') {
        return Some(target);
    }
    let (scheme, rest) = target.split_once("://")?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let start = rest.find(['/', '?']).unwrap_or(rest.len());
    Some(if rest[start..].starts_with('/') { &rest[start..] } else { "/" })
}

/// Percent-decodes strictly: every `%` has two digits, and nothing is NUL.
fn decode(segment: &str) -> Result<Vec<u8>, Status> {
    let mut after_percent = segment.split('%');
    after_percent.next();
    let valid = after_percent
        .all(|text| text.len() >= 2 && text.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()));
    let decoded: Vec<u8> = percent_decode(segment.as_bytes()).collect();
    if valid && !decoded.contains(&0) { Ok(decoded) } else { Err(Status::BadRequest) }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn segments_are_decoded_one_by_one() {
        let target = Target::parse("/a%20b//c%C3%A9/?x=/../y").unwrap();
        assert_eq!(target.path(), Path::new("a b/cé"));
        assert!(target.is_directory());
        assert_eq!(target.directory_url(), "/a%20b/c%C3%A9/");
    }

    #[test]
    fn an_absolute_uri_is_its_path() {
        for (uri, path) in [("http://h:1/a", "a"), ("HTTPS://h", ""), ("http://h?q", "")] {
            assert_eq!(Target::parse(uri).unwrap().path(), Path::new(path), "{uri}");
        }
    }

    #[test]
    fn what_is_no_path_is_a_bad_request() {
        for target in ["", "*", "a", "ftp://h/a", "/%", "/%4", "/%zz", "/%00", "/a%0"] {
            assert_eq!(Target::parse(target), Err(Status::BadRequest), "{target}");
        }
    }

    #[test]
    fn dots_and_encoded_slashes_are_no_names() {
        for target in ["/..", "/a/../b", "/%2e%2e/b", "/.hidden", "/a%2fb", "/%2e%2e%2fb", "/."] {
            assert_eq!(Target::parse(target), Err(Status::NotFound), "{target}");
        }
    }

    proptest! {
        #[test]
        fn a_path_has_only_plain_components(target in "/[a./%2eEfF0\\\\?]{0,30}") {
            if let Ok(target) = Target::parse(&target) {
                let path = target.path();
                let plain = |component| matches!(component, Component::Normal(_));
                prop_assert!(path.components().all(plain), "{path:?}");
            }
        }
    }
}
