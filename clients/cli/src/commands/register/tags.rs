//! `palco register tags`: which node holds which tag.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use palco_rambo::{KEY_BYTES_MAX, Tag};
use palco_replica::Holding;
use serde_json::json;

use crate::control::{HeldView, Reply, Request, ask};
use crate::output;

/// Bytes of all keys together, at most: they fit into one request, however they are escaped there.
const KEYS_BYTES_MAX: usize = 8 << 10;

pub(super) fn tags(control: Option<PathBuf>, keys: &[String], json: bool) -> Result<ExitCode> {
    for key in keys {
        let bytes = key.len();
        ensure!(bytes > 0, "a key is empty: it has one byte at least");
        ensure!(bytes <= KEY_BYTES_MAX, "a key of {bytes} bytes, at most {KEY_BYTES_MAX} can be");
    }
    let bytes: usize = keys.iter().map(String::len).sum();
    ensure!(
        bytes <= KEYS_BYTES_MAX,
        "keys of {bytes} bytes together, at most {KEYS_BYTES_MAX} can be: ask for fewer at once"
    );
    let Reply::Tags(nodes) = ask(control, &Request::Tags { keys: keys.to_vec() })? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&json!({ "keys": keys, "nodes": nodes }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = keys.iter().enumerate().flat_map(|(at, key)| rows(key, at, &nodes));
    output::table(["KEY", "NODE", "TAG", "VERSION", "BYTES", ""], rows)?;
    Ok(ExitCode::SUCCESS)
}

/// One row for each node; the newest tag is marked.
fn rows(key: &str, at: usize, nodes: &[HeldView]) -> Vec<[String; 6]> {
    let holding = |node: &HeldView| -> Option<Holding> { node.holdings.get(at).cloned()? };
    let newest = nodes.iter().filter_map(holding).map(|of| of.tag).max().unwrap_or_default();
    let row = |node: &HeldView| {
        let shown = |number: Option<u64>| number.map_or_else(dash, |number| number.to_string());
        let [tag, version, bytes, remark] = match holding(node) {
            None => [dash(), dash(), dash(), "does not answer".to_owned()],
            Some(of) if of.tag == Tag::ZERO => {
                [dash(), dash(), dash(), "never heard of it".to_owned()]
            }
            Some(of) => {
                let mark = if of.tag == newest { "newest" } else { "older" };
                let value = if of.value_bytes.is_none() { ", deleted" } else { "" };
                let (version, bytes) = (shown(of.version), shown(of.value_bytes));
                [of.tag.to_string(), version, bytes, format!("{mark}{value}")]
            }
        };
        [key.to_owned(), node.node.clone(), tag, version, bytes, remark]
    };
    nodes.iter().map(row).collect()
}

fn dash() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use palco_rambo::NodeId;

    use super::*;

    #[test]
    fn the_newest_tag_is_marked_and_silence_is_said() {
        let holding = |sequence, value_bytes| Holding {
            tag: Tag { sequence, node: NodeId(sequence.min(1)), boot: 0, n: 0 },
            version: None,
            value_bytes,
            is_confirmed: false,
        };
        let held =
            [Some(holding(2, Some(3))), Some(holding(1, None)), Some(holding(0, None)), None];
        let nodes = held.map(|of| HeldView { node: "n".to_owned(), holdings: vec![of] });
        let remarks: Vec<_> = rows("x", 0, &nodes).into_iter().map(|row| row[5].clone()).collect();
        assert_eq!(remarks, ["newest", "older, deleted", "never heard of it", "does not answer"]);
    }
}
