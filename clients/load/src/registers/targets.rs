//! What palco wants to reach beside its peers, and whether it has in this run.

use serde::{Deserialize, Serialize};

use super::closed::Sample;
use super::store::{Operation, Store};
use super::{Cell, GapRow, Played};
use crate::stats::Spread;

/// Clients of the cells that are compared, if there are such cells; else the most there are.
const CLIENTS: usize = 64;

/// One target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What is compared with what.
    pub what: String,
    /// What is to be reached, as people say it.
    pub wanted: String,
    /// What was reached, over the rounds; the ratio is that of the same round.
    pub reached: Option<Spread>,
    /// Whether it was.
    pub verdict: Verdict,
}

/// Whether a target was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// By the median of the rounds.
    Met,
    /// Not by the median.
    NotMet,
    /// One of the two was not measured.
    Unknown,
}

impl Verdict {
    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "NOT MET",
            Self::Unknown => "not measured",
        }
    }

    pub(crate) const fn of(is_met: Option<bool>) -> Self {
        match is_met {
            Some(true) => Self::Met,
            Some(false) => Self::NotMet,
            None => Self::Unknown,
        }
    }
}

/// What a cell was in a round.
type Figure = fn(&Sample) -> f64;

/// Everything that was played, to be looked up.
pub(super) struct Results<'a> {
    pub(super) stores: &'a [Store],
    pub(super) cells: &'a [Cell],
    pub(super) played: &'a [Result<Played, String>],
}

impl Results<'_> {
    fn rounds(&self, store: Store, operation: Operation, clients: usize, of: Figure) -> Vec<f64> {
        let is_it = |cell: &Cell| {
            self.stores[cell.store] == store
                && cell.operation == operation
                && cell.clients == clients
        };
        let found = self.cells.iter().position(is_it);
        let rounds = found.and_then(|index| self.played[index].as_ref().ok());
        rounds.map_or_else(Vec::new, |rounds| rounds.iter().map(of).collect())
    }

    fn clients(&self) -> usize {
        let clients = || self.cells.iter().map(|cell| cell.clients);
        clients().find(|clients| *clients == CLIENTS).or_else(|| clients().max()).unwrap_or(0)
    }

    fn ratio(
        &self,
        operation: Operation,
        clients: usize,
        (own, other): (Store, Store),
        of: Figure,
    ) -> Option<Spread> {
        let rounds = |store| self.rounds(store, operation, clients, of);
        Spread::of_ratios(&rounds(own), &rounds(other))
    }
}

/// Operations by second.
pub(super) fn per_second(sample: &Sample) -> f64 {
    sample.ops as f64 / sample.seconds.max(f64::MIN_POSITIVE)
}

/// Operations by second of the servers' processor time.
pub(super) fn per_cpu_second(sample: &Sample) -> f64 {
    sample.ops as f64 / sample.cpu_seconds.max(f64::MIN_POSITIVE)
}

/// Half of the answers took less, in microseconds.
pub(super) fn p50_micros(sample: &Sample) -> f64 {
    sample.p50_nanos as f64 / 1e3
}

/// 99 of 100 answers took less, in microseconds.
pub(super) fn p99_micros(sample: &Sample) -> f64 {
    sample.p99_nanos as f64 / 1e3
}

/// All of them, whether they could be measured or not.
pub(super) fn all(results: &Results<'_>, pipeline: usize, gaps: &[GapRow]) -> Vec<Target> {
    let most = results.clients();
    let etcd = (Store::Palco, Store::Etcd);
    let redis = (Store::Palco, Store::RedisMemory);
    let at_least = |what: String, least: f64, reached: Option<Spread>| Target {
        what,
        wanted: format!("≥ {least}"),
        reached,
        verdict: Verdict::of(reached.map(|reached| reached.median >= least)),
    };
    let gets = results.ratio(Operation::Get, most, etcd, per_cpu_second);
    let sets = results.ratio(Operation::Set, most, etcd, per_cpu_second);
    let pipelined = results.ratio(Operation::PipelinedGet, most, redis, per_second);
    let alone = results.ratio(Operation::Set, 1, etcd, p50_micros);
    let mut targets = vec![
        at_least(format!("gets per server CPU-second, {most} clients, palco : etcd"), 10.0, gets),
        at_least(
            format!("durable sets per server CPU-second, {most} clients, palco : etcd"),
            8.0,
            sets,
        ),
        at_least(
            format!("gets per second, {most} clients × {pipeline}, palco × 3 : redis × 1"),
            0.7,
            pipelined,
        ),
        Target {
            what: "p50 of a durable set, 1 client, palco : etcd".to_owned(),
            wanted: "≤ 0.35".to_owned(),
            reached: alone,
            verdict: Verdict::of(alone.map(|alone| alone.median <= 0.35)),
        },
    ];
    targets.extend(gaps.iter().filter(|row| row.store == Store::Palco).map(|row| Target {
        what: format!("longest gap in ms, {}", row.event),
        wanted: "≤ usual p99.9 and the time between two operations".to_owned(),
        reached: row.during.and_then(|during| Spread::of([during.gap_ms])),
        verdict: Verdict::of(row.is_without_gap()),
    }));
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ops: u64, cpu_seconds: f64, p50_nanos: u64) -> Sample {
        Sample { ops, seconds: 1.0, cpu_seconds, p50_nanos, ..Sample::default() }
    }

    #[test]
    fn verdicts_follow_the_ratios_of_the_same_rounds() {
        let stores = [Store::Palco, Store::Etcd];
        let cell = |store, operation, clients| Cell { store, operation, clients };
        let cells = [
            cell(0, Operation::Get, 16),
            cell(1, Operation::Get, 16),
            cell(0, Operation::Set, 1),
            cell(1, Operation::Set, 1),
        ];
        let played = [
            Ok(vec![sample(100, 1.0, 1), sample(300, 1.0, 1)]),
            Ok(vec![sample(10, 1.0, 1), sample(20, 1.0, 1)]),
            Ok(vec![sample(1, 1.0, 400)]),
            Ok(vec![sample(1, 1.0, 1_000)]),
        ];
        let results = Results { stores: &stores, cells: &cells, played: &played };
        let targets = all(&results, 16, &[]);
        let verdicts: Vec<_> = targets.iter().map(|target| target.verdict).collect();
        use Verdict::{Met, NotMet, Unknown};
        assert_eq!(verdicts, [Met, Unknown, Unknown, NotMet]);
        let gets = targets[0].reached.unwrap();
        assert_eq!((gets.median, gets.min, gets.max), (12.5, 10.0, 15.0));
        assert!(targets[0].what.contains("16 clients"));
    }
}
