//! The rows of the report: what was found, and how it is shown.

use std::time::Duration;

use palco_actors::PlaceKind;
use palco_models::ModelKind;
use palco_urgent::Policy;
use serde::{Deserialize, Serialize};

use crate::stats::{Samples, Spread};
use crate::urgent::silence::Said;
use crate::urgent::turns::{Flows, Held, Tries, Wakes};
use crate::urgent::{Beside, Solution};

/// How long something took, in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// How often it was measured.
    pub samples: usize,
    /// Half took less.
    pub p50_us: f64,
    /// 99 of 100 took less.
    pub p99_us: f64,
    /// The slowest.
    pub max_us: f64,
}

/// From the send to the urgent thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WakeRow {
    /// What the urgent thread was to be.
    pub policy: Policy,
    /// What it was, in words.
    pub obtained: String,
    /// How it was reached.
    pub solution: Solution,
    /// Who else wanted the processors.
    pub beside: Beside,
    /// From the moment before the send until it was at the desk of the urgent thread.
    pub latency: Latency,
}

/// From the send of a hold until the client read that the request is held.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EffectRow {
    /// Who accepts and who serves.
    pub model: ModelKind,
    /// Where.
    pub place: PlaceKind,
    /// What the urgent thread was to be.
    pub policy: Policy,
    /// How it was reached.
    pub solution: Solution,
    /// Who else wanted the processors.
    pub beside: Beside,
    /// Of those holds that were answered by `held`.
    pub latency: Option<Latency>,
    /// How often the hold had not come about when it was answered.
    pub pending: usize,
    /// How often the request had ended.
    pub ended: usize,
    /// How often nothing was answered.
    pub unanswered: usize,
}

/// The bytes of an answer that was held. Rates are medians over the rounds, counts the worst of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlowRow {
    /// Where it was served.
    pub place: PlaceKind,
    /// How the hold came.
    pub solution: Solution,
    /// Holds that were looked at.
    pub holds: usize,
    /// Bytes a second before.
    pub before: Option<Spread>,
    /// Bytes that were on their way when the hold was called: the most.
    pub in_flight: u64,
    /// Bytes while it was held: the most, and nothing but 0 will do.
    pub held_bytes: u64,
    /// For how long it was looked at while it was held, in milliseconds: the shortest.
    pub held_ms: u64,
    /// Bytes a second afterwards.
    pub after: Option<Spread>,
    /// Why a hold could not be looked at, or did not come about.
    pub failure: Option<String>,
}

/// An urgent byte behind bytes that nobody reads, and a command at the port meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SilenceRow {
    /// So much was to be in front of it.
    pub queued_kib: usize,
    /// So much was not acknowledged: the most, in bytes.
    pub queued_bytes: usize,
    /// For so long the receiver had not read when it was sent, in milliseconds.
    pub stood_ms: Spread,
    /// Until the receiver was told that there is one.
    pub announced_ms: Option<Spread>,
    /// Until `EPOLLPRI` was raised.
    pub raised_ms: Option<Spread>,
    /// Until the byte could be taken.
    pub arrived_ms: Option<Spread>,
    /// Tries.
    pub tries: usize,
    /// Of these, those of which nothing was heard.
    pub silent: usize,
    /// Of these, those that `send_urgent` refused as silenced.
    pub silenced: usize,
    /// Whether it refused exactly those that were silent.
    pub agrees: bool,
    /// From the send of a command until the urgent thread of the port had it.
    pub port_ms: Spread,
}

impl Latency {
    fn of(nanos: &[u64]) -> Option<Self> {
        let mut samples = Samples::new(1);
        samples.add(nanos);
        let [p50_us, p99_us, max_us] = [0.5, 0.99, 1.0].map(|part| samples.quantile(part) / 1e3);
        (!nanos.is_empty()).then_some(Self { samples: nanos.len(), p50_us, p99_us, max_us })
    }
}

impl WakeRow {
    pub(super) const HEAD: [&'static str; 8] =
        ["urgent thread", "solution", "beside", "p50 µs", "p99 µs", "max µs", "samples", "it was"];

    pub(super) fn of(wakes: &Wakes) -> Option<Self> {
        Some(Self {
            policy: wakes.policy,
            obtained: wakes.obtained.to_string(),
            solution: wakes.solution,
            beside: wakes.beside,
            latency: Latency::of(&wakes.nanos)?,
        })
    }

    pub(super) fn cells(&self) -> Vec<String> {
        let Latency { samples, p50_us, p99_us, max_us } = self.latency;
        let micros = |micros: f64| format!("{micros:.1}");
        vec![
            self.policy.to_string(),
            self.solution.name().to_owned(),
            self.beside.name().to_owned(),
            micros(p50_us),
            micros(p99_us),
            micros(max_us),
            samples.to_string(),
            self.obtained.clone(),
        ]
    }
}

impl EffectRow {
    pub(super) fn of(held: &Held) -> Self {
        let effects = &held.effects;
        Self {
            model: held.model,
            place: held.place,
            policy: held.policy,
            solution: held.solution,
            beside: held.beside,
            latency: Latency::of(&effects.held),
            pending: effects.pending,
            ended: effects.ended,
            unanswered: effects.unanswered,
        }
    }

