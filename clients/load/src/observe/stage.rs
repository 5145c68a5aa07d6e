//! A system with its actors, and the account of what they did.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use palco_actors::{ActorRef, Place, SpawnOptions, System};
use palco_threads::block_on;

use super::players::{
    ASK_WITHIN, Ask, Asker, Book, HOPS, Pacer, Phase, Question, Runner, Tick, Token, Wiring,
};
use crate::actors::Refusal;

/// Between two questions to a paced stage.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// How long it may take until all that was begun is done.
const END_WITHIN: Duration = Duration::from_secs(20);

/// How the actors of a stage are set going.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drive {
    /// So many tokens on each loop, each with a successor.
    Circulating(usize),
    /// One actor asks another one.
    Asking,
    /// So many messages a second in all; a thread asks now and then.
    Paced(u64),
}

pub(super) struct Stage {
    pub(super) system: System,
    pub(super) book: Arc<Book>,
    runners: Arc<[ActorRef<Runner>]>,
    drive: Drive,
    loops: usize,
    prober: Option<JoinHandle<()>>,
}

impl Stage {
    /// `actors` on `loops`, wired, at rest.
    pub(super) fn build(actors: usize, loops: usize, drive: Drive) -> Result<Self, Refusal> {
        let system = System::builder().event_loops(loops).build().map_err(Refusal::failed)?;
        // Its thread starts with the first timer: not from a loop that has to stay on its core.
        block_on(system.clock().sleep(Duration::from_millis(1)));
        let book = Arc::new(Book::new(loops));
        let block = actors.div_ceil(loops).max(1);
        let circulates = matches!(drive, Drive::Circulating(_));
        let runner = |index: usize| {
            let (book, line) = (Arc::clone(&book), index / block);
            let core = (loops > 1 && index.is_multiple_of(block)).then_some(line);
            let options =
                SpawnOptions::new().name(format!("runner-{index}")).place(Place::Loop(line));
            let make =
                move || Runner { book: Arc::clone(&book), line, circulates, core, wiring: None };
            system.spawn(options, make).map_err(Refusal::failed)
        };
        let runners: Arc<[_]> = (0..actors).map(runner).collect::<Result<Vec<_>, _>>()?.into();
        for (index, runner) in runners.iter().enumerate() {
            // Round within the block of the loop; the last block may be shorter.
            let next = if (index + 1).is_multiple_of(block) || index + 1 == actors {
                index / block * block
            } else {
                index + 1
            };
            let (next, far) =
                (runners[next].clone(), runners[(index + block + 1) % actors].clone());
            block_on(runner.tell(Wiring { next, far })).map_err(Refusal::failed)?;
        }
        Ok(Self { system, book, runners, drive, loops, prober: None })
    }

    /// Sets it going.
    pub(super) fn begin(&mut self) -> Result<(), Refusal> {
        match self.drive {
            Drive::Circulating(tokens_per_loop) => {
                let tokens = tokens_per_loop * self.loops;
                for turn in 0..tokens {
                    let runner = &self.runners[turn * self.runners.len() / tokens];
                    self.book.enter_token();
                    runner.try_tell(Token(HOPS)).map_err(Refusal::failed)?;
                }
            }
            Drive::Asking => {
                let (book, runner) = (Arc::clone(&self.book), self.runners[0].clone());
                let make = move || Asker { book: Arc::clone(&book), runner: runner.clone() };
                let options = SpawnOptions::new().name("asker").place(Place::Loop(0));
                let asker = self.system.spawn(options, make).map_err(Refusal::failed)?;
                asker.try_tell(Ask).map_err(Refusal::failed)?;
            }
            Drive::Paced(messages) => {
                for line in 0..self.loops {
                    let pacer = self.pacer(line, messages / HOPS / self.loops as u64);
                    let options =
                        SpawnOptions::new().name(format!("pacer-{line}")).place(Place::Loop(line));
                    let pacer = self.system.spawn(options, pacer).map_err(Refusal::failed)?;
                    pacer.try_tell(Tick).map_err(Refusal::failed)?;
                }
                let (book, runners) = (Arc::clone(&self.book), Arc::clone(&self.runners));
                let prober = thread::Builder::new()
                    .name("palco-prober".into())
                    .spawn(move || probe(&book, &runners));
                self.prober = Some(prober.map_err(Refusal::failed)?);
            }
        }
        Ok(())
    }

    fn pacer(&self, line: usize, tokens_per_second: u64) -> impl FnMut() -> Pacer + Send + 'static {
        let (book, targets) = (Arc::clone(&self.book), Arc::clone(&self.runners));
        let turn = line * targets.len() / self.loops;
        move || {
            let (book, targets) = (Arc::clone(&book), Arc::clone(&targets));
            Pacer { book, line, tokens_per_second, targets, turn, sent: 0, begun: None }
        }
    }

    pub(super) fn actors(&self) -> usize {
        self.runners.len()
    }

    /// What has been done so far.
    pub(super) fn ops(&self) -> u64 {
        match self.drive {
            Drive::Asking => self.book.sum(|line| &line.asks),
            Drive::Circulating(_) | Drive::Paced(_) => self.book.sum(|line| &line.messages),
        }
    }

    /// Ends what goes on, and checks the account: every token has made its messages, every message was handled, and the
    /// system's ledger says the same. Gives the latencies.
    pub(super) fn end(&mut self) -> Result<Vec<u64>, Refusal> {
        self.book.set_phase(Phase::Over);
        if let Some(prober) = self.prober.take() {
            prober.join().map_err(|_| Refusal::Panicked)?;
        }
        let deadline = Instant::now() + END_WITHIN;
        loop {
            let checked = self.check();
            if checked.is_ok() || Instant::now() >= deadline {
                return checked.map(|()| std::mem::take(&mut *self.book.latencies.lock()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        let messages = self.book.sum(|line| &line.messages);
        Refusal::unless_equal(self.book.sum(|line| &line.tokens) * HOPS, messages)?;
        let handled = self.runners.iter().map(|runner| runner.any().snapshot().handled);
        let wirings = self.runners.len() as u64;
        let counted = messages + self.book.sum(|line| &line.asks) + wirings;
        Refusal::unless_equal(counted, handled.sum())?;
        let ledger = self.system.ledger();
        let is_at_rest = ledger.queued == 0 && ledger.in_flight == 0 && ledger.dropped == 0;
        if ledger.is_balanced() && is_at_rest {
            Ok(())
        } else {
            Err(Refusal::failed(format_args!("messages are missing: {ledger:?}")))
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.book.set_phase(Phase::Over);
        block_on(self.system.shutdown());
    }
}

/// Asks one after the other, with pauses.
fn probe(book: &Book, runners: &[ActorRef<Runner>]) {
    let mut latencies = Vec::new();
    for runner in runners.iter().step_by(3).cycle() {
        if book.is_over() {
            break;
        }
        thread::sleep(ASK_EVERY);
        let begun = Instant::now();
        if block_on(runner.ask(Question(0), ASK_WITHIN)).ok() != Some(1) {
            // Without a single latency the turn counts for nothing.
            return;
        }
        book.note_ask(begun, &mut latencies);
    }
    *book.latencies.lock() = latencies;
}
