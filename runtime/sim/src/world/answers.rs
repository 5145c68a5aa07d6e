//! What clients are told, and what follows from it.

use palco_core::Time;
use palco_rambo::{Class, Outcome};

use super::clients::{Operation, WHO_BITS};
use super::{Phase, World};
use crate::history::{self, Asked, Change, Done};
use crate::invariants::Objection;
use crate::invariants::order::Order;
use crate::network::Machine;
use crate::trace::Happening;

/// How often a change is tried, at most.
const TRIES_MAX: u32 = 3;

/// How an attempt ended.
enum End {
    Done(Done),
    Failed,
    Unknown,
}

impl World<'_> {
    /// A participant answers.
    pub(super) fn replied(
        &mut self,
        machine: Machine,
        request: u64,
        outcome: Outcome,
        rounds: u32,
    ) {
        self.mix(request ^ u64::from(rounds) << 60);
        let who = (request & ((1 << WHO_BITS) - 1)) as u32;
        if who >= 1 << (WHO_BITS - 1) {
            return self.reconfiguration_replied(who, machine, request, outcome);
        }
        let operation = self.clients[who as usize].operation.as_ref();
        let open = operation.filter(|operation| {
            operation.at.is_some_and(|at| at.request == request && at.machine == machine)
        });
        let Some(operation) = open else {
            let what = format!("request {request} was answered, which is not open: {outcome:?}");
            return self.object("answers", &what);
        };
        let end = match end(operation, outcome, self.keys.key(operation.key).class) {
            Ok(end) => end,
            Err(what) => return self.object("answers", &what),
        };
        self.tell(who, machine, request, &end, rounds);
        self.ended(who, end, rounds);
    }

    fn tell(&mut self, client: u32, machine: Machine, request: u64, end: &End, rounds: u32) {
        let node = self.machines.node(machine).identity;
        self.recorder.record(self.now, || {
            let (what, tag) = match end {
                End::Done(Done::Read { tag, .. } | Done::Wrote { tag }) => {
                    (format!("{tag} in {rounds}"), Some(*tag))
                }
                End::Done(done) => (format!("{done} in {rounds}"), None),
                End::Failed => ("failed".to_owned(), None),
                End::Unknown => ("unknown".to_owned(), None),
            };
            Happening::Told { client, node, request, what, tag }
        });
    }

    /// The machine that clients wait for is down: they will not hear of it again.
    pub(super) fn hang_up(&mut self, machine: Machine) {
        for client in 0..self.clients.len() as u32 {
            let operation = self.clients[client as usize].operation.as_ref();
            let at = operation.and_then(|operation| operation.at);
            if at.is_some_and(|at| at.machine == machine) {
                self.ended(client, End::Unknown, 0);
            }
        }
    }

    fn ended(&mut self, client: u32, end: End, rounds: u32) {
        let this = &mut self.clients[client as usize];
        let mut operation = this.operation.take().expect("it was asked");
        operation.at = None;
        let may_have_happened = operation.tries > 1;
        let end = match end {
            End::Failed if may_have_happened => End::Unknown,
            End::Done(_) | End::Failed | End::Unknown => end,
        };
        let is_change = matches!(operation.asked, Asked::Change(_));
        let tries_again = matches!(end, End::Unknown) && is_change && operation.tries < TRIES_MAX;
        if tries_again && this.random.percent(70) {
            this.operation = Some(operation);
            return self.rest(client);
        }
        self.open -= 1;
        if self.phase == Phase::Mended && !matches!(end, End::Done(_)) {
            let key = self.keys.key(operation.key);
            let what = format!(
                "the last read of {key} by client {client}, after everything was mended, was not done"
            );
            self.object("liveness", &what);
        }
        match end {
            End::Done(done) => self.done(operation, done, rounds),
            End::Failed => {
                self.figures.failed += 1;
                self.judge.floor.failed(&operation.entered);
                self.write_down(operation.recorded, history::Outcome::Failed);
            }
            End::Unknown => {
                self.figures.unknown += 1;
                self.write_down(operation.recorded, history::Outcome::Unknown);
            }
        }
        self.rest(client);
    }

    fn write_down(&mut self, recorded: Option<history::OperationId>, outcome: history::Outcome) {
        if let (Some(history), Some(recorded)) = (&mut self.judge.history, recorded) {
            history.end(recorded, self.now, outcome);
        }
    }

    fn done(&mut self, operation: Operation, done: Done, rounds: u32) {
        let Operation { key, called, entered, upgraded, recorded, .. } = operation;
        self.count(key, called, &done, rounds);
        match &done {
            Done::Read { tag, .. } | Done::Wrote { tag } => {
                let verdict = Order::end(self.keys.key(key), upgraded, *tag);
                self.judge.heed(self.now, verdict);
                self.judge.handover.completed(key, *tag);
            }
            Done::Saw { version, value }
            | Done::Changed { version, value }
            | Done::Mismatch { version, value } => {
                let seen = &mut self.keys.seen[key as usize];
                if *version >= seen.version {
                    seen.version = *version;
                    seen.bytes = value.as_ref().map_or(0, bytes::Bytes::len);
                }
            }
        }
        let verdict = self.judge.floor.done(entered, self.now, &done);
        let verdict =
            verdict.map_err(|violation| Objection { check: "floor", what: violation.to_string() });
        self.judge.heed(self.now, verdict);
        self.write_down(recorded, history::Outcome::Done(done));
    }

    fn count(&mut self, key: u32, called: Time, done: &Done, rounds: u32) {
        let figures = &mut self.figures;
        let rounds = u64::from(rounds);
        figures.done += 1;
        match done {
            Done::Read { .. } | Done::Saw { .. } => {
                figures.reads += 1;
                figures.read_rounds += rounds;
                figures.reads_one_round += u64::from(rounds <= 1);
            }
            Done::Wrote { .. } => {
                figures.writes += 1;
                figures.write_rounds += rounds;
            }
            Done::Changed { .. } | Done::Mismatch { .. } => {
                figures.changes += 1;
                figures.change_rounds += rounds;
            }
        }
        figures.latencies.record(self.now - called);
        // In the end, when clients have nothing left to ask, nothing stands still because of the registers.
        if self.phase == Phase::Busy && self.left > 0 {
            let gap = self.now.since(self.last_done.unwrap_or(Time::START));
            figures.gap_max = figures.gap_max.max(gap);
            self.last_done = Some(self.now);
        }
        self.mix(u64::from(key) ^ 1 << 40);
    }
}

