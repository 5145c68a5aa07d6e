//! Running a stage: start its servers, answer on the control socket, drain on Ctrl-C.

use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use palco_dashboard::Dashboard;
use palco_threads::{STACK_BYTES_DEFAULT, block_on, spawn_named};

use super::signals::has_terminal;
use super::succession::{Succession, Successor};
use super::{Announcement, DashboardArgs, Demo, EndSignals, Stage, StageFile, UrgentArgs, idle};
use crate::control::{self, ControlSocket};
use crate::output;

/// How to run a stage.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    pub(crate) file: &'a StageFile,
    pub(crate) control: Option<PathBuf>,
    pub(crate) dashboard: DashboardArgs,
    pub(crate) urgent: UrgentArgs,
    pub(crate) demo: Option<Demo>,
    /// It ends when its server, the only one, has had no connection for so long.
    pub(crate) idle_exit: Option<Duration>,
    /// It takes over from the stage that runs.
    pub(crate) take_over: bool,
}

/// Runs a stage until Ctrl-C, SIGTERM or the end of its terminal, until it has been idle for long enough, until a successor
/// has taken over (SIGHUP starts one), or until its root supervisor gives up. Does not return before.
pub(crate) fn run(
    running: Running<'_>,
    announce: impl Fn(&Announcement<'_>) -> Result<()>,
) -> Result<ExitCode> {
    let Running { file, control, dashboard, urgent, demo, idle_exit, take_over } = running;
    let signals = EndSignals::block_with(&[Signal::SIGHUP])?;
    let had_terminal = has_terminal();
    // The control socket, or the stage that has it.
    let claimed = match take_over {
        true => Err(Succession::begin(control.clone())?),
        false => Ok(ControlSocket::claim(control.clone())?),
    };
    let token = dashboard.token()?;
    let stage = Arc::new(Stage::start(file, &urgent, &token, claimed.as_ref().err())?);
    let come_forward = || {
        if let Some(demo) = demo {
            demo.start(&stage.system)?;
        }
        let socket = claimed.or_else(|succession| succession.done(&stage, control))?;
        control::serve(&stage, &socket)?;
        let path = socket.path().to_owned();
        stage.hold(socket);
        let dashboard = match dashboard.open(&stage, token, demo.map(Demo::task)) {
            // There is nobody to go back to.
            Err(error) if take_over => {
                output::talk(format!("no dashboard: {error:#}"));
                None
            }
            opened => opened?,
        };
        let announced = announce(&Announcement {
            view: &stage.view(),
            control: &path,
            dashboard: dashboard.as_ref().map(Dashboard::url_with_token),
        });
        match announced {
            // Its predecessor's reader may have gone; the clients have not.
            Err(error) if take_over => tracing::warn!("cannot say where everything is: {error:#}"),
            announced => announced?,
        }
        *stage.dashboard.lock() = dashboard;
        anyhow::Ok(path)
    };
    // By now there may be clients.
    let path = come_forward().inspect_err(|_| drop(stage.drain()))?;

    let (system, asked) = (stage.system.clone(), Arc::clone(&stage));
    watch("palco-root", move || {
        let reason = block_on(system.ended());
        if reason.is_failure() {
            output::talk(format!("the stage has failed: {reason}"));
            asked.release_control();
            process::exit(1);
        }
    })?;
    if let (Some(idle), Some((_, server))) = (idle_exit, stage.servers.first()) {
        let (server, stage) = (Arc::clone(server), Arc::clone(&stage));
        watch("palco-idle", move || {
            idle::wait(&server, idle);
            tracing::info!(idle_exit = ?idle, "idle");
            end(&stage);
        })?;
    }
    let successor = Successor::new(&path, &stage);
    while signals.wait()? == Signal::SIGHUP && (!had_terminal || has_terminal()) {
        successor.start();
    }
    if let Some(dashboard) = &*stage.dashboard.lock() {
        dashboard.refuse_actions();
    }
    output::talk("draining; Ctrl-C again stops at once");
    let draining = Arc::clone(&stage);
    watch("palco-drain", move || end(&draining))?;
    while signals.wait()? == Signal::SIGHUP {}
    output::talk("stopped at once");
    stage.release_control();
    process::exit(130);
}

/// Drains what is left, and ends the process.
pub(super) fn end(stage: &Stage) {
    let reports = stage.drain();
    let (finished, abandoned) = reports
        .iter()
        .fold((0, 0), |sum, (_, report)| (sum.0 + report.finished, sum.1 + report.abandoned));
    output::talk(format!("stopped; {finished} connections finished, {abandoned} abandoned"));
    stage.release_control();
    stage.remove_page();
    process::exit(i32::from(abandoned > 0));
}

pub(crate) fn watch(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    spawn_named(name, STACK_BYTES_DEFAULT, body).map(drop).context("cannot start a thread")
}
