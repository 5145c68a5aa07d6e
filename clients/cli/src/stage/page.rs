//! The page that service `http` shows when it has no directory of its own: what runs here and what to try.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::ServerView;

const HEAD: &str = include_str!("page.html");

/// Makes the directory; it is removed when dropped.
pub(crate) fn directory() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("palco-page-")
        .tempdir()
        .context("cannot make a directory for the page")
}

/// Writes the page for these servers.
pub(crate) fn write(directory: &TempDir, servers: &[ServerView]) -> Result<()> {
    let mut rows = String::new();
    for server in servers {
        let ServerView { name, service, model, place, address, classic_name, command, .. } = server;
        let _ = writeln!(
            rows,
            "<tr><td>{name}<td>{service}<td>{model} × {place}<br><small>{classic_name}</small>\
             <td>{address}<td><code>{command}</code>",
            name = escape(name),
            command = escape(command),
        );
    }
    let page = HEAD.replace("<!-- servers -->", &rows);
    fs::write(directory.path().join("index.html"), page).context("cannot write the page")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
