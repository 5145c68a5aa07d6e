//! For other programs: one line a row and round (RFC 4180).

use crate::report::{Report, Round, Row};
use crate::{Pages, Pattern, Policy};

/// The first line, and with it the meaning of all others.
///
/// From `id` to `heap` a [`crate::Key`]: sizes in bytes, nothing where the row has no such thing. `measure` is the unit of
/// the figures from `estimate` to `refill` and of `median` and `p99`; `low` and `high` are the ends of the 95 % interval.
/// `switches` and `cpu_nanos` are per operation. The figures of a row stand in each of its lines; from `round` on, counted
/// from 1, there is what that round found, `round_switches` being one figure a side, with `;` between. A row without rounds
/// has one line. `refused` and `invalid` say why a row has no estimate and why a round does not count.
pub(crate) const HEAD: [&str; 33] = [
    "id",
    "section",
    "unit",
    "mechanism",
    "cores",
    "policy",
    "working_set",
    "pattern",
    "pages",
    "units",
    "message",
    "heap",
    "measure",
    "estimate",
    "low",
    "high",
    "p50",
    "p99_all",
    "p999_all",
    "touch",
    "refill",
    "switches",
    "cpu_nanos",
    "bytes_per_second",
    "refused",
    "round",
    "median",
    "p99",
    "operations",
    "samples",
    "canary",
    "round_switches",
    "invalid",
];

/// The whole report.
pub(crate) fn write(report: &Report) -> String {
    let mut text = String::new();
    line(&mut text, HEAD.iter().map(|&name| name.to_owned()));
    for row in &report.rows {
        let figures = figures(row);
        let rounds = row.rounds.iter().zip(1_u64..).map(|(round, number)| of_round(round, number));
        if row.rounds.is_empty() {
            line(
                &mut text,
                figures.into_iter().chain(std::array::from_fn::<_, 8, _>(|_| String::new())),
            );
        } else {
            for round in rounds {
                line(&mut text, figures.iter().cloned().chain(round));
            }
        }
    }
    text
}

fn figures(row: &Row) -> [String; 25] {
    let key = &row.key;
    let policy = match key.policy {
        Policy::Fifo => "fifo",
        Policy::Other => "other",
    };
    let pattern = key.pattern.map_or("", |pattern| match pattern {
        Pattern::Sequential => "sequential",
        Pattern::Chase => "chase",
    });
    let pages = key.pages.map_or("", |pages| match pages {
        Pages::Small => "4K",
        Pages::Huge => "2M",
    });
    let estimate = super::tables::proven(row);
    let share = |share: f64| number(super::tables::quantile(row, share));
    [
        row.id.clone(),
        key.section.name().to_owned(),
        key.unit.name().to_owned(),
        key.mechanism.clone(),
        key.cores.name().to_owned(),
        policy.to_owned(),
        key.working_set.to_string(),
        pattern.to_owned(),
        pages.to_owned(),
        key.units.to_string(),
        key.message.to_string(),
        key.heap.to_string(),
        key.section.measure().to_owned(),
        number(estimate.map(|estimate| estimate.value)),
        number(estimate.map(|estimate| estimate.low)),
        number(estimate.map(|estimate| estimate.high)),
        share(0.5),
        share(0.99),
        share(0.999),
        number(row.touch.map(|touch| touch.value)),
        number(row.refill.map(|refill| refill.value)),
        number(row.switches),
        number(row.cpu),
        number(row.bytes_per_second),
        row.refused.clone().unwrap_or_default(),
    ]
}

fn of_round(round: &Round, number_of: u64) -> [String; 8] {
    let switches: Vec<String> = round.switches.iter().map(|&side| number(Some(side))).collect();
    [
        number_of.to_string(),
        number(Some(round.median)),
        number(Some(round.p99)),
        round.operations.to_string(),
        round.samples.to_string(),
        number(Some(round.canary)),
        switches.join(";"),
        round.invalid.clone().unwrap_or_default(),
    ]
}

/// The shortest text that is read as the same number; nothing of what is none.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}

fn line(text: &mut String, fields: impl Iterator<Item = String>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&quoted(field));
    }
    text.push_str("\r\n");
}

fn quoted(field: String) -> String {
    if field.contains(['"', ',', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}