/// What a participant's answer says about an operation.
fn end(operation: &Operation, outcome: Outcome, class: Class) -> Result<End, String> {
    Ok(match (outcome, &operation.asked, class) {
        (Outcome::Read(tagged), Asked::Read, Class::Register) => {
            End::Done(Done::Read { tag: tagged.tag, value: tagged.value })
        }
        (Outcome::Written(tag), Asked::Write(_), Class::Register) => End::Done(Done::Wrote { tag }),
        (Outcome::Cas(now), Asked::Read, Class::Cas) => {
            End::Done(Done::Saw { version: now.version, value: now.value })
        }
        (Outcome::Cas(now), Asked::Change(_), Class::Cas) => {
            End::Done(Done::Changed { version: now.version, value: now.value })
        }
        (Outcome::Repeated { version, result }, Asked::Change(change), Class::Cas) => {
            repeated(change, version, result)
        }
        // An earlier try that is still on its way may yet find the version that it waits for.
        (Outcome::Mismatch(now), Asked::Change(Change::Swap { expected, .. }), Class::Cas)
            if operation.tries > 1 && now.version < *expected =>
        {
            End::Unknown
        }
        (Outcome::Mismatch(now), Asked::Change(Change::Swap { .. }), Class::Cas) => {
            End::Done(Done::Mismatch { version: now.version, value: now.value })
        }
        // Likewise.
        (Outcome::Inapplicable(_), Asked::Change(_), Class::Cas) if operation.tries > 1 => {
            End::Unknown
        }
        (Outcome::Inapplicable(now), Asked::Change(_), Class::Cas) => {
            End::Done(Done::Mismatch { version: now.version, value: now.value })
        }
        (Outcome::Unknown { .. }, _, _) => End::Unknown,
        (Outcome::Failed(_), _, _) => End::Failed,
        (outcome, asked, class) => {
            return Err(format!("{asked} of a key of class {class:?} was answered {outcome:?}"));
        }
    })
}

/// What a change made when it was applied, as far as that can be told.
fn repeated(change: &Change, version: u64, result: i64) -> End {
    let value = match change {
        Change::Swap { value, .. } => value.clone(),
        Change::Set(value) => Some(value.clone()),
        Change::Delete => None,
        Change::Add(_) => Some(result.to_string().into()),
        // Its length alone: for clients the outcome stays unknown.
        Change::Append(_) => return End::Unknown,
    };
    End::Done(Done::Changed { version, value })
}
