//! How a server is doing now, for people and for programs that read Apache's mod_status.

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use palco_actors::PlaceKind;
use serde::{Deserialize, Serialize};

use crate::model::ModelKind;
use crate::server::Server;
use crate::slots::{Slot, Slots};

/// How a server is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Its name.
    pub name: String,
    /// Who accepts and who serves.
    pub model: ModelKind,
    /// Where.
    pub place: PlaceKind,
    /// What each of its places is doing.
    pub slots: Slots,
    /// Connections so far.
    pub accepted: u64,
    /// Requests so far.
    pub requests: u64,
    /// Processes that serve; 1 where this one does.
    pub processes: usize,
    /// Connections that the kernel keeps until somebody accepts them.
    pub waiting: u32,
    /// Which limit keeps them waiting, if one does.
    pub why: Option<String>,
}

impl Server {
    /// What each of its places is doing now. Nothing is kept for it: it costs who looks.
    #[must_use]
    pub fn slots(&self) -> Slots {
        let is_ending = self.is_ending.load(Ordering::Acquire);
        let slot = |(request, is_serving)| Slot::of(request, is_serving, is_ending);
        let held = self.requests.progress().map(slot).collect();
        let standing = if self.is_standing && !is_ending { self.workers().len() } else { 0 };
        Slots::new(held, standing, self.settings().limits.connections_max)
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        let (settings, scores, slots) = (self.settings(), self.scores(), self.slots());
        let waiting = self.roster().map_or(0, |roster| roster.waiting());
        let standing = slots.count(Slot::Waiting);
        let most = settings.limits.connections_max;
        let why = if waiting == 0 {
            None
        } else if slots.busy() >= most {
            Some(format!("connections-max {most} is reached"))
        } else if standing == 0 && self.is_standing {
            Some(format!("all {} workers have a connection", slots.busy()))
        } else {
            None
        };
        let processes = match (settings.place, settings.model) {
            (PlaceKind::Process, ModelKind::PerConnection) => slots.busy(),
            (PlaceKind::Process, _) => self.workers().len(),
            _ => 1,
        };
        ServerStatus {
            name: settings.name.clone(),
            model: settings.model,
            place: settings.place,
            slots,
            accepted: scores.accepted,
            requests: scores.requests,
            processes,
            waiting,
            why,
        }
    }
}

/// The keys and values of `/server-status?auto` of Apache 2.4, for all of these servers together. What is not counted here,
/// bytes and processor time by request, has no key.
#[must_use]
pub fn auto_text(servers: &[ServerStatus], uptime: Duration) -> String {
    let sum = |of: fn(&ServerStatus) -> usize| servers.iter().map(of).sum::<usize>();
    let requests: u64 = servers.iter().map(|server| server.requests).sum();
    let seconds = uptime.as_secs();
    let mut text = format!("ServerVersion: palco/{}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key}: {value}");
    };
    if let [server] = servers {
        line("ServerMPM", format!("{} × {}", server.model, server.place));
    }
    line("ServerUptimeSeconds", seconds.to_string());
    line("Total Accesses", requests.to_string());
    line("Uptime", seconds.to_string());
    line("ReqPerSec", format!("{:.3}", requests as f64 / uptime.as_secs_f64().max(1.0)));
    line("BusyWorkers", sum(|server| server.slots.busy()).to_string());
    line("GracefulWorkers", sum(|server| server.slots.count(Slot::Finishing)).to_string());
    line("IdleWorkers", sum(|server| server.slots.count(Slot::Waiting)).to_string());
    line("Processes", sum(|server| server.processes).to_string());
    line("ConnsTotal", sum(|server| server.slots.busy()).to_string());
    line("ConnsAsyncKeepAlive", sum(|server| server.slots.count(Slot::KeptAlive)).to_string());
    let letters: String = servers.iter().map(|server| server.slots.to_string()).collect();
    line("Scoreboard", letters);
    text
}
