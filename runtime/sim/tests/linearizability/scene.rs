//! Histories of one key, written as one line for each operation.

use bytes::Bytes;
use palco_core::Time;
use palco_rambo::{Key, Tag, Value};
use palco_sim::{
    history::{Asked, Change, ClientId, Done, History, Invocation, OperationId, Outcome},
    linearizability::{Extent, Limits, Verdict, Violation, check},
};

/// Operations with their times, in any order.
pub(crate) struct Scene {
    key: Key,
    lines: Vec<Line>,
}

struct Line {
    client: u32,
    from: u64,
    until: Option<u64>,
    asked: Asked,
    outcome: Outcome,
}

impl Scene {
    pub(crate) fn register() -> Self {
        Self { key: Key::register("a"), lines: Vec::new() }
    }

    pub(crate) fn cas() -> Self {
        Self { key: Key::cas("a"), lines: Vec::new() }
    }

    /// An operation of a client, from a time until another; no two lines share a time.
    pub(crate) fn line(
        mut self,
        client: u32,
        (from, until): (u64, u64),
        (asked, outcome): (Asked, Outcome),
    ) -> Self {
        self.lines.push(Line { client, from, until: Some(until), asked, outcome });
        self
    }

    /// An operation that never returns.
    pub(crate) fn open(mut self, client: u32, from: u64, asked: Asked) -> Self {
        self.lines.push(Line { client, from, until: None, asked, outcome: Outcome::Unknown });
        self
    }

    pub(crate) fn history(&self) -> History {
        let calls = self.lines.iter().enumerate().map(|(n, line)| (line.from, n));
        let ends = self.lines.iter().enumerate().filter_map(|(n, line)| Some((line.until?, n)));
        let mut times: Vec<(u64, usize)> = calls.chain(ends).collect();
        times.sort_unstable();
        assert!(times.is_sorted_by(|a, b| a.0 < b.0), "two things happen at once");
        let mut history = History::default();
        let mut ids: Vec<Option<OperationId>> = vec![None; self.lines.len()];
        for (nanos, n) in times {
            let (line, at) = (&self.lines[n], Time::from_nanos(nanos));
            match ids[n] {
                None => {
                    let (client, key, asked) =
                        (ClientId(line.client), self.key.clone(), line.asked.clone());
                    ids[n] = Some(history.call(Invocation { client, key, asked, at }));
                }
                Some(id) => history.end(id, at, line.outcome.clone()),
            }
        }
        history
    }

    #[track_caller]
    pub(crate) fn accepted(&self) {
        check(&self.history(), Limits::default()).expect_linearizable();
    }

    /// Refused, and first because of the operation that returned at this time.
    #[track_caller]
    pub(crate) fn refused_at(&self, nanos: u64) -> Violation {
        let history = self.history();
        match check(&history, Limits::default()) {
            Verdict::Violated(violation) => {
                let operations = history.operations();
                let refused = &operations[violation.refused.0 as usize];
                let at = refused.returned.map(|returned| returned.at.as_nanos());
                assert_eq!(at, Some(nanos), "{violation}");
                assert_eq!(violation.extent, Extent::Smallest);
                *violation
            }
            verdict @ (Verdict::Linearizable | Verdict::Undecided { .. }) => {
                panic!("not refused: {verdict:?}")
            }
        }
    }
}

pub(crate) fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// A value; an empty text is nothing.
pub(crate) fn value(text: &'static str) -> Value {
    (!text.is_empty()).then(|| bytes(text))
}

pub(crate) fn read(text: &'static str) -> (Asked, Outcome) {
    (Asked::Read, Outcome::Done(Done::Read { tag: Tag::ZERO, value: value(text) }))
}

pub(crate) fn write(text: &'static str) -> (Asked, Outcome) {
    (asks_write(text), Outcome::Done(Done::Wrote { tag: Tag::ZERO }))
}

pub(crate) fn asks_write(text: &'static str) -> Asked {
    Asked::Write(value(text))
}

pub(crate) fn saw(version: u64, text: &'static str) -> (Asked, Outcome) {
    (Asked::Read, Outcome::Done(Done::Saw { version, value: value(text) }))
}

pub(crate) fn changed(change: Change, version: u64, text: &'static str) -> (Asked, Outcome) {
    (Asked::Change(change), Outcome::Done(Done::Changed { version, value: value(text) }))
}

pub(crate) fn mismatch(change: Change, version: u64, text: &'static str) -> (Asked, Outcome) {
    (Asked::Change(change), Outcome::Done(Done::Mismatch { version, value: value(text) }))
}

pub(crate) fn swap(expected: u64, text: &'static str) -> Change {
    Change::Swap { expected, value: value(text) }
}

pub(crate) fn append(text: &'static str) -> Change {
    Change::Append(bytes(text))
}
