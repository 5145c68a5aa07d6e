//! Reports of made-up figures.

use std::collections::BTreeMap;
use std::time::Duration;

use palco_measure::report::{Environment, Grade};
use palco_measure::{Chance, Seen};

use super::{ContestantFacts, Parts, ServersReport, ServersRow, ServersTable};
use crate::generator::SHARES;
use crate::servers::contestant::{self, Dialect, Origin};
use crate::servers::incumbent::Incumbent;
use crate::servers::workload::{Measure, Workload};

pub(super) const ROUNDS: usize = 5;

/// A row with the same rounds of every measure that is named.
pub(super) fn row(name: &str, measured: &[(Measure, &[f64])]) -> ServersRow {
    let rounds = measured.iter().map(|(measure, rounds)| (*measure, rounds.to_vec()));
    ServersRow {
        contestant: name.to_owned(),
        measured: rounds.collect(),
        response_us: Vec::new(),
        refused: None,
        remarks: Vec::new(),
    }
}

pub(super) fn refused(name: &str, why: &str) -> ServersRow {
    ServersRow { refused: Some(why.to_owned()), ..row(name, &[]) }
}

pub(super) fn plain(workload: Workload, rows: Vec<ServersRow>) -> ServersTable {
    ServersTable { workload, dialect: Dialect::Plain, rate_per_s: Some(1_000.0), rows }
}

/// Somebody who speaks plain.
pub(super) fn somebody(name: &str, origin: Origin, floor: Option<&str>) -> ContestantFacts {
    ContestantFacts {
        name: name.to_owned(),
        origin,
        dialect: Dialect::Plain,
        classic: "some design".to_owned(),
        floor: floor.map(str::to_owned),
        setting: format!("started as {name}"),
    }
}

pub(super) fn report(
    contestants: Vec<ContestantFacts>,
    tables: Vec<ServersTable>,
) -> ServersReport {
    ServersReport::new(Parts {
        command: "palco bench servers --rounds 5 <all>".to_owned(),
        environment: Seen {
            environment: Environment::default(),
            grade: Grade::B,
            remarks: vec!["somebody else was at work".to_owned()],
        },
        accounting: "a control group of each server, cpuacct.usage".to_owned(),
        rounds: ROUNDS,
        seed: 7,
        turn: Duration::from_secs(1),
        took: Duration::from_secs(900),
        contestants,
        tables,
        remarks: Vec::new(),
    })
}

/// Every contestant under every workload that it can do, with figures of the size that they have.
pub(super) fn large() -> ServersReport {
    let all = contestant::all(&Incumbent::ALL);
    let facts = all.iter().map(|one| ContestantFacts {
        name: one.name.clone(),
        origin: one.origin(),
        dialect: one.dialect,
        classic: one.classic().to_owned(),
        floor: one.floor.map(|floor| floor.name().to_owned()),
        setting: format!("started as {}", one.name),
    });
    let facts: Vec<ContestantFacts> = facts.collect();
    let mut tables = Vec::new();
    for workload in Workload::ALL {
        for dialect in Dialect::ALL {
            let asked = || all.iter().filter(|one| one.dialect == dialect);
            if asked().all(|one| one.check(workload).is_err()) {
                continue;
            }
            let rows = asked().map(|one| match one.check(workload) {
                Ok(()) => made_up(workload, &one.name),
                Err(why) => refused(&one.name, why),
            });
            tables.push(ServersTable {
                workload,
                dialect,
                rate_per_s: Some(1_000.0),
                rows: rows.collect(),
            });
        }
    }
    report(facts, tables)
}

/// What kind of server a name stands for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Iterative,
    Loop,
    Threads,
    Pool,
    Fork,
    Exec,
}

