//! Actors side by side: what a message, a start and an idle actor cost in palco, in its peers, and with nothing but a
//! queue.
//!
//! Every contestant does the same work: its handler adds a number to a count and replies with the count, and every
//! reply is compared with what it must be. One round of one contestant starts from nothing, warms up, is timed, and is
//! torn down; rounds are interleaved, in an order that is rotated, so that whatever else the machine does meets all.

#[cfg(feature = "peers")]
mod actix;
mod bare;
mod contest;
#[cfg(feature = "peers")]
mod kameo;
mod memory;
pub(crate) mod pace;
pub(crate) mod palco;
mod process;
mod question;
#[cfg(feature = "peers")]
mod ractor;
mod runtimes;
mod tokio;

pub(crate) use contest::{Contestant, Load, Outcome, Refusal, Round};
use memory::Holder;
use palco_actors::Repertoire;
pub use question::Question;

use crate::machine::Machine;
use crate::report::{NOTES, Report, SCHEMA, Table};

/// What to measure and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often every contestant has its turn; ratios are paired round by round. At least 1, 9 by default.
    pub rounds: usize,
    /// Asks between two threads in a round, 15 000 by default; other questions take a fixed multiple of it.
    pub ops_per_round: u64,
    /// One question instead of all.
    pub only: Option<Question>,
    /// A tenth of everything but the rounds: seconds instead of a minute, for a look and not for a record.
    pub quick: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rounds: 9, ops_per_round: 15_000, only: None, quick: false }
    }
}

impl Settings {
    pub(crate) fn ops(&self) -> u64 {
        if self.quick { self.ops_per_round / 10 } else { self.ops_per_round }
    }

    fn asks(&self, question: Question) -> bool {
        self.only.is_none_or(|only| only == question)
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The contestant whose turn begins.
    pub row: &'a str,
    /// What it is asked.
    pub question: Question,
    /// The round, from 1.
    pub round: usize,
    /// Turns done so far.
    pub done: usize,
    /// Turns in the whole run.
    pub total: usize,
}

/// Measures. Takes a good minute, quick about ten seconds, and needs the machine for itself.
///
/// Blocks the calling thread, so it must not be called on an event loop. `progress` is called before every turn.
/// A contestant that cannot run or does not do the whole work has a row that says so.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress<'_>)) -> Report {
    let mut machine = Machine::look();
    let rounds = settings.rounds.max(1);
    let timed: Vec<_> = contestants().into_iter().filter(|c| settings.asks(c.question)).collect();
    let held: Vec<_> = holders().into_iter().filter(|h| settings.asks(h.question)).collect();
    let total = timed.len() * rounds + held.len();
    let played =
        contest::play(&timed, settings, |Contestant { name, question, .. }, round, done| {
            progress(Progress { row: name, question: *question, round, done, total });
        });
    let tables = Table::all(&timed, &played);
    // Last, so that the memory of a hundred thousand actors does not scatter the heap of the timed rounds.
    let memory = memory::weigh(&held, settings, |Holder { name, question, .. }, turn| {
        let done = total - held.len() + turn;
        progress(Progress { row: name, question: *question, round: 1, done, total });
    });
    machine.look_again();
    let notes = NOTES.iter().map(|note| (*note).to_owned()).collect();
    Report { schema: SCHEMA.to_owned(), machine, rounds, tables, memory, notes }
}

/// The actors that the processes of a run can be started for.
pub(crate) fn players(repertoire: Repertoire) -> Repertoire {
    repertoire.with::<palco::Counter>().with::<process::Peer>()
}

/// Everybody who is timed, question by question.
fn contestants() -> Vec<Contestant> {
    let mut all = palco::contestants();
    #[cfg(feature = "peers")]
    all.extend(
        [actix::contestants(), ractor::contestants(), kameo::contestants()].into_iter().flatten(),
    );
    all.extend(tokio::contestants());
    all.extend(bare::contestants());
    all.extend(process::contestants());
    let confined: Vec<_> = all.iter().filter_map(Contestant::confined).collect();
    all.extend(confined);
    all
}

/// Everybody whose memory is weighed.
fn holders() -> Vec<Holder> {
    let mut all = palco::holders();
    #[cfg(feature = "peers")]
    all.extend([actix::holders(), ractor::holders(), kameo::holders()].into_iter().flatten());
    all.extend(tokio::holders());
    all.extend(bare::holders());
    all
}
