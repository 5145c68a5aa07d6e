//! What clients ask and are told, as it happens.
//!
//! Keys come in generations: after some time, or many operations, clients go on with fresh ones, and as soon as nobody asks
//! about the old ones any more their history is complete from the first operation on, goes to the judge, and is forgotten
//! but for what the keys must still hold at the end. So a run of any length is judged without cutting a history anywhere.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use palco_core::Time;
use palco_rambo::Key;
use palco_replica::key_of;
use palco_sim::history::{Asked, ClientId, History, Invocation, OperationId, Outcome};
use parking_lot::Mutex;

use crate::Fault;
use crate::figures::Figures;

/// Operations of a generation, after which the next begins: a search over one of its keys takes a second at most.
const OPERATIONS_MAX: usize = 12_000;

/// How long a generation lasts, at most: a wrong answer is noticed soon.
const LASTS_MAX: Duration = Duration::from_secs(10);

/// What a key is used for, which its name says to the registers too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Read and written.
    Plain,
    /// Compared and swapped, set, deleted.
    Swapped,
    /// Incremented by one, and nothing else: so its value is its version.
    Counted,
}

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As clients write it.
    pub(crate) name: String,
    pub(crate) key: Key,
    pub(crate) purpose: Use,
}

/// Keys that are used at the same time, and what was asked about them.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) number: u32,
    pub(crate) keys: Vec<Named>,
    begun: Instant,
    tape: Mutex<Tape>,
}

#[derive(Debug, Default)]
struct Tape {
    history: History,
    open: usize,
    is_closed: bool,
}

/// A complete history, and its keys.
#[derive(Debug)]
pub(crate) struct Complete {
    pub(crate) number: u32,
    pub(crate) keys: Vec<Named>,
    pub(crate) history: History,
}

/// An operation under way.
#[derive(Debug)]
pub(crate) struct Ticket {
    generation: Arc<Generation>,
    operation: OperationId,
    called: Time,
}

/// Where all clients write down what they see.
#[derive(Debug)]
pub(crate) struct Recorder {
    begun: Instant,
    /// What makes the names of this run's keys differ from those of any other.
    run: String,
    keys: u16,
    current: Mutex<Arc<Generation>>,
    pub(crate) figures: Mutex<Figures>,
    /// Nobody, once everything is recorded.
    judge: Mutex<Option<Sender<Complete>>>,
}

impl Recorder {
    /// With so many keys at a time; `run` begins their names.
    pub(crate) fn new(run: String, keys: u16, time: Duration, judge: Sender<Complete>) -> Self {
        let first = Arc::new(Generation::new(&run, 0, keys));
        let figures = Mutex::new(Figures::new(time));
        Self {
            begun: Instant::now(),
            run,
            keys,
            current: Mutex::new(first),
            figures,
            judge: Mutex::new(Some(judge)),
        }
    }

    /// Since the start of the run.
    pub(crate) fn now(&self) -> Time {
        Time::START + self.begun.elapsed()
    }

    /// The keys to ask about.
    pub(crate) fn current(&self) -> Arc<Generation> {
        let (current, old) = {
            let mut current = self.current.lock();
            if !current.is_due() {
                return Arc::clone(&current);
            }
            let next = Arc::new(Generation::new(&self.run, current.number + 1, self.keys));
            let old = std::mem::replace(&mut *current, next);
            (Arc::clone(&current), old)
        };
        self.close(&old);
        current
    }

    /// No key is asked about any more, and nobody waits for an answer: the judge hears the last of it.
    pub(crate) fn finish(&self) {
        let current = Arc::clone(&self.current.lock());
        self.close(&current);
        drop(self.judge.lock().take());
    }

    fn close(&self, generation: &Generation) {
        let mut tape = generation.tape.lock();
        tape.is_closed = true;
        self.hand_over(generation, &mut tape);
    }

