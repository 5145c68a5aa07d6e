//! Running a superserver until a signal says otherwise.

use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{SigSet, Signal};
use palco_dashboard::Dashboard;
use palco_superserver::{Heritage, Plan, Severity, Superserver};
use palco_threads::block_on;
use serde::Serialize;

use super::succession::Succession;
use super::{Installed, Log, Source};
use crate::control::{self, ControlSocket};
use crate::output;
use crate::stage::{DashboardArgs, Stage};

/// The actor at the top of all services.
const NAME: &str = "inetd";

/// How to run a superserver.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) source: Source,
    pub(crate) control: Option<PathBuf>,
    pub(crate) take_over: bool,
    pub(crate) log: Log,
    /// None has no dashboard.
    pub(crate) dashboard: Option<DashboardArgs>,
    /// Programs live on when the superserver ends.
    pub(crate) leave_programs: bool,
}

/// What is said when it runs.
#[derive(Debug, Serialize)]
struct Announcement<'a> {
    pid: u32,
    control: &'a Path,
    dashboard: Option<String>,
    services: Vec<Listening>,
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Listening {
    id: String,
    addresses: Vec<String>,
}

/// Runs until Ctrl-C or SIGTERM; SIGHUP reads the files again. Does not return before.
pub(crate) fn run(running: Running, json: bool) -> Result<ExitCode> {
    let Running { source, control, take_over, log, dashboard, leave_programs } = running;
    // Before any other thread exists: all of them inherit the mask, and only this one waits for the signals.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block().context("cannot block signals")?;

    let plan = source.plan()?;
    let mut stage = Stage::empty()?;
    let (socket, superserver) = if take_over {
        let (succession, heritage) = Succession::begin(control.clone())?;
        let superserver = prepare(&stage, plan, heritage, &log)?;
        superserver.adopt(&succession.ready()?)?;
        superserver.open()?;
        succession.done()?;
        (ControlSocket::claim(control)?, superserver)
    } else {
        let socket = ControlSocket::claim(control)?;
        let superserver = prepare(&stage, plan, Heritage::default(), &log)?;
        superserver.open()?;
        (socket, superserver)
    };
    let installed = Installed { superserver: Arc::clone(&superserver), source };
    stage.superserver = Some(installed.clone());
    let stage = Arc::new(stage);
    let path = socket.path().to_owned();
    control::serve(&stage, &socket)?;
    stage.hold(socket);
    let dashboard = match dashboard {
        Some(args) => args.open(&stage, args.token()?, None)?,
        None => None,
    };
    announce(&superserver, &path, dashboard.as_ref(), json)?;
    loop {
        match signals.wait().context("cannot wait for signals")? {
            Signal::SIGHUP => hear_hangup(&installed, &log),
            signal => {
                log.say(&format!("{signal}: closing"));
                break;
            }
        }
    }
    if leave_programs {
        superserver.leave();
    }
    superserver.close();
    block_on(stage.system.shutdown());
    stage.release_control();
    process::exit(0);
}

/// The log is opened again, and the files are read again.
fn hear_hangup(installed: &Installed, log: &Log) {
    if let Err(error) = log.reopen() {
        log.say(&format!("{error:#}"));
    }
    match installed.reload() {
        Ok(changes) => log.say(&format!("reloaded: {changes}")),
        Err(why) => log.say(&format!("not reloaded: {why}")),
    }
}

/// Bound, and not yet open. A superserver that serves nothing has no reason to run.
fn prepare(stage: &Stage, plan: Plan, heritage: Heritage, log: &Log) -> Result<Arc<Superserver>> {
    let superserver = Superserver::prepare(&stage.system, NAME, plan, heritage, log.sink())?;
    let remarks = superserver.remarks();
    let serious = remarks.iter().filter(|remark| remark.severity > Severity::Note);
    for remark in serious {
        eprintln!("{remark}");
    }
    ensure!(!superserver.listening().is_empty(), "no service is on");
    Ok(Arc::new(superserver))
}

fn announce(
    superserver: &Superserver,
    control: &Path,
    dashboard: Option<&Dashboard>,
    json: bool,
) -> Result<()> {
    let services = superserver.listening();
    let dashboard = dashboard.map(Dashboard::url_with_token);
    if json {
        let listening = |(id, addresses)| Listening { id, addresses };
        return output::json(&Announcement {
            pid: process::id(),
            control,
            dashboard,
            services: services.into_iter().map(listening).collect(),
            remarks: superserver.remarks().iter().map(ToString::to_string).collect(),
        });
    }
    output::line(format!("palco inetd, pid {}, control {}\n", process::id(), control.display()))?;
    let rows = services.into_iter().map(|(id, addresses)| [id, addresses.join(", ")]);
    output::table(["SERVICE", "LISTENS ON"], rows)?;
    output::line("")?;
    if let Some(url) = dashboard {
        output::line(format!("Dashboard, to watch and to act: {url}\n"))?;
    }
    output::line(
        "`palco inetd status` shows instances and limits; SIGHUP reads the files again; Ctrl-C ends.",
    )
}
