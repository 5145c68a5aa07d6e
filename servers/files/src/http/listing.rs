//! A directory as a page, or as JSON.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use nix::dir::Dir;
use serde_json::json;

use super::conditions::http_date;
use super::response::escape;
use super::target::{Target, encode};
use crate::Tree;

/// The most entries that a listing shows: 10 000. It says how many there are beyond.
pub const LISTING_ENTRIES_MAX: usize = 10_000;

/// One line of a listing. Ordered as shown: directories first, then by the bytes of the name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    is_file: bool,
    name: Vec<u8>,
    length: u64,
    modified: Option<SystemTime>,
}

/// What is shown of a directory.
pub(super) struct Listing {
    entries: Vec<Entry>,
    /// How many are not shown.
    more: usize,
}

impl Listing {
    /// Reads the open directory that is at `path`. Blocks.
    pub(super) fn read(tree: &Tree, path: &Path, directory: File) -> io::Result<Self> {
        let mut listing = Self { entries: Vec::new(), more: 0 };
        for entry in Dir::from_fd(directory.into())?.iter() {
            let name = entry?.file_name().to_bytes().to_vec();
            let Some(entry) = visible(tree, path, name) else { continue };
            if listing.entries.len() < LISTING_ENTRIES_MAX {
                listing.entries.push(entry);
            } else {
                listing.more += 1;
            }
        }
        listing.entries.sort();
        Ok(listing)
    }

    /// For people. `target` is what they have asked for.
    pub(super) fn page(&self, target: &Target) -> String {
        let title = escape(&target.display());
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <title>Index of {title}</title>\n<h1>Index of {title}</h1>\n<table>\n\
             <tr><th>Name</th><th>Bytes</th><th>Modified</th></tr>\n"
        );
        if !target.is_root() {
            html.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
        }
        for entry in &self.entries {
            html.push_str(&row(entry));
        }
        html.push_str("</table>\n");
        if self.more > 0 {
            html.push_str(&format!("<p>and {} more</p>\n", self.more));
        }
        html.push_str("</html>\n");
        html
    }

    /// For programs: `entries`, each with `name`, `href`, `type` (`file` or `directory`), `bytes` and `modified` (an HTTP
    /// date or null), and the number of `more`.
    pub(super) fn json(&self) -> String {
        let entries: Vec<_> = self.entries.iter().map(value).collect();
        format!("{}\n", json!({ "entries": entries, "more": self.more }))
    }
}

fn value(entry: &Entry) -> serde_json::Value {
    let slash = if entry.is_file { "" } else { "/" };
    json!({
        "name": String::from_utf8_lossy(&entry.name),
        "href": format!("{}{slash}", encode(&entry.name)),
        "type": if entry.is_file { "file" } else { "directory" },
        "bytes": entry.is_file.then_some(entry.length),
        "modified": entry.modified.and_then(http_date),
    })
}

/// What would be served if it were asked for; `None` for everything else.
fn visible(tree: &Tree, directory: &Path, name: Vec<u8>) -> Option<Entry> {
    if name.starts_with(b".") {
        return None;
    }
    let metadata = tree.look(&directory.join(OsStr::from_bytes(&name))).ok()?;
    let (is_file, length) = (metadata.is_file(), metadata.len());
    Some(Entry { is_file, name, length, modified: metadata.modified().ok() })
}

fn row(entry: &Entry) -> String {
    let slash = if entry.is_file { "" } else { "/" };
    let href = encode(&entry.name);
    let name = escape(&String::from_utf8_lossy(&entry.name));
    let length = if entry.is_file { entry.length.to_string() } else { String::new() };
    let modified = entry.modified.and_then(http_date).unwrap_or_default();
    format!(
        "<tr><td><a href=\"{href}{slash}\">{name}{slash}</a></td><td>{length}</td>\
         <td>{modified}</td></tr>\n"
    )
}
