//! `palco node`: one node of a cluster that keeps registers, on this machine or many.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use palco_actors::{PlaceKind, Supervision};
use palco_replica::{Beginning, MemberOptions};

use crate::args::NodeArgs;
use crate::output;
use crate::stage::{Announcement, NodeEntry, Running, StageFile, UrgentArgs, UrgentEntry, run};

pub(crate) fn node(args: NodeArgs, control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    ensure!(
        matches!(args.place, PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber),
        "participants of a node live in its own process: place task, thread or fiber, not {}",
        args.place
    );
    let control = control.or_else(|| Some(args.data.join("control.sock")));
    std::fs::create_dir_all(&args.data)?;
    let begin = if args.found { Beginning::Found } else { Beginning::Join(args.join) };
    let options = MemberOptions {
        name: args.name,
        cluster: args.cluster,
        shards: args.shards,
        directory: args.data,
        listen: vec![multiaddr(args.listen)],
        advertise: args.advertise,
        begin,
        allowed: args.allow.into_iter().collect(),
        place: args.place,
        resp: Some(args.resp),
        http: None,
    };
    let file = StageFile {
        event_loops: Some(1),
        supervision: Supervision::default(),
        urgent: UrgentEntry::default(),
        registers: None,
        node: Some(NodeEntry { options, resp: args.resp }),
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
    };
    run(running, |announcement| announce(announcement, json))
}

fn multiaddr(address: SocketAddr) -> String {
    let family = if address.is_ipv4() { "ip4" } else { "ip6" };
    format!("/{family}/{}/tcp/{}", address.ip(), address.port())
}

fn announce(announcement: &Announcement<'_>, json: bool) -> Result<()> {
    let Some(node) = &announcement.view.node else { return Ok(()) };
    if json {
        return output::line(serde_json::to_string(node)?);
    }
    output::line(format!("node {} ({}) {}", node.name, node.node, node.arrival))?;
    output::line(format!("  Redis protocol: {}", node.resp))?;
    output::line(format!("  control:        {}", announcement.control.display()))?;
    if let Some(url) = &announcement.dashboard {
        output::line(format!("  dashboard:      {url}"))?;
    }
    for join in &node.join {
        output::line(format!("  others join by  --join {join}"))?;
    }
    output::line("\nThen: palco reconfigure --members … --control PATH makes nodes members.")
}
