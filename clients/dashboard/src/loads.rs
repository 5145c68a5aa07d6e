//! Loads on servers of the stage: one for each server, and not too many.

use std::str::FromStr;
use std::time::Duration;

use palco_load::live::{LiveError, LiveLoad, LiveTarget, Protocol};
use palco_observe::model::{Histogram, Quantiles};
use parking_lot::Mutex;
use serde::Deserialize;

use crate::house::Served;
use crate::refusal::Refusal;
use crate::views::LoadView;

/// Loads that run at once.
const RUNNING_MAX: usize = 8;
/// Loads that are shown; the oldest that is over makes room.
const KEPT_MAX: usize = 32;

/// A load that somebody wants.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) server: String,
    #[serde(default = "connections")]
    connections: usize,
    #[serde(default)]
    rate_per_s: u64,
    #[serde(default = "seconds")]
    seconds: u64,
    request: Option<String>,
}

fn connections() -> usize {
    4
}

fn seconds() -> u64 {
    10
}

/// The loads, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Loads(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    server: String,
    load: LiveLoad,
}

impl Loads {
    pub(crate) fn start(&self, wanted: Wanted, served: &Served) -> Result<LoadView, Refusal> {
        let protocol = Protocol::from_str(&served.service)
            .map_err(|error| Refusal::bad_value(error, "choose another server"))?;
        if served.has_ended() {
            return Err(Refusal::not_now(
                format!("server `{}` has ended", served.name),
                "choose one that runs: GET /api/servers",
            ));
        }
        let mut loads = self.0.lock();
        let running = |kept: &&Kept| kept.load.figures().is_running;
        if loads.iter().filter(running).any(|kept| kept.server == served.name) {
            return Err(Refusal::not_now(
                format!("a load on `{}` runs already", served.name),
                format!("stop it first: DELETE /api/load/{}", served.name),
            ));
        }
        if loads.iter().filter(running).count() >= RUNNING_MAX {
            return Err(Refusal::not_now(
                format!("{RUNNING_MAX} loads run already"),
                "stop one first: DELETE /api/load/SERVER",
            ));
        }
        let load = LiveLoad::start(LiveTarget {
            address: served.server.address(),
            protocol,
            request: wanted.request.unwrap_or_else(|| served.example_request.clone()),
            connections: wanted.connections,
            rate_per_s: wanted.rate_per_s,
            lasts: Duration::from_secs(wanted.seconds),
        })
        .map_err(|error| match error {
            LiveError::Value(text) => Refusal::bad_value(text, "see /api/openapi.json"),
            LiveError::Thread(error) => {
                Refusal::not_now(format!("there is no thread for the load: {error}"), "try again")
            }
        })?;
        loads.retain(|kept| kept.server != served.name);
        if loads.len() >= KEPT_MAX {
            loads.remove(0);
        }
        let kept = Kept { server: served.name.clone(), load };
        let view = kept.view();
        loads.push(kept);
        Ok(view)
    }

    /// Stops the load on this server; what it came to, or none if there is none.
    pub(crate) fn stop(&self, server: &str) -> Option<LoadView> {
        let mut loads = self.0.lock();
        let at = loads.iter().position(|kept| kept.server == server)?;
        let kept = loads.remove(at);
        Some(LoadView { running: false, ..kept.view() })
    }

    pub(crate) fn views(&self) -> Vec<LoadView> {
        self.0.lock().iter().map(Kept::view).collect()
    }

    /// How long answers of this server take, if a load on it runs.
    pub(crate) fn latency(&self, server: &str) -> Option<Quantiles> {
        let loads = self.0.lock();
        let kept = loads.iter().find(|kept| kept.server == server)?;
        let view = kept.view();
        view.latency.filter(|_| view.running)
    }
}

impl Kept {
    fn view(&self) -> LoadView {
        let (target, figures) = (self.load.target(), self.load.figures());
        let histogram = Histogram { buckets: figures.histogram };
        LoadView {
            server: self.server.clone(),
            running: figures.is_running,
            connections: target.connections,
            rate_per_s: target.rate_per_s,
            seconds: target.lasts.as_secs(),
            request: target.request.clone(),
            elapsed_ms: millis(figures.elapsed),
            sent: figures.sent,
            answered: figures.answered,
            failed: figures.failed,
            in_flight: figures.in_flight,
            per_s: figures.per_s,
            latency: histogram.quantiles(),
            histogram,
            cpu_ms: millis(figures.cpu),
            error: figures.error,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
