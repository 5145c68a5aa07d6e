//! `palco load`: a server asked at intended moments, and how long its answers took.

mod text;

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use palco_load::generator::{
    CONNECTIONS_MAX, Connections, Outcome, Plan, Protocol, Schedule, Talk, read_trace, run,
};

use super::bench::{clear, command, show};
use super::verify::end_at_a_signal;
use crate::args::{Arrivals, Load};
use crate::output;
use crate::stage::ServiceKind;

/// Connections that are kept, unless told otherwise.
const KEPT: usize = 16;

pub(crate) fn load(control: Option<PathBuf>, wanted: &Load, json: bool) -> Result<ExitCode> {
    let plan = plan(control, wanted)?;
    let stop = Arc::new(AtomicBool::new(false));
    end_at_a_signal(Arc::clone(&stop))?;
    if plan.schedule.is_closed() {
        output::talk("warning: a closed loop hides stalls; without --closed they are seen");
    }
    let tell = |figures: &_| show(format_args!("{}", text::progress(figures)));
    let outcome = run(&plan, tell, &stop)?;
    clear();
    if let Some(file) = &wanted.histogram {
        write(file, &outcome.response.hgrm())?;
    }
    if let Some(file) = &wanted.html {
        write(file, &outcome.to_html(&command()))?;
    }
    if json {
        output::json(&outcome)?;
    } else {
        output::line(text::outcome(&outcome).trim_end())?;
    }
    for warning in &outcome.warnings {
        output::talk(format!("warning: {warning}"));
    }
    Ok(code(&outcome, plan.address))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn plan(control: Option<PathBuf>, wanted: &Load) -> Result<Plan> {
    let (protocol, address) = target(control, wanted)?;
    let request = wanted.request.as_deref().unwrap_or(protocol.example());
    let connections = if wanted.per_request || protocol.is_one_shot() {
        let at_once = if wanted.closed { 1 } else { CONNECTIONS_MAX };
        Connections::PerRequest(wanted.connections.unwrap_or(at_once))
    } else {
        Connections::Kept(wanted.connections.unwrap_or(KEPT))
    };
    if let Some(core) = wanted.core {
        let cores = thread::available_parallelism()?.get();
        ensure!(core < cores, "core: 0 to {}, not {core}", cores - 1);
    }
    let per_s = wanted.rate;
    let schedule = match (&wanted.trace, wanted.arrivals) {
        (Some(file), _) => Schedule::Trace(read_trace(file)?),
        (None, _) if wanted.closed => Schedule::Closed,
        (None, Arrivals::Constant) => Schedule::Constant { per_s },
        (None, Arrivals::Poisson) => Schedule::Poisson { per_s },
        (None, Arrivals::Bursts(size)) => Schedule::Bursts { per_s, size },
    };
    Ok(Plan {
        address,
        talk: Talk::new(protocol, request)?,
        connections,
        schedule,
        crowd: wanted.crowd.iter().map(|crowd| crowd.0).collect(),
        warm_up: wanted.warm_up,
        lasts: wanted.lasts,
        answer_within: wanted.answer_within,
        linger: wanted.answer_within,
        core: wanted.core,
        seed: wanted.seed,
    })
}

/// What is spoken where: an address needs a protocol, a server of the stage has one.
fn target(control: Option<PathBuf>, wanted: &Load) -> Result<(Protocol, SocketAddr)> {
    let name = wanted.server.as_str();
    if name.contains(':') {
        let protocol = wanted.protocol.context("an address needs --protocol")?;
        let mut addresses =
            name.to_socket_addrs().with_context(|| format!("`{name}` is no address"))?;
        let address = addresses.next().with_context(|| format!("`{name}` has no address"))?;
        return Ok((protocol, address));
    }
    let (service, address) = super::call::server(control, name)?;
    let spoken = match service {
        ServiceKind::Echo => Protocol::Echo,
        ServiceKind::Time => Protocol::Time,
        ServiceKind::Daytime => Protocol::Daytime,
        ServiceKind::Work => Protocol::Work,
        ServiceKind::Kv | ServiceKind::Registers => Protocol::Kv,
        ServiceKind::Http | ServiceKind::Files | ServiceKind::Basket => Protocol::Http,
        ServiceKind::Telnet | ServiceKind::Ftp => match wanted.protocol {
            Some(protocol) => protocol,
            None => bail!("there is no load for service `{service}`; try --protocol connect"),
        },
    };
    Ok((wanted.protocol.unwrap_or(spoken), address))
}

fn code(outcome: &Outcome, address: SocketAddr) -> ExitCode {
    if outcome.answered > 0 {
        return ExitCode::SUCCESS;
    }
    let why = outcome.error.as_deref().unwrap_or("no request was due");
    output::talk(format!("nothing was answered by {address}: {why}"));
    ExitCode::FAILURE
}
