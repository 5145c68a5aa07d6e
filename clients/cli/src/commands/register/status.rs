//! `palco register status`: who keeps registers, and how they stand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use palco_replica::{ClusterView, NodeView};

use crate::control::{Reply, Request, ask};
use crate::output;

pub(super) fn status(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let Reply::Registers(view) = ask(control, &Request::Registers)? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(newest) = view.newest() {
        let members: Vec<_> = newest.nodes().map(|node| view.name(node)).collect();
        output::line(format!(
            "configuration {}: {}, {:?}\n",
            newest.index(),
            members.join(", "),
            newest.quorums()
        ))?;
    }
    let heading = [
        "NODE",
        "NUMBER",
        "SHARD",
        "LIFE",
        "CONFIGURATIONS",
        "REGISTERS",
        "OPERATIONS",
        "DRIVES",
        "REDIS",
        "HTTP",
    ];
    output::table(heading, view.nodes.iter().flat_map(|node| rows(node, &view)))?;
    Ok(ExitCode::SUCCESS)
}

fn rows(node: &NodeView, view: &ClusterView) -> Vec<[String; 10]> {
    let shown = |address: Option<SocketAddr>| {
        address.map_or_else(|| "–".to_owned(), |address| address.to_string())
    };
    let (redis, http) = (shown(node.resp), shown(node.http));
    if node.standings.is_empty() {
        let state = if node.is_connected { "connected" } else { "not connected" };
        let mut row: [String; 10] = Default::default();
        (row[0], row[1], row[4]) = (node.name.clone(), node.node.to_string(), state.to_owned());
        (row[8], row[9]) = (redis, http);
        return vec![row];
    }
    let newest = view.newest().map(|newest| newest.index());
    let row = |of: &palco_replica::Standing| {
        let configurations = of.map.as_ref().map_or_else(
            || "has not joined".to_owned(),
            |map| {
                let active: Vec<_> =
                    map.active().iter().map(|active| format!("c{}", active.index())).collect();
                let lags = of.shard == 0 && newest.is_some_and(|newest| newest > map.top().index());
                format!("{}{}", active.join(" "), if lags { " (lags)" } else { "" })
            },
        );
        [
            node.name.clone(),
            node.node.to_string(),
            of.shard.to_string(),
            of.boot.to_string(),
            configurations,
            of.registers.to_string(),
            of.operations.to_string(),
            of.driving.map_or_else(|| "–".to_owned(), |stage| format!("{stage:?}").to_lowercase()),
            redis.clone(),
            http.clone(),
        ]
    };
    node.standings.iter().map(row).collect()
}
