//! One bar a row: creation, memory, messages.

use crate::render::chart::{Bar, Caption, bars};
use crate::render::headline::counting;
use crate::render::markup::Markup;
use crate::render::units::{Measure, bandwidth, plain, size};
use crate::render::words::{clean, how, place};
use crate::report::{Report, Row};
use crate::{Policy, Section};

/// What it takes to make one.
pub(crate) fn creation(report: &Report) -> Option<Markup> {
    let about = "Time to make a unit, let it end, and reap it.";
    all(report, Section::Create, ("Made and gone again", about), |row| Named {
        group: row.key.unit.name().to_owned(),
        name: how(&row.key),
        asides: Vec::new(),
    })
}

/// What it takes to keep one.
pub(crate) fn memory(report: &Report) -> Option<Markup> {
    let about = "Resident memory of one idle unit.";
    all(report, Section::Memory, ("Kept while idle", about), |row| Named {
        group: row.key.unit.name().to_owned(),
        name: how(&row.key),
        asides: Vec::new(),
    })
}

/// What a message to and fro takes.
pub(crate) fn message_latency(report: &Report) -> Option<Markup> {
    let about = "Time of half a round trip with a message each way.";
    all(report, Section::IpcLatency, ("A message to and fro", about), |row| Named {
        group: message_group(row),
        name: clean(&row.key.mechanism),
        asides: Vec::new(),
    })
}

/// How many messages pass, and how many switches each takes.
pub(crate) fn throughput(report: &Report) -> Option<Markup> {
    let about = "Messages a second one way, with the context switches that each took.";
    all(report, Section::IpcThroughput, ("Messages one way", about), |row| {
        let switches = row.switches.filter(|switches| switches.is_finite());
        let bytes = row.bytes_per_second.map(bandwidth);
        let switches = switches.map(|switches| format!("{} sw/msg", plain(switches)));
        Named {
            group: message_group(row),
            name: clean(&row.key.mechanism),
            asides: [bytes, switches].into_iter().flatten().collect(),
        }
    })
}

/// Bars beyond these are in the table alone.
const BARS_MAX: usize = 120;

struct Named {
    group: String,
    name: String,
    asides: Vec<String>,
}

fn all(
    report: &Report,
    section: Section,
    (title, about): (&str, &str),
    named: impl Fn(&Row) -> Named,
) -> Option<Markup> {
    let mut drawn: Vec<Bar> = counting(report, section)
        .take(BARS_MAX)
        .map(|(row, estimate)| {
            let Named { group, name, asides } = named(row);
            Bar { group, name, unit: row.key.unit, estimate, asides }
        })
        .collect();
    // Rows come in the order in which they were measured; those of one group belong together.
    let mut groups: Vec<String> = Vec::new();
    for bar in &drawn {
        if !groups.contains(&bar.group) {
            groups.push(bar.group.clone());
        }
    }
    drawn.sort_by_key(|bar| groups.iter().position(|group| *group == bar.group));
    bars(&Caption::new(title, about), Measure::of(section), &drawn)
}

/// `64 B, one core`.
fn message_group(row: &Row) -> String {
    let key = &row.key;
    let usual = if key.policy == Policy::Other { ", usual scheduling" } else { "" };
    format!("{}, {}, {}{usual}", size(key.message), key.unit.name(), place(key.cores))
}