fn kind(name: &str) -> Kind {
    let has = |word: &str| name.contains(word);
    if has("inetd, a program") || has("vfork") || has("openbsd") {
        Kind::Exec
    } else if has("iterative") {
        Kind::Iterative
    } else if has("per-connection × process") || has("fork per") {
        Kind::Fork
    } else if has("per-connection × thread") || has("thread per") {
        Kind::Threads
    } else if has("team × process")
        || has("team × thread")
        || has("in accept")
        || has("own sockets")
        || has("passed")
        || has("prefork")
    {
        Kind::Pool
    } else {
        Kind::Loop
    }
}

fn made_up(workload: Workload, name: &str) -> ServersRow {
    let kind = kind(name);
    let mut chance = Chance::named(1, &format!("{workload} {name}"));
    let mut noise = |share: f64| 1.0 + share * (chance.below(2_000) as f64 / 1_000.0 - 1.0);
    let dear = noise(0.1) * if name.starts_with("palco") { 1.25 } else { 1.0 };
    let index = kind as usize;
    let connection = [7.0, 9.0, 23.0, 8.5, 92.0, 250.0][index] * dear;
    let trip = 3.1 * dear * noise(0.2);
    let stuck = matches!(kind, Kind::Iterative);
    let p99 = match workload {
        Workload::Cpu => [9e5, 9e3, 4e3, 3e3, 4.5e3, 5e3][index],
        Workload::Block => [2e6, 8e5, 6e3, 2e4, 7e3, 9e3][index],
        _ => [90.0, 120.0, 150.0, 110.0, 400.0, 1_500.0][index],
    } * noise(0.2);
    let answered = match workload {
        Workload::Cpu | Workload::Block if stuck => 0.31,
        Workload::Slowloris => [0.0, 1.0, 1.0, 0.0, 1.0, 1.0][index],
        _ => 1.0,
    };
    let figures: &[(Measure, f64)] = &match workload {
        Workload::Short => {
            vec![
                (Measure::Cpu, connection),
                (Measure::SparseCpu, connection * 1.6),
                (Measure::Saturation, 2e5 / connection),
            ]
        }
        Workload::PingPong => vec![
            (Measure::Cpu, trip),
            (Measure::Saturation, 4e5 / trip),
            (Measure::Balance, [0.25, 0.25, 0.9, 0.95, 0.9, 0.9][index]),
            (Measure::Fairness, [0.13, 0.99, 0.95, 0.6, 0.97, 0.97][index]),
        ],
        Workload::Large => vec![(Measure::Cpu, 300.0 * dear)],
        Workload::Cpu | Workload::Block | Workload::Slowloris => vec![(Measure::Cpu, 1_050.0)],
        Workload::Idle => {
            vec![(Measure::MemoryPerConnection, [1.2, 8.5, 42.0, 2.0, 126.0, 132.0][index] * dear)]
        }
        Workload::Crash => vec![
            (Measure::Lost, [1.0, 1.0, 1.0, 1.0 / 7.0, 0.0, 0.0][index]),
            (Measure::Recovery, [900.0, 850.0, 870.0, 3.0, 0.5, 2.0][index]),
        ],
        Workload::Leak => {
            vec![(Measure::Growth, if index >= 4 { 0.0 } else { 200.0 }), (Measure::Cpu, 60.0)]
        }
    };
    let mut measured: BTreeMap<Measure, Vec<f64>> = BTreeMap::new();
    let common = [(Measure::P50, p99 / 4.0), (Measure::P99, p99), (Measure::Answered, answered)];
    for (measure, figure) in figures.iter().chain(&common) {
        let is_share = matches!(measure, Measure::Answered | Measure::Balance | Measure::Fairness);
        let share = if is_share || *measure == Measure::Lost { 0.0 } else { 0.06 };
        measured.insert(*measure, (0..ROUNDS).map(|_| figure * noise(share)).collect());
    }
    let quantiles = SHARES.map(|q: f64| {
        let tail = -(1.0 - q).max(1e-5).log10();
        (q, p99 / 5.0 * (1.0 + tail * tail))
    });
    ServersRow {
        contestant: name.to_owned(),
        measured,
        response_us: if answered > 0.0 { quantiles.to_vec() } else { Vec::new() },
        refused: None,
        remarks: Vec::new(),
    }
}
