//! Which node holds which tag of which key.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::join_all;
use palco_rambo::{Class, KEY_BYTES_MAX, Key, NodeId, Tag};
use palco_replica::{Cluster, Holding, Registers as _, key_of};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::routes::query;
use crate::shared::Shared;

/// Keys on one page, at most.
const KEYS_MAX: usize = 100;

/// Which keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// This one; otherwise a page of those that a node holds.
    key: Option<String>,
    /// What the page before said, or nothing.
    #[serde(default)]
    from: u64,
    #[serde(default = "half")]
    count: usize,
}

fn half() -> usize {
    KEYS_MAX / 2
}

#[derive(Serialize)]
struct Page {
    keys: Vec<KeyRow>,
    /// Where to go on; nothing when that was all.
    next: Option<u64>,
}

#[derive(Serialize)]
struct KeyRow {
    /// Its name; bytes that are no text are escaped.
    key: String,
    /// Whether the name is as it is shown, so that it can be asked for here.
    is_text: bool,
    class: Class,
    /// Of the nodes of this program that have answered.
    holdings: Vec<HoldingRow>,
}

#[derive(Serialize)]
struct HoldingRow {
    node: NodeId,
    /// None if it never heard of the key.
    tag: Option<String>,
    version: Option<u64>,
    /// None if there is no value: never written, or deleted.
    value_bytes: Option<u64>,
    confirmed: bool,
    /// Whether no node that has answered holds a larger tag.
    newest: bool,
}

pub(in crate::routes) async fn get(
    request: HttpRequest,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let wanted: Wanted = query(&request)?;
    let registers = shared.registers()?;
    if !(1..=KEYS_MAX).contains(&wanted.count) {
        return Err(Refusal::bad_value(
            format!("count is {}", wanted.count),
            format!("count is 1 to {KEYS_MAX}"),
        ));
    }
    let cluster = &*registers.cluster;
    let (keys, next) = match &wanted.key {
        Some(name) => (vec![checked(name)?], None),
        None => {
            let page = cluster.domain().scan(wanted.from, wanted.count).await;
            (page.keys, page.next)
        }
    };
    Ok(HttpResponse::Ok().json(Page { keys: rows(cluster, keys).await, next }))
}

/// A key that somebody has named.
pub(super) fn checked(name: &str) -> Result<Key, Refusal> {
    if name.is_empty() {
        return Err(Refusal::bad_value("the key is empty", "a key has one byte at least"));
    }
    if name.len() > KEY_BYTES_MAX {
        return Err(Refusal::bad_value(
            format!("a key of {} bytes", name.len()),
            format!("a key has {KEY_BYTES_MAX} bytes at most"),
        ));
    }
    Ok(key_of(name.to_owned().into()))
}

async fn rows(cluster: &dyn Cluster, keys: Vec<Key>) -> Vec<KeyRow> {
    let nodes = cluster.answering();
    let asked = nodes.iter().map(|(node, domain)| {
        let keys = &keys;
        async move { (*node, domain.held(keys).await) }
    });
    let held = join_all(asked).await;
    let row = |(at, key): (usize, Key)| {
        let told = held.iter().filter_map(|(node, held)| Some((*node, held[at].clone()?)));
        let told: Vec<(NodeId, Holding)> = told.collect();
        let newest = told.iter().map(|(_, holding)| holding.tag).max().unwrap_or_default();
        let name = String::from_utf8(key.name.to_vec());
        KeyRow {
            is_text: name.is_ok(),
            key: name.unwrap_or_else(|_| key.name.escape_ascii().to_string()),
            class: key.class,
            holdings: told
                .into_iter()
                .map(|(node, of)| HoldingRow {
                    node,
                    tag: (of.tag != Tag::ZERO).then(|| of.tag.to_string()),
                    version: of.version,
                    value_bytes: of.value_bytes,
                    confirmed: of.is_confirmed,
                    newest: of.tag == newest && newest != Tag::ZERO,
                })
                .collect(),
        }
    };
    keys.into_iter().enumerate().map(row).collect()
}
