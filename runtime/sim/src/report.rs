//! What a run showed.

use std::time::Duration;

use palco_core::Time;
use serde::Serialize;

use crate::latencies::Latencies;
use crate::trace::Trace;

/// The outcome of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The run's seed.
    pub seed: u64,
    /// What was wrong, in the order in which it was found; empty is what one hopes for.
    pub violations: Vec<Violation>,
    /// Hash over every event of the run in order: two runs of one seed have the same.
    pub digest: u64,
    /// Counts and times.
    pub figures: Figures,
    /// What was recorded, if it was wanted.
    pub trace: Option<Trace>,
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which check objected: `floor` (L3), `linearizability`, `I1` … `I6`, `L1`, `L2`, `durability` (I5 at any later
    /// time), `liveness`, `reconfiguration` (an answer that cannot be), `restart`, `wire`.
    pub check: &'static str,
    /// When, in the run's own time.
    pub at: Time,
    /// What was seen, in one or a few sentences with names, tags and times.
    pub what: String,
}

/// Counts and times of a run; sums over many runs are made with [`Figures::add`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Runs that were added up.
    pub runs: u64,
    /// What was asked, by its end.
    pub done: u64,
    /// Ended without anybody knowing whether it happened.
    pub unknown: u64,
    /// Did not happen.
    pub failed: u64,
    /// Reads that were done, in one round and in all rounds.
    pub reads: u64,
    /// Of those, the ones that took a single round.
    pub reads_one_round: u64,
    /// Rounds of all reads.
    pub read_rounds: u64,
    /// Writes that were done.
    pub writes: u64,
    /// Rounds of all writes.
    pub write_rounds: u64,
    /// Changes of keys of class cas that were done, failed comparisons included.
    pub changes: u64,
    /// Rounds of all changes.
    pub change_rounds: u64,
    /// Messages sent between different nodes.
    pub messages: u64,
    /// Their bytes, as encoded.
    pub bytes: u64,
    /// Messages that never came: lost, cut off, or to who was not there.
    pub messages_lost: u64,
    /// Records flushed, and flushes.
    pub records: u64,
    /// Flushes of disks.
    pub flushes: u64,
    /// Reconfigurations that were installed.
    pub reconfigurations: u64,
    /// Asked for, and overtaken by another.
    pub superseded: u64,
    /// Refused because their members did not answer.
    pub refused: u64,
    /// Round trips of all that were installed.
    pub reconfiguration_phases: u64,
    /// Until they were decided, summed.
    pub decided: Duration,
    /// Until they were installed, summed.
    pub installed: Duration,
    /// The longest of those.
    pub installed_max: Duration,
    /// The longest time between two operations that were done, over all clients.
    pub gap_max: Duration,
    /// Latencies of what was done, in the run's own time: the median.
    pub latency_p50: Duration,
    /// And the 99th percentile.
    pub latency_p99: Duration,
    /// The run's own time from begin to end, summed.
    pub virtual_time: Duration,
    /// Crashes, disk losses, pauses, partitions and the like that were inflicted.
    pub faults: u64,
    /// Histories that the black-box checker searched, and decided.
    pub histories: u64,
    /// Of those, too long to be decided: no verdict.
    pub histories_undecided: u64,
    /// Where the two latencies come from: percentiles of sums cannot be had from percentiles.
    #[serde(skip)]
    pub(crate) latencies: Latencies,
}

impl Figures {
    /// Adds another run or sum of runs: counts and times are summed, of the longest times the longer stays, and the
    /// percentiles are those of both together.
    pub fn add(&mut self, other: &Self) {
        let Self {
            runs,
            done,
            unknown,
            failed,
            reads,
            reads_one_round,
            read_rounds,
            writes,
            write_rounds,
            changes,
            change_rounds,
            messages,
            bytes,
            messages_lost,
            records,
            flushes,
            reconfigurations,
            superseded,
            refused,
            reconfiguration_phases,
            decided,
            installed,
            installed_max,
            gap_max,
            latency_p50,
            latency_p99,
            virtual_time,
            faults,
            histories,
            histories_undecided,
            latencies,
        } = self;
        for (mine, theirs) in [
            (runs, other.runs),
            (done, other.done),
            (unknown, other.unknown),
            (failed, other.failed),
            (reads, other.reads),
            (reads_one_round, other.reads_one_round),
            (read_rounds, other.read_rounds),
            (writes, other.writes),
            (write_rounds, other.write_rounds),
            (changes, other.changes),
            (change_rounds, other.change_rounds),
            (messages, other.messages),
            (bytes, other.bytes),
            (messages_lost, other.messages_lost),
            (records, other.records),
            (flushes, other.flushes),
            (reconfigurations, other.reconfigurations),
            (superseded, other.superseded),
            (refused, other.refused),
            (reconfiguration_phases, other.reconfiguration_phases),
            (faults, other.faults),
            (histories, other.histories),
            (histories_undecided, other.histories_undecided),
        ] {
            *mine += theirs;
        }
        *decided += other.decided;
        *installed += other.installed;
        *virtual_time += other.virtual_time;
        *installed_max = other.installed_max.max(*installed_max);
        *gap_max = other.gap_max.max(*gap_max);
        latencies.add(&other.latencies);
        (*latency_p50, *latency_p99) = (latencies.percentile(50), latencies.percentile(99));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_add_counts_keep_the_longest_and_mix_the_latencies() {
        let run = |done, gap, micros: &[u64]| {
            let mut latencies = Latencies::default();
            for &micros in micros {
                latencies.record(Duration::from_micros(micros));
            }
            let gap_max = Duration::from_millis(gap);
            Figures { runs: 1, done, gap_max, latencies, ..Figures::default() }
        };
        let mut sum = Figures::default();
        sum.add(&run(3, 9, &[100, 100, 100]));
        sum.add(&run(2, 4, &[900, 900]));
        assert_eq!((sum.runs, sum.done, sum.gap_max), (2, 5, Duration::from_millis(9)));
        assert!(sum.latency_p50 <= Duration::from_micros(100));
        assert!(sum.latency_p99 >= Duration::from_micros(840));
    }
}
