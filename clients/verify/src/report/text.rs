//! A report for a terminal.

use std::fmt::Write;
use std::time::Duration;

use super::{Report, Verdict};
use crate::Latencies;

/// Objections and the like that are shown, at most; all are in the data.
const SHOWN_MAX: usize = 5;

impl Verdict {
    /// In a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Holds => {
                "Everything that clients were told can be true, and nothing that was acknowledged is lost."
            }
            Self::Violated => {
                "VIOLATED: not everything can be true, or something was lost or not served."
            }
            Self::Undecided => {
                "NOT DECIDED: nothing was found to be wrong, and for some keys a search came to its limit."
            }
            Self::Interrupted => {
                "INTERRUPTED: what was judged until then was not wrong; there were no last reads."
            }
            Self::Nothing => "NOTHING was judged: no operation was answered.",
        }
    }
}

impl Report {
    /// As text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n\n", self.verdict.sentence());
        for (title, all) in [("objection", &self.objections), ("not decided", &self.undecided)] {
            for one in all.iter().take(SHOWN_MAX) {
                let _ = writeln!(text, "{title}: {one}\n");
            }
            if let Some(more) = all.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
                let _ = writeln!(text, "and {more} more\n");
            }
        }
        for (name, figure) in self.facts() {
            let _ = writeln!(text, "{name:<22} {figure}");
        }
        if !self.during.is_empty() {
            let _ = writeln!(
                text,
                "\n{:<11} {:>5} {:>12} {:>14} {:>9} {:>9} {:>10}",
                "fault", "times", "longest gap", "with a quorum", "p50", "p99", "p99.9"
            );
        }
        for row in self.rows() {
            let [fault, times, gap, with_quorum, p50, p99, p999] = row;
            let _ = writeln!(
                text,
                "{fault:<11} {times:>5} {gap:>12} {with_quorum:>14} {p50:>9} {p99:>9} {p999:>10}"
            );
        }
        if !self.remarks.is_empty() {
            text.push('\n');
        }
        for remark in &self.remarks {
            let _ = writeln!(text, "{remark}");
        }
        let _ = writeln!(text, "\nagain: {}", self.command);
        text
    }

    /// What a run was, and its figures.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let counts = self.counts;
        let mut facts = vec![
            ("nodes", self.ground.clone()),
            ("seed", self.seed.to_string()),
            ("time", format!("{:.1} s, {} clients", self.lasted.as_secs_f64(), self.clients)),
            (
                "operations",
                format!(
                    "{} answered, {} without effect (comparisons that failed among them), {} of unknown outcome",
                    counts.done, counts.failed, counts.unknown
                ),
            ),
            (
                "judged",
                format!(
                    "{} operations in {} complete histories, {} last reads",
                    self.judged, self.rounds, self.last_reads
                ),
            ),
            ("faults", self.faults.len().to_string()),
        ];
        if let Some(gap) = self.gap {
            let (length, from) = (time(gap.length()), gap.from.as_secs_f64());
            facts.push(("longest gap", format!("{length} from {from:.1} s on")));
        }
        if let Some(calm) = self.calm {
            let Latencies { p50_ms, p99_ms, p999_ms, max_ms, .. } = calm;
            facts.push((
                "while nothing is wrong",
                format!(
                    "p50 {}, p99 {}, p99.9 {}, longest {}",
                    millis(p50_ms),
                    millis(p99_ms),
                    millis(p999_ms),
                    millis(max_ms)
                ),
            ));
        }
        facts
    }

    /// A row for each kind of fault: its name, how often, gaps, latencies.
    pub(super) fn rows(&self) -> Vec<[String; 7]> {
        let row = |of: &super::During| {
            let figure = |which: fn(&Latencies) -> f64| {
                of.latencies.as_ref().map_or_else(|| "–".to_owned(), |all| millis(which(all)))
            };
            [
                of.fault.name().to_owned(),
                of.times.to_string(),
                millis(of.gap_ms),
                of.gap_with_quorum_ms.map_or_else(|| "–".to_owned(), millis),
                figure(|all| all.p50_ms),
                figure(|all| all.p99_ms),
                figure(|all| all.p999_ms),
            ]
        };
        self.during.iter().map(row).collect()
    }
}

fn time(time: Duration) -> String {
    millis(super::ms(time))
}

fn millis(ms: f64) -> String {
    match ms {
        long if long >= 1000.0 => format!("{:.2} s", long / 1000.0),
        some if some >= 10.0 => format!("{some:.0} ms"),
        few => format!("{few:.1} ms"),
    }
}
