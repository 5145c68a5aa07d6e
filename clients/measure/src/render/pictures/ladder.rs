//! From a call to another core: what each rung costs, and how much more than the one before.

use crate::render::chart::{Bar, Caption, bars};
use crate::render::headline::{cheapest, counting, thread_switch};
use crate::render::markup::Markup;
use crate::render::units::Measure;
use crate::render::words::clean;
use crate::report::{Estimate, Report, Row};
use crate::{Cores, Section, Unit};

type Found<'a> = (&'a Row, Estimate);

/// Fewer rungs than this are no ladder.
const RUNGS_MIN: usize = 3;

/// The ladder as bars.
pub(crate) fn ladder(report: &Report) -> Option<Markup> {
    let rungs = rungs(report);
    if rungs.len() < RUNGS_MIN {
        return None;
    }
    let mut before: Option<Estimate> = None;
    let mut told = Vec::new();
    let drawn: Vec<Bar> = rungs
        .into_iter()
        .map(|(name, (row, estimate))| {
            // What cannot be told from the rung before is not called more.
            let above = before.filter(|before| before.high < estimate.low);
            let more = above.map(|before| estimate.value - before.value);
            before = Some(estimate);
            told.push(format!("{name} {}", Measure::Time.show(estimate.value)));
            Bar {
                group: String::new(),
                name: name.to_owned(),
                unit: row.key.unit,
                estimate,
                asides: vec![
                    more.map_or(String::new(), |more| format!("+{}", Measure::Time.show(more))),
                    clean(&row.key.mechanism),
                ],
            }
        })
        .collect();
    let caption = Caption::new("From a call to another core", told.join(", "));
    bars(&caption, Measure::Time, &drawn)
}

fn rungs(report: &Report) -> Vec<(&'static str, Found<'_>)> {
    let at = |unit: Unit, cores: Cores| {
        counting(report, Section::Switch)
            .filter(move |(row, _)| row.key.unit == unit && row.key.cores == cores)
    };
    let beside = || counting(report, Section::Floor).chain(at(Unit::Inline, Cores::Same));
    let named = |unit: Unit, cores: Cores, mechanism: &'static str| {
        at(unit, cores).find(|(row, _)| row.key.mechanism == mechanism)
    };
    let blocking = |unit: Unit, cores: Cores| {
        let how = thread_switch(report).map_or("", |(row, _)| family(&row.key.mechanism));
        at(unit, cores).find(|(row, _)| family(&row.key.mechanism) == how)
    };
    let call = beside().find(|(row, _)| row.key.mechanism == "call");
    let system_call = beside()
        .find(|(row, _)| row.key.mechanism == "getppid" || row.key.mechanism == "system-call");
    let all = [
        ("call", call),
        ("fiber", cheapest(at(Unit::Fiber, Cores::Same))),
        ("task", cheapest(at(Unit::Task, Cores::Same))),
        ("system call", system_call),
        ("thread yields", named(Unit::Thread, Cores::Same, "yield")),
        ("process yields", named(Unit::Process, Cores::Same, "yield")),
        ("thread blocks", thread_switch(report)),
        ("process blocks", blocking(Unit::Process, Cores::Same)),
        ("thread, two cores", blocking(Unit::Thread, Cores::Other)),
        ("process, two cores", blocking(Unit::Process, Cores::Other)),
    ];
    all.into_iter().filter_map(|(name, found)| Some((name, found?))).collect()
}

/// `futex-private` and `futex-shared` are the same thing for threads and for processes.
fn family(mechanism: &str) -> &str {
    mechanism.strip_suffix("-private").or(mechanism.strip_suffix("-shared")).unwrap_or(mechanism)
}
