//! Why the figures may be believed, or why not: what the run found out about itself, in sentences.

use super::units::{Measure, grouped, percent, plain, ratio_estimate};
use super::words::{clean, stopped, whole};
use crate::report::{Counter, Grade, Report};

/// How a point speaks for the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It was tried, and it held.
    Held,
    /// It limits what may be concluded.
    Limits,
    /// Nothing may be concluded.
    Fails,
    /// Worth knowing.
    Told,
}

/// One point.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) stand: Stand,
    /// What it is about, in a word or two.
    pub(crate) topic: &'static str,
    pub(crate) text: String,
}

/// Above this the harness costs more than it ought to: 5 %.
const OVERHEAD_MAX: f64 = 1.05;

/// Every point of a report.
pub(crate) fn points(report: &Report) -> Vec<Point> {
    let trust = &report.trust;
    let mut points = vec![broken(report), rounds(report), overhead(report)];
    if !trust.clock.is_empty() {
        let cost = Measure::Time.show(trust.clock_nanos);
        let text = format!("{}; reading it takes {cost}.", clean(&trust.clock));
        points.push(Point { stand: Stand::Told, topic: "clock", text });
    }
    points.extend(trust.checks.iter().map(|check| Point {
        stand: Stand::Held,
        topic: "every round",
        text: stopped(&clean(check)),
    }));
    points.extend(trust.counters.iter().map(|one| counter(report, one)));
    points.push(grade(report));
    points
}

fn broken(report: &Report) -> Point {
    let (stand, text) = match &report.trust.broken_refused {
        Some(reason) => (
            Stand::Held,
            format!("A mechanism that is broken on purpose was measured too, and refused: {}", stopped(&clean(reason))),
        ),
        None => (
            Stand::Fails,
            "The mechanism that is broken on purpose was not refused, or not measured: nothing here may be believed."
                .to_owned(),
        ),
    };
    Point { stand, topic: "can object", text }
}

fn rounds(report: &Report) -> Point {
    let trust = &report.trust;
    let share = percent(trust.rounds_valid as f64 / trust.rounds_all.max(1) as f64);
    let refused = report.rows.iter().filter(|row| row.estimate.is_none()).count();
    let all_count = trust.rounds_valid == trust.rounds_all && trust.rounds_all > 0;
    let stand = if all_count { Stand::Held } else { Stand::Limits };
    let text = format!(
        "{} of {} rounds count ({share}); {refused} of {} rows have no figure.",
        grouped(trust.rounds_valid),
        grouped(trust.rounds_all),
        report.rows.len()
    );
    Point { stand, topic: "rounds", text }
}

fn overhead(report: &Report) -> Point {
    let Some(overhead) = report.trust.overhead.filter(|ratio| ratio.value.is_finite()) else {
        let text = "What the harness costs was not measured.".to_owned();
        return Point { stand: Stand::Limits, topic: "overhead", text };
    };
    let stand = if overhead.value <= OVERHEAD_MAX { Stand::Held } else { Stand::Limits };
    let text = format!(
        "A hop with all checks takes {} times that of a bare loop, measured in turns.",
        ratio_estimate(&overhead)
    );
    Point { stand, topic: "overhead", text }
}

fn counter(report: &Report, counter: &Counter) -> Point {
    let name = clean(&counter.name);
    let of = report.row(&counter.row).map_or_else(|| clean(&counter.row), |row| whole(&row.key));
    let (stand, text) = match counter.value.filter(|value| value.is_finite()) {
        Some(value) => (Stand::Told, format!("{name}: {} a hop ({of}).", plain(value))),
        None => {
            let why = counter.absent.as_deref().unwrap_or("no reason was recorded");
            (Stand::Told, format!("{name}: not counted, {}", stopped(&clean(why))))
        }
    };
    Point { stand, topic: "counter", text }
}

/// `Grade B, somebody else was at work: …`
fn grade(report: &Report) -> Point {
    let (stand, _, meaning) = graded(report.grade);
    let remarks: Vec<String> =
        report.remarks.iter().map(|remark| stopped(&clean(remark))).collect();
    let text = format!("{meaning} {}", remarks.join(" "));
    Point { stand, topic: "the machine", text: text.trim_end().to_owned() }
}

/// How a grade stands, its letter, and what it means.
pub(crate) const fn graded(grade: Grade) -> (Stand, &'static str, &'static str) {
    match grade {
        Grade::A => (Stand::Held, "A", "Grade A: quiet."),
        Grade::B => (Stand::Limits, "B", "Grade B: somebody else was at work."),
        Grade::C => (Stand::Limits, "C", "Grade C: busy; medians may stand, tails do not."),
    }
}

impl Stand {
    /// A mark that needs no colour.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Held => "✓",
            Self::Limits => "!",
            Self::Fails => "✗",
            Self::Told => "·",
        }
    }

    /// The mark in a word, for who does not see it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Limits => "limits",
            Self::Fails => "fails",
            Self::Told => "told",
        }
    }
}