    /// `p50 / p99` in milliseconds.
    pub(super) fn times(&self) -> String {
        self.latency.map_or("–".to_owned(), |Latency { p50_us, p99_us, .. }| {
            format!("{:.2} / {:.2}", p50_us / 1e3, p99_us / 1e3)
        })
    }

    /// Holds that were called.
    pub(super) fn called(&self) -> usize {
        let held = self.latency.map_or(0, |latency| latency.samples);
        held + self.pending + self.ended + self.unanswered
    }
}

impl FlowRow {
    pub(super) const HEAD: [&'static str; 8] = [
        "place",
        "solution",
        "before MB/s",
        "in flight KiB",
        "bytes while held",
        "held ms",
        "after MB/s",
        "held",
    ];

    pub(super) fn of(flows: &Flows) -> Self {
        let each = &flows.flows;
        let held_for = each.iter().map(|flow| flow.held_for).min().unwrap_or_default();
        Self {
            place: flows.place,
            solution: flows.solution,
            holds: each.len(),
            before: Spread::of(each.iter().map(|flow| flow.before)),
            in_flight: each.iter().map(|flow| flow.in_flight).max().unwrap_or(0),
            held_bytes: each.iter().map(|flow| flow.held_bytes).max().unwrap_or(0),
            held_ms: u64::try_from(held_for.as_millis()).unwrap_or(u64::MAX),
            after: Spread::of(each.iter().map(|flow| flow.after)),
            failure: flows.failure.clone(),
        }
    }

    /// Nothing came while it was held, and something before and after.
    #[must_use]
    pub fn holds(&self) -> bool {
        let flowed = |rate: Option<Spread>| rate.is_some_and(|rate| rate.min > 0.0);
        self.failure.is_none() && self.held_bytes == 0 && flowed(self.before) && flowed(self.after)
    }

    pub(super) fn cells(&self) -> Vec<String> {
        let rate = |rate: Option<Spread>| {
            rate.map_or("–".to_owned(), |rate| format!("{:.1}", rate.median / 1e6))
        };
        let word = match &self.failure {
            Some(failure) => format!("FAIL: {failure}"),
            None => format!("{}, {} holds", word(self.holds()), self.holds),
        };
        vec![
            self.place.name().to_owned(),
            self.solution.name().to_owned(),
            rate(self.before),
            format!("{:.1}", self.in_flight as f64 / 1024.0),
            self.held_bytes.to_string(),
            self.held_ms.to_string(),
            rate(self.after),
            word,
        ]
    }
}

impl SilenceRow {
    pub(super) const HEAD: [&'static str; 9] = [
        "KiB queued",
        "not acknowledged",
        "stood still ms",
        "announced ms",
        "EPOLLPRI ms",
        "byte ms",
        "port ms",
        "silent",
        "send_urgent",
    ];

    pub(super) fn of(found: &Tries) -> Option<Self> {
        let Tries { wanted, tries, commands, .. } = found;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let is_silenced = |said| match said {
            Said::Sent => false,
            Said::Silenced => true,
        };
        Some(Self {
            queued_kib: wanted / 1024,
            queued_bytes: tries.iter().map(|tried| tried.queued).max().unwrap_or(0),
            stood_ms: Spread::of(tries.iter().map(|tried| ms(tried.stood)))?,
            announced_ms: Spread::of(tries.iter().filter_map(|tried| tried.announced.map(ms))),
            raised_ms: Spread::of(tries.iter().filter_map(|tried| tried.raised.map(ms))),
            arrived_ms: Spread::of(tries.iter().filter_map(|tried| tried.arrived.map(ms))),
            tries: tries.len(),
            silent: tries.iter().filter(|tried| tried.announced.is_none()).count(),
            silenced: tries.iter().filter(|tried| is_silenced(tried.said)).count(),
            agrees: tries.iter().all(|tried| tried.announced.is_none() == is_silenced(tried.said)),
            port_ms: Spread::of(commands.iter().map(|nanos| *nanos as f64 / 1e6))?,
        })
    }

    pub(super) fn cells(&self) -> Vec<String> {
        let ms = |time: Option<Spread>| {
            time.map_or("–".to_owned(), |Spread { median, max, .. }| {
                format!("{median:.2} (≤ {max:.2})")
            })
        };
        vec![
            self.queued_kib.to_string(),
            self.queued_bytes.to_string(),
            format!("{:.0}", self.stood_ms.median),
            ms(self.announced_ms),
            ms(self.raised_ms),
            ms(self.arrived_ms),
            ms(Some(self.port_ms)),
            format!("{} of {}", self.silent, self.tries),
            format!("{}: {} of {} refused", word(self.agrees), self.silenced, self.tries),
        ]
    }
}

/// Whether a property holds.
pub(super) const fn word(holds: bool) -> &'static str {
    if holds { "PASS" } else { "FAIL" }
}
