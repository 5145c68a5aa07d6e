//! A report for people: Markdown, and the same columns aligned for a terminal.

use std::fmt::Write;
use std::iter;

use palco_measure::report::Environment;

use super::{Figures, MemoryRow, Report, Row, Table};
use crate::actors::Question;
use crate::stats::Spread;

const HEAD: [&str; 9] =
    ["", "p50", "p99", "max", "best", "median", "CPU", "ratio (range)", "where"];
const MEMORY_HEAD: [&str; 4] = ["", "bytes", "actors", "where"];

/// A table as text.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Name and value of what is known about a run.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// The machine and the build.
pub(crate) fn facts_of(environment: &Environment, opt_level: &str) -> Facts {
    let of = |name: &str| {
        let mut facts = environment.facts.iter();
        facts.find(|fact| fact.name == name).map_or("unknown", |fact| &fact.value).to_owned()
    };
    vec![
        ("Date", environment.date.clone()),
        ("Machine", format!("{} cores, {}", of("cores"), of("processor"))),
        ("Kernel", of("release")),
        ("Built by", built_by(&of("compiler"), opt_level)),
        ("Commit", of("commit")),
    ]
}

fn built_by(compiler: &str, opt_level: &str) -> String {
    match opt_level {
        "0" => format!("{compiler} WITHOUT OPTIMISATION: the figures mean nothing"),
        level => format!("{compiler} -O{level}"),
    }
}

/// A page of Markdown.
pub(crate) fn markdown(
    title: &str,
    facts: &Facts,
    sections: &[Section],
    notes: impl IntoIterator<Item = impl AsRef<str>>,
) -> String {
    let mut text = format!("# {title}\n\n");
    for (name, value) in facts {
        let _ = writeln!(text, "* {name}: {value}");
    }
    sections.iter().for_each(|section| markdown_table(&mut text, section));
    markdown_list(&mut text, "How to read it", notes);
    text
}

/// A section of Markdown that is a table.
pub(crate) fn markdown_table(text: &mut String, Section { title, head, rows }: &Section) {
    let _ = writeln!(text, "\n## {title}\n\n| {} |", head.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

/// A section of Markdown that is a list.
pub(crate) fn markdown_list(
    text: &mut String,
    title: &str,
    items: impl IntoIterator<Item = impl AsRef<str>>,
) {
    let _ = writeln!(text, "\n## {title}\n");
    for item in items {
        let _ = writeln!(text, "* {}", item.as_ref());
    }
}

/// For a terminal, without the notes.
pub(crate) fn plain(facts: &Facts, sections: &[Section]) -> String {
    let mut text = String::new();
    for (name, value) in facts {
        let _ = writeln!(text, "{name}: {value}");
    }
    for Section { title, head, rows } in sections {
        let _ = writeln!(text, "\n{title}");
        text.push_str(&aligned(head, rows));
    }
    text
}

/// Median and range, if there is one.
pub(crate) fn ranged(Spread { median, min, max }: Spread, digits: usize) -> String {
    if min.total_cmp(&max).is_eq() {
        return format!("{median:.digits$}");
    }
    format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
}

/// Median and range; nothing of nothing.
pub(crate) fn spread(spread: Option<Spread>) -> String {
    spread.map_or(String::new(), |Spread { median, min, max }| {
        format!("{median:.2} ({min:.2}–{max:.2})")
    })
}

impl Report {
    /// Tables and notes as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        markdown("Actors side by side", &self.facts(), &self.sections(), &self.notes)
    }

    /// Tables for a terminal, without the notes.
    #[must_use]
    pub fn to_table(&self) -> String {
        plain(&self.facts(), &self.sections())
    }

    fn facts(&self) -> Facts {
        let mut facts = self.machine.facts();
        facts.push(("Rounds", self.rounds.to_string()));
        facts
    }

    fn sections(&self) -> Vec<Section> {
        let timed = self.tables.iter().map(section);
        let weighed = [Question::MemoryTask, Question::MemoryThread].map(|question| {
            let rows = self.memory.iter().filter(|row| row.question == question);
            let head = MEMORY_HEAD.map(str::to_owned).to_vec();
            Section {
                title: question.title().to_owned(),
                head,
                rows: rows.map(memory_cells).collect(),
            }
        });
        timed.chain(weighed).filter(|section| !section.rows.is_empty()).collect()
    }
}

fn section(table: &Table) -> Section {
    let mut head = HEAD.map(str::to_owned).to_vec();
    if let Some(baseline) = &table.baseline {
        head[0] = format!("ratio to: {baseline}");
    }
    Section {
        title: table.question.title().to_owned(),
        head,
        rows: table.rows.iter().map(cells).collect(),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.name.clone()];
    if let Some(figures) = &row.figures {
        cells.extend(numbers(figures));
        cells.push(row.setting.clone());
    } else {
        cells.push("refused".to_owned());
        cells.extend(iter::repeat_n(String::new(), HEAD.len() - 3));
        cells.push(row.refused.clone().unwrap_or_default());
    }
    cells
}

fn numbers(figures: &Figures) -> [String; 7] {
    let Figures { p50_ns, p99_ns, max_ns, best_ns, median_ns, cpu_ns, .. } = *figures;
    let [p50, p99, max, best, median, cpu] =
        [p50_ns, p99_ns, max_ns, best_ns, median_ns, cpu_ns].map(nanos);
    [p50, p99, max, best, median, cpu, spread(figures.ratio)]
}

fn nanos(nanos: f64) -> String {
    if nanos < 100.0 { format!("{nanos:.1}") } else { format!("{nanos:.0}") }
}

fn memory_cells(row: &MemoryRow) -> Vec<String> {
    let bytes = row.bytes_per_actor.map_or_else(
        || format!("refused: {}", row.refused.as_deref().unwrap_or_default()),
        |bytes| bytes.to_string(),
    );
    vec![row.name.clone(), bytes, row.actors.to_string(), row.setting.clone()]
}

/// The first and last column to the left, the others to the right.
pub(crate) fn aligned(head: &[String], rows: &[Vec<String>]) -> String {
    let lines = || iter::once(head).chain(rows.iter().map(Vec::as_slice));
    let width = |column: usize| lines().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines() {
        let mut written = String::new();
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            if column == 0 || column + 1 == line.len() {
                let _ = write!(written, "  {cell:<width$}");
            } else {
                let _ = write!(written, "  {cell:>width$}");
            }
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}