    fn hand_over(&self, generation: &Generation, tape: &mut Tape) {
        if tape.is_closed && tape.open == 0 && !tape.history.is_empty() {
            let history = std::mem::take(&mut tape.history);
            let (number, keys) = (generation.number, generation.keys.clone());
            // The judge is there as long as clients are.
            if let Some(judge) = &*self.judge.lock() {
                let _ = judge.send(Complete { number, keys, history });
            }
        }
    }

    /// An operation begins now; nothing if its key is not to be asked about any more.
    pub(crate) fn call(
        &self,
        generation: &Arc<Generation>,
        client: ClientId,
        key: usize,
        asked: Asked,
    ) -> Option<Ticket> {
        let mut tape = generation.tape.lock();
        if tape.is_closed {
            return None;
        }
        tape.open += 1;
        let called = self.now();
        let key = generation.keys[key].key.clone();
        let operation = tape.history.call(Invocation { client, key, asked, at: called });
        Some(Ticket { generation: Arc::clone(generation), operation, called })
    }

    /// It ends now.
    pub(crate) fn end(&self, ticket: Ticket, outcome: Outcome) {
        let Ticket { generation, operation, called } = ticket;
        let at = {
            let mut tape = generation.tape.lock();
            let at = self.now();
            tape.history.end(operation, at, outcome.clone());
            tape.open -= 1;
            self.hand_over(&generation, &mut tape);
            at
        };
        self.figures.lock().ended(called, at, &outcome);
    }

    /// A fault begins or ends now.
    pub(crate) fn fault(&self, fault: Option<Fault>) {
        let now = self.now();
        self.figures.lock().fault(fault, now);
    }
}

impl Generation {
    fn new(run: &str, number: u32, keys: u16) -> Self {
        let named = |index: u16| {
            // Half of them plain; of the others two of three swapped.
            let (purpose, class) = match index % 6 {
                1 | 5 => (Use::Swapped, "cas:"),
                3 => (Use::Counted, "counter:"),
                _ => (Use::Plain, ""),
            };
            let name = format!("{class}{run}.{number}.{index}");
            Named { key: key_of(name.clone().into()), name, purpose }
        };
        let keys = (0..keys.max(1)).map(named).collect();
        Self { number, keys, begun: Instant::now(), tape: Mutex::default() }
    }

    fn is_due(&self) -> bool {
        self.tape.lock().history.len() >= OPERATIONS_MAX || self.begun.elapsed() >= LASTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use palco_rambo::Tag;
    use palco_sim::history::Done;

    use super::*;

    #[test]
    fn a_history_goes_to_the_judge_when_its_last_operation_ends() {
        let (sender, judge) = channel();
        let recorder = Recorder::new("r".to_owned(), 6, Duration::from_secs(1), sender);
        let generation = recorder.current();
        let call = |client| recorder.call(&generation, ClientId(client), 0, Asked::Read).unwrap();
        let (first, second) = (call(1), call(2));
        let read = Done::Read { tag: Tag::ZERO, value: None };
        recorder.end(first, Outcome::Done(read));
        recorder.close(&generation);
        assert!(recorder.call(&generation, ClientId(1), 0, Asked::Read).is_none());
        assert!(judge.try_recv().is_err(), "one operation is under way");
        recorder.end(second, Outcome::Unknown);
        let complete = judge.try_recv().unwrap();
        assert_eq!((complete.number, complete.history.len()), (0, 2));
    }

    #[test]
    fn names_say_the_class_and_differ_between_generations() {
        let [one, other] = [0, 1].map(|number| Generation::new("r", number, 6));
        let purposes: Vec<_> = one.keys.iter().map(|key| key.purpose).collect();
        assert_eq!(purposes.iter().filter(|purpose| **purpose == Use::Plain).count(), 3);
        assert!(purposes.contains(&Use::Swapped) && purposes.contains(&Use::Counted));
        assert!(one.keys.iter().zip(&other.keys).all(|(one, other)| one.key != other.key));
    }
}
