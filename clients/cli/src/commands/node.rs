//! `palco node`: one node of a cluster that keeps registers, on this machine or many.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use palco_actors::{PlaceKind, Supervision};
use palco_dashboard::Token;
use palco_replica::storage::Home;
use palco_replica::{Beginning, Keeping, MemberOptions};
use serde::Serialize;
use serde_json::json;

use crate::args::NodeArgs;
use crate::output;
use crate::stage::{
    Announcement, NodeEntry, NodeSaid, Running, StageFile, UrgentArgs, UrgentEntry, run,
};

pub(crate) fn node(args: NodeArgs, control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    ensure!(
        matches!(args.place, PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber),
        "participants of a node live in its own process: place task, thread or fiber, not {}",
        args.place
    );
    if args.print_key {
        let home = Home::open(&args.data, &args.cluster, args.shards)?;
        let key = home.peer().to_string();
        output::line(if json { json!({ "key": key }).to_string() } else { key })?;
        return Ok(ExitCode::SUCCESS);
    }
    let control = control.or_else(|| Some(args.data.join("control.sock")));
    std::fs::create_dir_all(&args.data)?;
    let begin = if args.found { Beginning::Found } else { Beginning::Join(args.join) };
    let options = MemberOptions {
        name: args.name.unwrap_or_default(),
        cluster: args.cluster,
        shards: args.shards,
        keeping: if args.memory { Keeping::Memory } else { Keeping::Directory(args.data) },
        listen: vec![multiaddr(args.listen)],
        advertise: args.advertise,
        begin,
        discover: args.discover,
        allowed: args.allow.into_iter().collect(),
        place: args.place,
        resp: Some(args.resp),
        http: None,
    };
    let password = args.password_file.as_deref().map(Token::from_file).transpose()?;
    let file = StageFile {
        event_loops: Some(1),
        supervision: Supervision::default(),
        urgent: UrgentEntry::default(),
        registers: None,
        node: Some(NodeEntry { options, resp: args.resp, password, http: args.http }),
        servers: Vec::new(),
    };
    let urgent = UrgentArgs::off();
    let running = Running {
        file: &file,
        control,
        dashboard: args.dashboard,
        urgent,
        demo: None,
        idle_exit: None,
        take_over: false,
    };
    run(running, |announcement| announce(announcement, json))
}

fn multiaddr(address: SocketAddr) -> String {
    let family = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{family}/{}/tcp/{}", address.ip(), address.port())
}

/// What is said in JSON: one line.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    node: &'a NodeSaid,
    control: &'a Path,
    dashboard: Option<&'a str>,
}

fn announce(announcement: &Announcement<'_>, json: bool) -> Result<()> {
    let Some(node) = &announcement.view.node else { return Ok(()) };
    if json {
        let Announcement { control, dashboard, .. } = announcement;
        let said = Said { node, control, dashboard: dashboard.as_deref() };
        return output::line(serde_json::to_string(&said)?);
    }
    output::line(format!("node {} ({}) {}", node.name, node.node, node.arrival))?;
    output::line(format!("  Redis protocol: {}", node.resp))?;
    if let Some(http) = node.http {
        output::line(format!("  HTTP:           http://{http}/v1/registers"))?;
    }
    output::line(format!("  control:        {}", announcement.control.display()))?;
    if let Some(url) = &announcement.dashboard {
        output::line(format!("  dashboard:      {url}"))?;
    }
    for join in &node.join {
        output::line(format!("  others join by  --join {join}"))?;
    }
    output::line("\nThen: palco reconfigure --members … --control PATH makes nodes members.")
}
