//! Subjects whose properties are known, and a session that measures them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::environment::Conditions;
use crate::report::{Report, Row};
use crate::session::{Session, Settings};
use crate::statistics::Chance;
use crate::{Key, Raw, Section, Side, Subject, Unavailable, Unit};

type Change = Box<dyn FnMut(usize, Raw) -> Result<Raw, Unavailable>>;

/// Nanoseconds a hop around `hop`, with evidence, changed by round as a test wants it.
struct Synthetic {
    key: Key,
    hop: f64,
    rounds: usize,
    chance: Chance,
    change: Change,
    log: Rc<RefCell<Vec<String>>>,
}

impl Subject for Synthetic {
    fn key(&self) -> Key {
        self.key.clone()
    }

    fn round(&mut self, _budget_nanos: u64) -> Result<Raw, Unavailable> {
        self.log.borrow_mut().push(self.key.to_string());
        let samples: Vec<f64> =
            (0..400).map(|_| self.hop * (1.0 + 0.02 * self.chance.normal())).collect();
        let side =
            Side { voluntary: 220, involuntary: 180, migrations: Some(0), ..Side::default() };
        let raw = Raw {
            operations: 800,
            batch: 1,
            sides: vec![side; 2],
            switches_expected: Some(0.5),
            out_of_turn: Some(0),
            cpu_nanos: Some(800 * 2_000),
            samples,
            ..Raw::default()
        };
        self.rounds += 1;
        (self.change)(self.rounds - 1, raw)
    }
}

#[derive(Default)]
pub(super) struct Stage {
    pub(super) subjects: Vec<Box<dyn Subject>>,
    pub(super) log: Rc<RefCell<Vec<String>>>,
}

impl Stage {
    pub(super) fn add(
        &mut self,
        key: Key,
        hop: f64,
        change: impl FnMut(usize, Raw) -> Result<Raw, Unavailable> + 'static,
    ) -> String {
        let id = key.to_string();
        let chance = Chance::named(3, &id);
        let (change, log) = (Box::new(change), self.log.clone());
        self.subjects.push(Box::new(Synthetic { key, hop, rounds: 0, chance, change, log }));
        id
    }

    /// A switch between threads.
    pub(super) fn thread(
        &mut self,
        mechanism: &str,
        hop: f64,
        change: impl FnMut(usize, Raw) -> Result<Raw, Unavailable> + 'static,
    ) -> String {
        self.add(Key::new(Section::Switch, Unit::Thread, mechanism), hop, change)
    }

    pub(super) fn honest(&mut self, mechanism: &str, hop: f64) -> String {
        self.thread(mechanism, hop, |_, raw| Ok(raw))
    }

    pub(super) fn run(self, pairs: &[(&str, &str)]) -> Report {
        self.run_with(pairs, &settings(), &mut || 100)
    }

    pub(super) fn run_with(
        self,
        pairs: &[(&str, &str)],
        settings: &Settings,
        canary: &mut dyn FnMut() -> u64,
    ) -> Report {
        let pair = |(a, b): &(&str, &str)| {
            ("one against the other".to_owned(), (*a).to_owned(), (*b).to_owned())
        };
        let pairs: Vec<_> = pairs.iter().map(pair).collect();
        let session = Session::new(self.subjects, &pairs, settings, canary);
        session.measure(Conditions::look(true), &mut |_| {})
    }
}

/// No test waits for the budget to end: a session ends when its rows have their rounds.
pub(super) fn settings() -> Settings {
    Settings { quick: true, budget: Duration::from_secs(3_600), ..Settings::default() }
}

pub(super) fn row<'a>(report: &'a Report, id: &str) -> &'a Row {
    report.row(id).expect("every subject has a row")
}

pub(super) fn refused(report: &Report, id: &str) -> String {
    let row = row(report, id);
    assert!(
        row.estimate.is_none() && row.quantiles.is_empty() && row.switches.is_none(),
        "{row:?}"
    );
    row.refused.clone().expect("a row without estimate says why")
}
