//! A report for people: the same sections for a terminal, as Markdown and as a page.

use super::super::gaps::{Calm, GapRow};
use super::{RegisterFigures, RegisterRow, RegisterTable, RegistersReport};
use crate::report::{Facts, Section, facts_of, markdown, page, plain, ranged};
use crate::stats::Spread;

const TITLE: &str = "Replicated registers side by side";

const HEAD: [&str; 9] = [
    "",
    "ops/s (range)",
    "ops/CPU-s (range)",
    "p50 µs",
    "p99 µs",
    "B/op",
    "seg/op",
    "flush/op",
    "remark",
];

const GAPS_HEAD: [&str; 9] = [
    "",
    "event",
    "usual gap ms",
    "usual p99.9 ms",
    "gap ms",
    "gap of one client ms",
    "slowest ms",
    "event ms",
    "remark",
];

impl RegistersReport {
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

    /// The page.
    #[must_use]
    pub fn to_html(&self) -> String {
        page(TITLE, &self.command, &self.facts(), &self.sections(), &[], &self.notes)
    }

    pub(super) fn facts(&self) -> Facts {
        let rounds = format!(
            "{} of {} s for each cell, order from seed {}; values of {} bytes",
            self.rounds, self.cell_seconds, self.seed, self.value_bytes
        );
        let mut facts = facts_of(&self.environment, &self.opt_level);
        facts.extend([
            ("Peers", self.versions.join(", ")),
            ("Rounds", rounds),
            ("Grade of the machine", format!("{:?}", self.grade)),
        ]);
        facts.extend(self.remarks.iter().map(|remark| ("Remark", remark.clone())));
        facts.retain(|(_, value)| !value.is_empty());
        if let Some(kept) = &self.kept {
            facts.push(("Files of the servers", kept.display().to_string()));
        }
        facts
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        let targets = Section {
            title: "Targets".to_owned(),
            head: ["", "wanted", "reached (range)", "verdict"].map(str::to_owned).to_vec(),
            rows: self
                .targets
                .iter()
                .map(|target| {
                    let reached =
                        target.reached.map_or("–".to_owned(), |reached| ranged(reached, 2));
                    let verdict = target.verdict.name().to_owned();
                    vec![target.what.clone(), target.wanted.clone(), reached, verdict]
                })
                .collect(),
        };
        let idle = Section {
            title: "While nobody asks".to_owned(),
            head: ["", "CPU % of a core, all servers", ""].map(str::to_owned).to_vec(),
            rows: self
                .idle
                .iter()
                .map(|(store, idle)| {
                    vec![store.name().to_owned(), format!("{:.2}", idle * 100.0), String::new()]
                })
                .collect(),
        };
        let gaps = Section {
            title: "Gaps".to_owned(),
            head: GAPS_HEAD.map(str::to_owned).to_vec(),
            rows: self.gaps.iter().map(gap).collect(),
        };
        let tables = self.tables.iter().map(|table| self.section(table));
        let sections = tables.chain([idle, gaps, targets]);
        sections.filter(|section| !section.rows.is_empty()).collect()
    }

    fn section(&self, table: &RegisterTable) -> Section {
        let (operation, clients) = (table.operation.title(self.pipeline), table.clients);
        let plural = if clients == 1 { "" } else { "s" };
        Section {
            title: format!("{operation}: {clients} client{plural}"),
            head: HEAD.map(str::to_owned).to_vec(),
            rows: table.rows.iter().map(row).collect(),
        }
    }
}

fn row(row: &RegisterRow) -> Vec<String> {
    let mut cells = vec![row.store.name().to_owned()];
    if let Some(figures) = &row.figures {
        let RegisterFigures { per_second, per_cpu_second, p50_us, p99_us, .. } = *figures;
        let counted = |count: Option<Spread>, digits: usize| {
            count.map_or("–".to_owned(), |count| format!("{:.digits$}", count.median))
        };
        cells.extend([ranged(per_second, 0), ranged(per_cpu_second, 0)]);
        cells.extend([p50_us, p99_us].map(|time| format!("{:.0}", time.median)));
        cells.extend([counted(figures.wire_bytes, 0), counted(figures.wire_segments, 2)]);
        cells.push(if row.store.is_durable() {
            counted(figures.flushes, 3)
        } else {
            "–".to_owned()
        });
        cells.push(String::new());
    } else {
        refuse(&mut cells, HEAD.len(), row.refused.as_deref());
    }
    cells
}

fn gap(row: &GapRow) -> Vec<String> {
    let mut cells = vec![row.store.name().to_owned(), row.event.clone()];
    if let (Some(before), Some(during)) = (row.before, row.during) {
        let Calm { gap_ms, client_gap_ms, max_ms, .. } = during;
        let figures = [before.gap_ms, before.p999_ms, gap_ms, client_gap_ms, max_ms, row.event_ms];
        cells.extend(figures.map(|figure| format!("{figure:.1}")));
        let failures = row.failures;
        cells.push(if failures == 0 { String::new() } else { format!("{failures} asked again") });
    } else {
        refuse(&mut cells, GAPS_HEAD.len(), row.refused.as_deref());
    }
    cells
}

fn refuse(cells: &mut Vec<String>, columns: usize, why: Option<&str>) {
    cells.resize(columns - 1, "–".to_owned());
    cells.push(why.unwrap_or("nothing ended in the measured time").to_owned());
}
