//! What the answers of an HTTP server of files mean.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::super::transport::{Chunk, Span};
use super::super::{Entry, FileError, FileKind, Listing, Metadata, Version};
use super::BUSY_PAUSE;
use crate::http::Response;

/// What the server says of an append whose key another attempt still has.
const BEING_SERVED: &str = "is being served";

/// After how long to ask again, if the server wants it so: it is too busy, or is still at the same append.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let is_busy = match response.status {
        503 => true,
        409 => String::from_utf8_lossy(&response.body).contains(BEING_SERVED),
        _ => false,
    };
    let seconds = response.header("Retry-After").and_then(|seconds| seconds.trim().parse().ok());
    is_busy.then(|| seconds.map_or(BUSY_PAUSE, Duration::from_secs))
}

/// What the head of an answer to `HEAD` or `GET` says of the file.
pub(super) fn metadata(
    what: &'static str,
    path: &str,
    response: &Response,
) -> Result<Metadata, FileError> {
    match response.status {
        // A directory is asked for with a slash.
        301 => Ok(of_directory()),
        200 => {
            let size = response.header("Content-Length").and_then(|length| length.parse().ok());
            let size = size.ok_or_else(|| FileError::unexpected(path, "it has no length"))?;
            Ok(of_file(response, size))
        }
        _ => Err(refused(what, path, response)),
    }
}

fn of_file(response: &Response, size: u64) -> Metadata {
    let modified = response.header("Last-Modified");
    Metadata {
        kind: FileKind::File,
        size,
        modified: modified.and_then(|date| httpdate::parse_http_date(date).ok()),
        version: Version::of_tag(response.header("ETag")),
    }
}

pub(super) fn of_directory() -> Metadata {
    let version = Version::missing();
    Metadata { kind: FileKind::Directory, size: 0, modified: None, version }
}

pub(super) fn directory(what: &'static str, path: &str) -> FileError {
    FileError::Refused { what, path: path.to_owned(), text: "it is a directory".to_owned() }
}

/// What an answer to a `GET` with one range holds.
pub(super) fn chunk(path: &str, span: Span, response: Response) -> Result<Chunk, FileError> {
    let wrong = |why: &str| FileError::unexpected(path, why);
    let range = response.header("Content-Range").map(str::to_owned);
    let (start, whole) = match response.status {
        200 => (0, response.body.len() as u64),
        206 => {
            let range = range.as_deref().and_then(content_range);
            range.ok_or_else(|| wrong("it says 206 without one range"))?
        }
        // Nothing is there, so the file ends before.
        416 => return Ok(Chunk { is_end: true, ..Chunk::default() }),
        301 => return Err(directory("a read", path)),
        _ => return Err(refused("a read", path, &response)),
    };
    let metadata = of_file(&response, whole);
    let body = Bytes::from(response.body);
    let skipped = span.offset.checked_sub(start).ok_or_else(|| wrong("it has another range"))?;
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(body.len());
    let end = skipped.saturating_add(span.length).min(body.len());
    let bytes = body.slice(skipped..end);
    let is_end = span.offset.saturating_add(bytes.len() as u64) >= whole;
    if bytes.is_empty() && !is_end {
        return Err(wrong("it has none of the range"));
    }
    Ok(Chunk { bytes, is_end, metadata: Some(metadata) })
}

/// `bytes 5-9/20`: where it begins, and of how many bytes it is a part.
fn content_range(field: &str) -> Option<(u64, u64)> {
    let (range, whole) = field.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, whole.trim().parse().ok()?))
}

/// Whether a change was made.
pub(super) fn done(what: &'static str, path: &str, response: &Response) -> Result<(), FileError> {
    match response.status {
        200..300 => Ok(()),
        _ => Err(refused(what, path, response)),
    }
}

#[derive(Deserialize)]
struct Appended {
    offset: u64,
}

/// Where an append went.
pub(super) fn appended(path: &str, response: &Response) -> Result<u64, FileError> {
    let appended: Result<Appended, _> = serde_json::from_slice(&response.body);
    let appended = appended.map_err(|error| FileError::unexpected(path, error.to_string()))?;
    Ok(appended.offset)
}

#[derive(Deserialize)]
struct Directory {
    entries: Vec<DirectoryEntry>,
    more: u64,
}

