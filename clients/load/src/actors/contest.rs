//! A contestant, its rounds, and whose turn it is.

use std::fmt::Display;
use std::future::ready;
use std::thread;

use palco_processes::Spawner;
use serde::{Deserialize, Serialize};

use super::{Question, Settings};
use crate::cores;

/// One row of the report.
pub(crate) struct Contestant {
    pub(crate) question: Question,
    pub(crate) name: &'static str,
    /// Where asker and actor ran, and what bounds the mailbox.
    pub(crate) setting: &'static str,
    /// The others of the same question are compared with it.
    pub(crate) is_baseline: bool,
    /// One round, from nothing to nothing, on a thread of its own.
    pub(crate) run: fn(Load) -> Outcome,
}

impl Contestant {
    pub(crate) fn new(
        question: Question,
        name: &'static str,
        setting: &'static str,
        run: fn(Load) -> Outcome,
    ) -> Self {
        Self { question, name, setting, is_baseline: false, run }
    }

    /// The same contestant with its threads confined, if the question has that variant.
    pub(crate) fn confined(&self) -> Option<Self> {
        self.question.confined().map(|question| Self { question, ..*self })
    }

    /// The one that the others are compared with.
    #[cfg(any(feature = "peers", test))]
    pub(crate) fn baseline(self) -> Self {
        Self { is_baseline: true, ..self }
    }
}

/// The work of one round.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    pub(crate) samples: u64,
    /// Done before the timing begins.
    pub(crate) warmup_samples: u64,
    pub(crate) ops_per_sample: u64,
    /// Asker and actor are kept on two cores.
    pub(crate) confined: bool,
    /// The processor time of other processes, which descend from this one, is part of it.
    pub(crate) with_processes: bool,
}

impl Load {
    /// Called once on the asker's thread.
    pub(crate) fn place_asker(self) {
        if self.confined {
            cores::confine(0);
        }
    }

    /// Called once on the actor's thread.
    pub(crate) fn place_actor(self) {
        if self.confined {
            cores::confine(1);
        }
    }
}

/// What one round took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// Nanoseconds of each sample.
    pub(crate) samples: Vec<u64>,
    pub(crate) ops: u64,
    pub(crate) ops_per_sample: u64,
    pub(crate) wall_nanos: u64,
    /// Processor time of the whole process meanwhile, with its descendants where they are part of it.
    pub(crate) cpu_nanos: u64,
}

pub(crate) type Outcome = Result<Round, Refusal>;

/// Why a row has no figures.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("did not do the work: the count is {got} where it must be {expected}")]
    WrongCount { expected: u64, got: u64 },
    #[error("failed: {0}")]
    Failed(String),
    #[error("absent: {0}")]
    Absent(String),
    #[error("panicked")]
    Panicked,
}

impl Refusal {
    pub(crate) fn failed(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    pub(crate) fn unless_equal(expected: u64, got: u64) -> Result<(), Self> {
        if expected == got { Ok(()) } else { Err(Self::WrongCount { expected, got }) }
    }
}

/// Plays all rounds; the result has the contestants' order, each with its rounds or the first refusal.
///
/// Within a round the questions follow each other, and within a question the contestants, beginning with another one
/// each round. So a row and its baseline run within moments of each other, and nobody always runs first.
pub(crate) fn play(
    contestants: &[Contestant],
    settings: &Settings,
    mut turn: impl FnMut(&Contestant, usize, usize),
) -> Vec<Result<Vec<Round>, Refusal>> {
    let mut played: Vec<Result<Vec<Round>, Refusal>> =
        contestants.iter().map(|_| Ok(Vec::new())).collect();
    let mut done = 0;
    // On a thread that may run everywhere: palco counts the cores when it first waits, and spins only if there are two.
    palco_threads::block_on(ready(()));
    // And the thread that starts all processes hands on to them where it may run itself.
    let _started = Spawner::new();
    for round in 0..settings.rounds.max(1) {
        for question in Question::ALL {
            let mut order: Vec<usize> =
                (0..contestants.len()).filter(|i| contestants[*i].question == question).collect();
            if !order.is_empty() {
                let first = round % order.len();
                order.rotate_left(first);
            }
            for index in order {
                let contestant = &contestants[index];
                turn(contestant, round + 1, done);
                done += 1;
                if let Ok(rounds) = &mut played[index] {
                    match take_turn(contestant, settings) {
                        Ok(round) => rounds.push(round),
                        Err(refusal) => played[index] = Err(refusal),
                    }
                }
            }
        }
    }
    played
}

/// On a fresh thread: what one contestant leaves in thread-local storage, another must not find.
fn take_turn(contestant: &Contestant, settings: &Settings) -> Outcome {
    let load = contestant.question.load(settings.ops());
    thread::scope(|scope| scope.spawn(|| (contestant.run)(load)).join())
        .unwrap_or(Err(Refusal::Panicked))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use palco_threads::block_on;

    use super::super::pace;
    use super::*;

    fn contestant(name: &'static str, run: fn(Load) -> Outcome) -> Contestant {
        Contestant::new(Question::TellSameLoop, name, "", run)
    }

    fn honest(load: Load) -> Outcome {
        let mut count = 0;
        block_on(pace::asks(load, |n| {
            count += n;
            ready(Ok(count))
        }))
    }

    /// Loses every hundredth message, which makes it faster.
    fn loses_messages(load: Load) -> Outcome {
        let (count, sent) = (Cell::new(0), Cell::new(0));
        let tell = |n: u64| {
            sent.set(sent.get() + n);
            count.set(count.get() + if sent.get() % 100 == 0 { 0 } else { n });
            ready(Ok(()))
        };
        block_on(pace::tells(load, tell, || ready(Ok(count.get()))))
    }

    #[test]
    fn a_contestant_that_loses_messages_is_refused() {
        let both = [contestant("honest", honest), contestant("loser", loses_messages)];
        let settings = Settings { rounds: 2, ops_per_round: 1_000, ..Settings::default() };
        let played = play(&both, &settings, |_, _, _| {});
        assert_eq!(played[0].as_ref().unwrap().len(), 2);
        let refusal = played[1].as_ref().unwrap_err();
        assert_eq!(*refusal, Refusal::WrongCount { expected: 512, got: 507 });
    }

    #[test]
    fn a_contestant_that_panics_costs_only_its_own_row() {
        let both = [contestant("panics", |_| panic!("on purpose")), contestant("honest", honest)];
        let played = play(&both, &Settings { rounds: 1, ..Settings::default() }, |_, _, _| {});
        assert_eq!(*played[0].as_ref().unwrap_err(), Refusal::Panicked);
        assert!(played[1].is_ok());
    }

    #[test]
    fn everybody_begins_once() {
        let three = ["a", "b", "c"].map(|name| contestant(name, honest));
        let mut order = String::new();
        let settings = Settings { rounds: 3, ops_per_round: 1, ..Settings::default() };
        play(&three, &settings, |contestant, _, _| order.push_str(contestant.name));
        assert_eq!(order, "abcbcacab");
    }
}
