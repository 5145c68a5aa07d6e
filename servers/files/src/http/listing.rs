//! A directory as a page.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use super::conditions::http_date;
use super::response::escape;
use super::root::Root;
use super::target::{Target, encode};

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

/// The page for the directory `path`, which is at `target`. Blocks.
pub(super) fn page(root: &Root, target: &Target, path: &Path) -> io::Result<String> {
    let mut entries = Vec::new();
    let mut more: usize = 0;
    for entry in fs::read_dir(path)? {
        let Some(entry) = visible(root, &entry?) else { continue };
        if entries.len() < LISTING_ENTRIES_MAX {
            entries.push(entry);
        } else {
            more += 1;
        }
    }
    entries.sort();
    let title = escape(&target.display());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>Index of {title}</title>\n<h1>Index of {title}</h1>\n<table>\n\
         <tr><th>Name</th><th>Bytes</th><th>Modified</th></tr>\n"
    );
    if !target.is_root() {
        html.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    }
    for entry in &entries {
        html.push_str(&row(entry));
    }
    html.push_str("</table>\n");
    if more > 0 {
        html.push_str(&format!("<p>and {more} more</p>\n"));
    }
    html.push_str("</html>\n");
    Ok(html)
}

/// What would be served if it were asked for; `None` for everything else.
fn visible(root: &Root, entry: &fs::DirEntry) -> Option<Entry> {
    let name = entry.file_name().as_bytes().to_vec();
    if name.starts_with(b".") {
        return None;
    }
    let metadata = if entry.file_type().ok()?.is_symlink() {
        root.follow(&entry.path())?
    } else {
        entry.metadata().ok()?
    };
    let is_file = metadata.is_file();
    (is_file || metadata.is_dir()).then(|| Entry {
        is_file,
        name,
        length: metadata.len(),
        modified: metadata.modified().ok(),
    })
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
