//! What a writer has done.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::compaction::{Compacted, CompactionError};
use super::log::{Flushed, Log};

/// Longer flushes are counted as this long, in nanoseconds: a minute.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// More records of one flush are counted as this many.
const RECORDS_MAX: u64 = 1 << 24;

/// What a writer has done since it was started.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Flushes.
    pub syncs: u64,
    /// Records that were flushed.
    pub records: u64,
    /// Bytes that were flushed.
    pub bytes: u64,
    /// Records of each flush; two digits are exact.
    pub batches: Histogram<u64>,
    /// How long writing and flushing took each time, in nanoseconds; two digits are exact.
    pub latency: Histogram<u64>,
    /// Bytes of all files of the log.
    pub log_bytes: u64,
    /// Files of the log.
    pub log_files: u64,
    /// Times that the log was looked through and rewritten.
    pub compactions: u64,
    /// Times that it was looked through and left as it was, for there was too little garbage.
    pub spared: u64,
    /// Times that it could not be.
    pub compactions_failed: u64,
    /// Why, the last time.
    pub compaction_error: Option<String>,
}

impl Statistics {
    pub(super) fn of(log: &Log) -> Self {
        let histogram = |max| Histogram::new_with_max(max, 2).expect("two digits up to a number");
        Self {
            syncs: 0,
            records: 0,
            bytes: 0,
            batches: histogram(RECORDS_MAX),
            latency: histogram(LATENCY_NS_MAX),
            log_bytes: log.bytes(),
            log_files: log.files() as u64,
            compactions: 0,
            spared: 0,
            compactions_failed: 0,
            compaction_error: None,
        }
    }

    pub(super) fn flushed(&mut self, flushed: Flushed, took: Duration, log: &Log) {
        self.syncs += 1;
        self.records += flushed.records;
        self.bytes += flushed.bytes;
        self.batches.saturating_record(flushed.records);
        self.latency.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        self.size(log);
    }

    pub(super) fn compacted(&mut self, result: &Result<Compacted, CompactionError>, log: &Log) {
        match result {
            Ok(Compacted { rewritten: Some(_), .. }) => self.compactions += 1,
            Ok(Compacted { rewritten: None, .. }) => self.spared += 1,
            Err(error) => {
                self.compactions_failed += 1;
                self.compaction_error = Some(chain(error));
            }
        }
        self.size(log);
    }

    fn size(&mut self, log: &Log) {
        self.log_bytes = log.bytes();
        self.log_files = log.files() as u64;
    }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
