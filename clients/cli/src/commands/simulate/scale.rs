//! `palco simulate --scale`: what an operation costs when there are more nodes, with majorities and in grids.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use palco_measure::timeline::{count, time};
use palco_sim::draw::{Plot, Series, plots_page};
use palco_sim::{QuorumKind, Report, Scenario};
use serde::Serialize;

use super::super::bench::{clear, show};
use super::runs::Verdict;
use super::table::{in_words, ratio, some_time, violations};
use super::view::{Machine, SCHEMA, ViolationView, nanos, violation};
use super::{name_of, runs, write};
use crate::args::Simulate;
use crate::output;

const QUORUMS: [QuorumKind; 2] = [QuorumKind::Majority, QuorumKind::Grid];

#[derive(Serialize)]
struct Document {
    schema: u32,
    seed: u64,
    sizes: Vec<SizeView>,
    verdict: Verdict,
    machine: Machine,
}

#[derive(Serialize)]
struct SizeView {
    nodes: u32,
    quorums: &'static str,
    digest: String,
    done: u64,
    messages: u64,
    bytes: u64,
    latency_p50_ns: u64,
    latency_p99_ns: u64,
    violations_all: usize,
    violations: Vec<ViolationView>,
}

/// A run with so many nodes.
struct Size {
    scenario: Scenario,
    report: Report,
}

pub(super) fn scale(wanted: &Simulate, json: bool) -> Result<ExitCode> {
    let begun = Instant::now();
    let seed = wanted.first_seed();
    let mut sizes = Vec::new();
    for quorums in QUORUMS {
        for nodes in wanted.sizes() {
            let scenario = wanted.at_scale(nodes, quorums);
            let name = name_of(&QuorumKind::ALL, &quorums);
            show(format_args!("{} nodes, {name}", scenario.nodes));
            let report = runs::one(&scenario, seed);
            sizes.push(Size { scenario, report });
        }
    }
    clear();
    let verdict = Verdict::worst(sizes.iter().map(Size::verdict));
    if json {
        let done = sizes.iter().map(|size| size.report.figures.done).sum();
        output::json(&Document {
            schema: SCHEMA,
            seed,
            sizes: sizes.iter().map(Size::view).collect(),
            verdict,
            machine: Machine::of(1, begun.elapsed(), done),
        })?;
    } else {
        output::table(NAMES, sizes.iter().map(Size::row))?;
        for size in sizes.iter().filter(|size| !size.report.violations.is_empty()) {
            let all = violations(size.report.violations.len() as u64);
            output::line(format!("\n{all}, see: {} --html run.html", size.scenario.command(seed)))?;
        }
    }
    if let Some(file) = &wanted.html {
        write(file, &page(&sizes, seed))?;
        output::talk(format!("{}: a page for any browser", file.display()));
    }
    Ok(verdict.exit_code())
}

const NAMES: [&str; 8] =
    ["NODES", "QUORUMS", "DONE", "MESSAGES PER OP", "BYTES PER OP", "P50", "P99", "VERDICT"];

impl Size {
    fn quorums(&self) -> &'static str {
        name_of(&QuorumKind::ALL, &self.scenario.quorums)
    }

    fn verdict(&self) -> Verdict {
        Verdict::of(self.report.violations.len() as u64, self.report.figures.done)
    }

    fn row(&self) -> [String; 8] {
        let figures = &self.report.figures;
        let verdict = match self.verdict() {
            Verdict::Violated => violations(self.report.violations.len() as u64),
            other => in_words(other),
        };
        [
            self.scenario.nodes.to_string(),
            self.quorums().to_owned(),
            count(figures.done),
            ratio(figures.messages, figures.done),
            ratio(figures.bytes, figures.done),
            some_time(figures.latency_p50, figures.done),
            some_time(figures.latency_p99, figures.done),
            verdict,
        ]
    }

    fn view(&self) -> SizeView {
        let Report { violations, digest, figures, .. } = &self.report;
        let told = violations.iter().take(20);
        SizeView {
            nodes: self.scenario.nodes,
            quorums: self.quorums(),
            digest: format!("{digest:016x}"),
            done: figures.done,
            messages: figures.messages,
            bytes: figures.bytes,
            latency_p50_ns: nanos(figures.latency_p50),
            latency_p99_ns: nanos(figures.latency_p99),
            violations_all: violations.len(),
            violations: told.map(|one| violation(&self.scenario, self.report.seed, one)).collect(),
        }
    }
}

fn page(sizes: &[Size], seed: u64) -> String {
    let series = |name: &str, quorums, figure: fn(&Size) -> f64| {
        let of = |size: &&Size| size.scenario.quorums == quorums;
        let points = sizes.iter().filter(of).map(|size| (size.scenario.nodes.into(), figure(size)));
        let name = format!("{}{name}", name_of(&QuorumKind::ALL, &quorums));
        let group = QUORUMS.iter().position(|known| *known == quorums).unwrap_or_default();
        Series { name, group, points: points.collect() }
    };
    let plot = |title: &str, y: &str, series| Plot {
        title: title.to_owned(),
        x: "nodes".to_owned(),
        y: y.to_owned(),
        series,
    };
    let messages =
        |size: &Size| size.report.figures.messages as f64 / size.report.figures.done.max(1) as f64;
    let p50 = |size: &Size| size.report.figures.latency_p50.as_secs_f64() * 1e3;
    let p99 = |size: &Size| size.report.figures.latency_p99.as_secs_f64() * 1e3;
    let messages = QUORUMS.map(|quorums| series("", quorums, messages)).to_vec();
    let latency = QUORUMS
        .into_iter()
        .flat_map(|quorums| [series(", p50", quorums, p50), series(", p99", quorums, p99)]);
    let plots = [
        plot("Messages per operation", "messages", messages),
        plot("Latency", "milliseconds of simulated time", latency.collect()),
    ];
    let rows: Vec<Vec<String>> = sizes.iter().map(|size| size.row().to_vec()).collect();
    let delay = Scenario::default().delay;
    let about = format!(
        "All nodes are members. A majority is more than half of them; in a grid a read quorum is a column and a write quorum a row. A \
         message takes {} to {}, whatever the number of nodes. Seed {seed}.",
        time(delay.0),
        time(delay.1)
    );
    plots_page("What an operation costs when there are more nodes", &about, &plots, (&NAMES, &rows))
}
