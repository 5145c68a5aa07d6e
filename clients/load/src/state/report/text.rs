//! A report for people: the same sections for a terminal, as Markdown and as a page.

use super::chart;
use super::{CostRow, CostTable, StateReport};
use crate::registers::Target;
use crate::report::{Facts, Section, facts_of, markdown, page, plain, ranged};
use crate::state::{AheadRow, MemoryRow, RecoveryRow, StaleRow, TermRow};
use crate::stats::Spread;

const TITLE: &str = "Files, stateless beside stateful";

const NOTHING: &str = "–";

const COST: [&str; 10] = [
    "",
    "how",
    "round trips",
    "B sent",
    "B got",
    "ops/s (range)",
    "ops/CPU-s (range)",
    "p50 µs",
    "p99 µs",
    "remark",
];
const AHEAD: [&str; 6] = ["", "readers", "reads", "of these ahead", "%", "remark"];
const MEMORY: [&str; 5] = ["", "open handles", "state B", "memory B", "remark"];
const RECOVERY: [&str; 8] = [
    "",
    "the client's part",
    "kills",
    "reads failed",
    "restart ms (range)",
    "first bytes ms (range)",
    "round trips",
    "remark",
];
const STALE: [&str; 11] = [
    "",
    "belief",
    "reads",
    "old",
    "age p50 ms",
    "age p99 ms",
    "oldest ms",
    "requests/read",
    "write p50 ms",
    "write p99 ms",
    "remark",
];
const TERMS: [&str; 7] =
    ["term s", "reads/s", "messages/s", "messages/read", "2/(1+R·t)", "4/(R·t)", "remark"];

impl StateReport {
    /// Tables and notes as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown(TITLE, &self.facts(), &self.sections(), &self.notes)
    }

    /// Tables for a terminal, without the notes.
    #[must_use]
    pub fn to_table(&self) -> String {
        plain(&self.facts(), &self.sections())
    }

    /// The page, with pictures.
    #[must_use]
    pub fn to_html(&self) -> String {
        let pictures = chart::all(self);
        page(TITLE, &self.command, &self.facts(), &self.sections(), &pictures, &self.notes)
    }

    fn facts(&self) -> Facts {
        let rounds = format!(
            "{} of {} s for each cell, order from seed {}",
            self.rounds, self.cell_seconds, self.seed
        );
        let mut facts = facts_of(&self.environment, &self.opt_level);
        facts.extend([
            ("Peers", self.versions.join(", ")),
            ("Rounds", rounds),
            ("Grade of the machine", format!("{:?}", self.grade)),
        ]);
        facts.extend(self.remarks.iter().map(|remark| ("Remark", remark.clone())));
        facts.retain(|(_, value)| !value.is_empty());
        facts
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = self.tables.iter().map(costs).collect();
        sections.extend([
            section("Read ahead", &AHEAD, self.ahead.iter().map(ahead)),
            section("What a server remembers of a client", &MEMORY, self.memory.iter().map(memory)),
            section("After a kill", &RECOVERY, self.recovery.iter().map(recovery)),
            section("Read while somebody writes", &STALE, self.stale.iter().map(stale)),
            section("Leases by their term", &TERMS, self.terms.iter().map(term)),
            section(
                "What must hold",
                &["", "wanted", "reached", "verdict"],
                self.targets.iter().map(target),
            ),
        ]);
        sections.retain(|section| !section.rows.is_empty());
        sections
    }
}

fn section(title: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Section {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    Section { title: title.to_owned(), head, rows: rows.collect() }
}

fn costs(table: &CostTable) -> Section {
    section(table.task.title(), &COST, table.rows.iter().map(cost))
}

fn cost(row: &CostRow) -> Vec<String> {
    let mut cells = vec![row.side.name().to_owned(), row.way.name().to_owned()];
    if let Some(of) = &row.figures {
        cells.push(format!("{:.2}", of.round_trips.median));
        cells.extend([of.bytes_sent, of.bytes_received].map(|of| format!("{:.0}", of.median)));
        cells.extend([ranged(of.per_second, 0), range(of.per_cpu_second, 0)]);
        cells.extend([of.p50_us, of.p99_us].map(|time| format!("{:.0}", time.median)));
    }
    remark(cells, COST.len(), row.refused.as_deref())
}

fn ahead(row: &AheadRow) -> Vec<String> {
    let mut cells = vec![row.side.name().to_owned(), row.readers.name().to_owned()];
    if let Some(hits) = row.hits() {
        cells.extend([row.reads.to_string(), row.reads_ahead.to_string()]);
        cells.push(format!("{:.1}", hits * 100.0));
    }
    remark(cells, AHEAD.len(), row.refused.as_deref())
}

fn memory(row: &MemoryRow) -> Vec<String> {
    let mut cells = vec![row.side.name().to_owned(), row.handles.to_string()];
    let bytes = [row.state_bytes, row.memory_bytes];
    cells.extend(bytes.map(|bytes| bytes.map_or(NOTHING.to_owned(), |of| format!("{of:.0}"))));
    remark(cells, MEMORY.len(), row.refused.as_deref())
}

fn recovery(row: &RecoveryRow) -> Vec<String> {
    let mut cells = vec![row.side.name().to_owned(), row.client.clone()];
    if row.kills > 0 {
        cells.extend([row.kills.to_string(), row.failed.to_string()]);
        cells.extend([range(row.restart_ms, 0), range(row.first_ms, 2)]);
        cells.push(range(row.round_trips, 0));
    }
    remark(cells, RECOVERY.len(), row.refused.as_deref())
}

fn stale(row: &StaleRow) -> Vec<String> {
    let mut cells = vec![row.side.name().to_owned(), row.belief.name().to_owned()];
    if let Some(of) = row.figures {
        cells.extend([of.reads.to_string(), of.old.to_string()]);
        cells.extend([of.p50_ms, of.p99_ms, of.max_ms].map(|ms| format!("{ms:.2}")));
        cells.push(format!("{:.3}", of.requests));
        cells.extend([of.write_p50_ms, of.write_p99_ms].map(|ms| format!("{ms:.2}")));
    }
    remark(cells, STALE.len(), row.refused.as_deref())
}

fn term(row: &TermRow) -> Vec<String> {
    let name = if row.term_seconds > 0.0 {
        row.term_seconds.to_string()
    } else {
        "asks each time".to_owned()
    };
    let mut cells = vec![name];
    if let Some(of) = row.figures {
        cells.push(format!("{:.1}", of.reads_per_second));
        cells.push(format!("{:.2}", of.messages_per_second));
        let by_read = [of.messages_per_read, of.theory, of.theory_by_clock];
        cells.extend(by_read.map(|figure| format!("{figure:.4}")));
    }
    remark(cells, TERMS.len(), row.refused.as_deref())
}

fn target(target: &Target) -> Vec<String> {
    let reached = target.reached.map_or(NOTHING.to_owned(), |of| format!("{:.2}", of.median));
    vec![target.what.clone(), target.wanted.clone(), reached, target.verdict.name().to_owned()]
}

/// Fills up to the last column, which says why there are no figures.
fn remark(mut cells: Vec<String>, columns: usize, refused: Option<&str>) -> Vec<String> {
    cells.resize(columns - 1, NOTHING.to_owned());
    cells.push(refused.unwrap_or_default().to_owned());
    cells
}

fn range(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or(NOTHING.to_owned(), |spread| ranged(spread, digits))
}
