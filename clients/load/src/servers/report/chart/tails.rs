//! Response times up to the rarest: every further nine of the percentile is as wide as the one before.

use std::fmt::Write;

use super::mark;
use crate::picture::percentiles::{EDGES, HEIGHT, across, axes, curve, down};
use crate::picture::{Scale, begin, end};
use crate::report::Escaped;
use crate::servers::contestant::Origin;
use crate::servers::report::judge::{ANSWERED_MIN, median};
use crate::servers::report::text::class;
use crate::servers::report::words::short;
use crate::servers::report::{ServersReport, ServersRow, ServersTable};
use crate::servers::workload::Measure;

/// Quantiles that lines are marked at, so that they are told apart without colours.
const MARKED: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 0.9999];

struct Line<'a> {
    row: &'a ServersRow,
    origin: Origin,
}

/// Nothing where nobody's response times are known.
pub(in crate::servers::report) fn tails(
    report: &ServersReport,
    table: &ServersTable,
) -> Option<String> {
    let lines = report.ordered(table.dialect).into_iter().filter_map(|one| {
        let row = table.row(&one.name).filter(|row| row.response_us.len() > 1)?;
        Some(Line { row, origin: one.origin })
    });
    let lines: Vec<Line<'_>> = lines.collect();
    let points = lines.iter().flat_map(|line| line.row.response_us.iter().map(|(_, us)| *us));
    let scale = Scale::logarithmic(points);
    let chosen = chosen(&lines);
    let (_, first) = chosen.first()?;
    let description = format!(
        "Response times of {} servers by percentile, both scales logarithmic. 99 of 100 answers of {} came within {}. \
         All figures are in the table below.",
        lines.len(),
        first.row.contestant,
        p99(first).map_or_else(|| "an unknown time".to_owned(), |us| short(Measure::P99, us)),
    );
    let subtitle = format!("{}, response time by percentile", table.dialect.name());
    let mut picture = begin(table.workload.title(), &subtitle, &description, HEIGHT);
    axes(&mut picture, scale);
    let is_chosen = |line: &Line<'_>| {
        chosen.iter().position(|(_, one)| one.row.contestant == line.row.contestant)
    };
    for line in lines.iter().filter(|line| is_chosen(line).is_none()) {
        draw(&mut picture, line, scale, " faint");
    }
    for (_, line) in &chosen {
        draw(&mut picture, line, scale, "");
        for (q, us) in line.row.response_us.iter().filter(|(q, _)| MARKED.contains(q)) {
            picture.push_str(&mark(line.origin, across(*q), down(scale, *us), ""));
        }
    }
    numbers(&mut picture, &chosen, scale);
    let mut picture = end(picture).replace("</figure>\n", "");
    picture.push_str("<ol class=\"chosen\">\n");
    for (what, line) in &chosen {
        let us = p99(line).map_or(String::new(), |us| format!(", p99 {}", short(Measure::P99, us)));
        let name = Escaped(&line.row.contestant);
        let _ = writeln!(
            picture,
            "<li>{what}: <b class=\"{}\">{name}</b>{us}</li>",
            class(line.origin)
        );
    }
    picture.push_str("</ol></figure>\n");
    Some(picture)
}

/// The best of every origin by its 99th percentile, and the last of all; each once. Whoever left much unanswered is none
/// of them: its times are of the few that it answered.
fn chosen<'a>(lines: &'a [Line<'a>]) -> Vec<(&'static str, &'a Line<'a>)> {
    let does_the_work = |line: &&Line<'_>| {
        median(line.row.rounds(Measure::Answered)).is_none_or(|of| of >= ANSWERED_MIN)
    };
    let able = lines.iter().filter(does_the_work);
    let mut known: Vec<(f64, &Line<'_>)> =
        able.filter_map(|line| Some((p99(line)?, line))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = |origin: Origin| known.iter().find(|(_, line)| line.origin == origin);
    let names = [
        (Origin::Palco, "best of palco"),
        (Origin::C, "best in C"),
        (Origin::Peer, "best of others"),
    ];
    let mut chosen: Vec<(&'static str, &Line<'_>)> = names
        .into_iter()
        .filter_map(|(origin, name)| best(origin).map(|(_, line)| (name, *line)))
        .collect();
    if let Some((_, last)) = known.last()
        && chosen.iter().all(|(_, line)| line.row.contestant != last.row.contestant)
    {
        chosen.push(("last", last));
    }
    chosen
}

fn p99(line: &Line<'_>) -> Option<f64> {
    line.row.response_us.iter().find(|(q, _)| *q >= 0.99).map(|(_, us)| *us)
}

fn draw(picture: &mut String, line: &Line<'_>, scale: Scale, more: &str) {
    let class = format!("{}{more}", class(line.origin));
    curve(picture, &line.row.contestant, &class, &line.row.response_us, scale);
}

/// The number of each chosen line at its end; those that would lie on each other are moved apart.
fn numbers(picture: &mut String, chosen: &[(&'static str, &Line<'_>)], scale: Scale) {
    const APART: f64 = 12.0;
    let end = |line: &Line<'_>| line.row.response_us.last().map(|(_, us)| down(scale, *us));
    let mut ends: Vec<(usize, f64)> = chosen
        .iter()
        .enumerate()
        .filter_map(|(number, (_, line))| Some((number + 1, end(line)?)))
        .collect();
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut above = f64::NEG_INFINITY;
    for (number, y) in ends {
        above = y.max(above + APART);
        let (x, y) = (EDGES.1 + 8.0, above + 4.0);
        let _ =
            writeln!(picture, "<text x=\"{x}\" y=\"{y:.1}\" font-weight=\"bold\">{number}</text>");
    }
}
