//! A whole run: which cells, measured in turns, and what others say of them.

use std::time::Duration;

use crate::matrix::{Extent, Filter, Matrix, Topic};
use crate::session::{self, Progress, Settings};
use crate::sides::{self, placement};
use crate::{Cores, Key, Policy, Raw, Report, Section, Subject, Unavailable, Unit};
use crate::{create, local, memory, peers, ring, throughput};

/// What to measure, and how.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it is about.
    pub topic: Topic,
    /// How much of it.
    pub extent: Extent,
    /// Which cells of it.
    pub filter: Filter,
    /// Rounds of every cell; at least 3.
    pub rounds: u32,
    /// Decides the order of the cells in each round.
    pub seed: u64,
    /// Whether rounds count during which the processor was slower than it can be.
    pub keep_noisy: bool,
    /// Whether other tools are run too.
    pub peers: bool,
    /// The command line, for the report.
    pub command: String,
}

/// Nothing was measured: why, and what to do.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Nothing is left of the matrix.
    #[error("no row is left: the filters exclude each other; leave one of them out, or add --full")]
    NothingFits,
    /// Children are made by fork, which a process of several threads must not do.
    #[error("this process has several threads already; measure in one that has just begun")]
    SeveralThreads,
}

impl Run {
    /// Measures. Must be called in a process that has one thread.
    ///
    /// # Errors
    /// [`RunError`]; what goes wrong with single cells is said in the report.
    pub fn measure(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Report, RunError> {
        if !palco_sys::is_single_threaded().unwrap_or(false) {
            return Err(RunError::SeveralThreads);
        }
        let mut matrix = Matrix::of(self.topic, self.extent, &self.filter);
        // Who asks for real time is told that it is refused; who does not gets what there is.
        let no_real_time = placement::check_policy(Policy::Fifo).err();
        let no_real_time = no_real_time.filter(|_| self.filter.policies.is_empty());
        if no_real_time.is_some() {
            matrix.schedule_as_usual();
        }
        if !matrix.keys.iter().any(|key| self.filter.asks_for(key)) {
            return Err(RunError::NothingFits);
        }
        let settings = Settings {
            rounds: self.rounds,
            budget: self.budget(matrix.keys.len()),
            order_seed: self.seed,
            keep_noisy: self.keep_noisy,
            quick: self.extent == Extent::Quick,
            command: self.command.clone(),
            processor: placement::processors(Cores::Same).ok().map(|[first, _]| first as usize),
            ..Settings::default()
        };
        let pairs: Vec<_> = matrix
            .pairs
            .into_iter()
            .map(|pair| (pair.question, pair.subject.to_string(), pair.baseline.to_string()))
            .collect();
        let subjects = matrix.keys.into_iter().map(subject).collect();
        let mut report = session::run(subjects, &pairs, &settings, progress);
        let remark = no_real_time.map(|why| format!("every row was scheduled as usual: {why}"));
        report.remarks.splice(0..0, remark);
        if self.peers {
            report.peers = peers::claims(|command| {
                progress(Progress { done: 1, total: 1, eta: Duration::ZERO, row: command });
            });
        }
        Ok(report)
    }

    /// The look at the machine not counted.
    fn budget(&self, cells: usize) -> Duration {
        let usual = match self.extent {
            Extent::Quick => Duration::from_secs(7),
            Extent::Usual => Duration::from_secs(45),
            // Never less than what a usual run has, however few they are.
            Extent::Full => Duration::from_millis(600 * cells as u64).max(Duration::from_secs(45)),
        };
        usual.mul_f64((f64::from(self.rounds) / 7.0).max(1.0))
    }
}

/// Who measures a cell.
fn subject(key: Key) -> Box<dyn Subject> {
    known(&key).unwrap_or_else(|| Box::new(Unknown(key)))
}

fn known(key: &Key) -> Option<Box<dyn Subject>> {
    match (key.section, key.unit) {
        (Section::Ring, _) => ring::subject(key.clone()),
        (Section::Create, _) => create::subject(key.clone()),
        (Section::Memory, _) => memory::subject(key.clone()),
        (Section::IpcThroughput, _) => throughput::subject(key.clone()),
        (Section::Floor, Unit::Inline) | (_, Unit::Inline | Unit::Fiber | Unit::Task) => {
            local::subject(key.clone())
        }
        (_, Unit::Thread | Unit::Process) => {
            local::subject(key.clone()).or_else(|| Some(sides::subject(key.clone())))
        }
    }
}

/// A cell that this build does not have.
struct Unknown(Key);

impl Subject for Unknown {
    fn key(&self) -> Key {
        self.0.clone()
    }

    fn round(&mut self, _: u64) -> Result<Raw, Unavailable> {
        Err(Unavailable("not in this build: it was made without feature `peers`".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_matrix_has_somebody_who_measures_it() {
        for topic in [Topic::Switch, Topic::Ring, Topic::Create, Topic::Memory, Topic::Ipc] {
            for key in Matrix::of(topic, Extent::Full, &Filter::default()).keys {
                assert!(known(&key).is_some(), "{key}");
                assert_eq!(subject(key.clone()).key(), key);
            }
        }
    }
    #[test]
    fn a_full_run_of_few_rows_has_as_much_time_as_a_usual_one() {
        let budget = |extent, cells| {
            let (topic, filter, command) = (Topic::Switch, Filter::default(), String::new());
            let (rounds, seed, keep_noisy, peers) = (7, 1, false, false);
            Run { topic, extent, filter, rounds, seed, keep_noisy, peers, command }.budget(cells)
        };
        assert_eq!(budget(Extent::Full, 4), budget(Extent::Usual, 4));
        assert!(budget(Extent::Full, 300) > budget(Extent::Usual, 300));
    }
}