#[derive(Deserialize)]
struct DirectoryEntry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    bytes: Option<u64>,
    modified: Option<String>,
}

/// A directory as JSON.
pub(super) fn listing(path: &str, response: &Response) -> Result<Listing, FileError> {
    if response.status != 200 {
        return Err(refused("a listing", path, response));
    }
    let is_json = |media: &str| media.starts_with("application/json");
    if !response.header("Content-Type").is_some_and(is_json) {
        let text = "the server shows its index.html in its place".to_owned();
        return Err(FileError::Refused { what: "a listing", path: path.to_owned(), text });
    }
    let directory: Result<Directory, _> = serde_json::from_slice(&response.body);
    let directory = directory.map_err(|error| FileError::unexpected(path, error.to_string()))?;
    let entry = |entry: DirectoryEntry| Entry {
        name: entry.name,
        kind: if entry.kind == "directory" { FileKind::Directory } else { FileKind::File },
        size: entry.bytes.unwrap_or(0),
        modified: entry.modified.and_then(|date| httpdate::parse_http_date(&date).ok()),
    };
    let mut entries: Vec<Entry> = directory.entries.into_iter().map(entry).collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Listing { entries, is_complete: directory.more == 0 })
}

/// Characters of an answer that an error repeats.
const TEXT_CHARS_MAX: usize = 160;

fn refused(what: &'static str, path: &str, response: &Response) -> FileError {
    let path = path.to_owned();
    let body = String::from_utf8_lossy(&response.body);
    let words: String = body
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(TEXT_CHARS_MAX)
        .collect();
    let text = format!("{} {} {words}", response.status, response.reason).trim_end().to_owned();
    match response.status {
        404 | 410 => FileError::NotFound { path },
        401 | 403 => FileError::Denied { path, text },
        _ => FileError::Refused { what, path, text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, fields: &[(&str, &str)], body: &str) -> Response {
        let field = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let headers = fields.iter().map(field).collect();
        Response { status, reason: String::new(), headers, body: body.into() }
    }

    const SPAN: Span = Span { offset: 5, length: 3, metadata: false };

    #[test]
    fn a_part_is_cut_to_what_was_asked_for() {
        let part = response(206, &[("Content-Range", "bytes 5-7/20")], "abc");
        let found = chunk("p", SPAN, part).unwrap();
        assert_eq!((&found.bytes[..], found.is_end), (&b"abc"[..], false));
        assert_eq!(found.metadata.unwrap().size, 20);
        let last = response(206, &[("Content-Range", "bytes 5-6/7")], "ab");
        assert!(chunk("p", SPAN, last).unwrap().is_end);
        let whole = chunk("p", SPAN, response(200, &[], "0123456789")).unwrap();
        assert_eq!((&whole.bytes[..], whole.is_end), (&b"567"[..], false));
        let behind = chunk("p", SPAN, response(416, &[], "")).unwrap();
        assert!(behind.bytes.is_empty() && behind.is_end);
        assert!(chunk("p", SPAN, response(200, &[], "0123")).unwrap().is_end);
    }

    #[test]
    fn parts_that_are_none_are_refused() {
        for (range, body) in [("bytes 6-8/20", "abc"), ("bytes */20", ""), ("bytes 5-7/20", "")] {
            let part = response(206, &[("Content-Range", range)], body);
            assert!(matches!(chunk("p", SPAN, part), Err(FileError::Unexpected { .. })), "{range}");
        }
        assert!(chunk("p", SPAN, response(206, &[], "abc")).is_err());
        assert!(matches!(
            chunk("p", SPAN, response(404, &[], "")),
            Err(FileError::NotFound { .. })
        ));
    }

    #[test]
    fn a_server_that_is_busy_is_asked_again() {
        let serving = "A request with this idempotency key is being served; try again later.";
        assert_eq!(retry_after(&response(409, &[], serving)), Some(BUSY_PAUSE));
        assert_eq!(retry_after(&response(409, &[], "There is no directory for it.")), None);
        let busy = response(503, &[("Retry-After", "2")], "");
        assert_eq!(retry_after(&busy), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(&response(503, &[], "")), Some(BUSY_PAUSE));
        assert_eq!(retry_after(&response(200, &[], "")), None);
    }
}
