//! For a terminal: aligned columns, nothing wider than it is told.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::tables::{Line, Table};
use super::units::NONE;
use super::words::{about, clean, title};
use super::{headline, peers, sentences, trust};
use crate::Section;
use crate::report::Report;

/// Columns where nobody says how many there are.
const WIDTH: usize = 100;

/// Narrower than this a table cannot be read at all.
const WIDTH_MIN: usize = 40;

/// Spaces between two columns.
const GAP: usize = 2;

/// The whole report.
pub(crate) fn write(report: &Report, width: Option<usize>) -> String {
    let width = width.unwrap_or(WIDTH).max(WIDTH_MIN);
    let mut text = String::new();
    let (_, grade, _) = trust::graded(report.grade);
    let run = format!("{}; grade {grade}", super::summary(report));
    paragraph(&mut text, "", "", &run, width);
    for warning in headline::warnings(report) {
        paragraph(&mut text, "! ", "  ", &warning, width);
    }
    for answer in headline::sentences(report) {
        paragraph(&mut text, "* ", "  ", &answer, width);
    }
    for section in Section::ALL {
        write_section(&mut text, report, section, width);
    }
    heading(&mut text, "Why you may trust this");
    for point in trust::points(report) {
        let first = format!("  {} ", point.stand.mark());
        paragraph(&mut text, &first, "    ", &format!("{}: {}", point.topic, point.text), width);
    }
    if !report.peers.is_empty() {
        heading(&mut text, "What others say");
        paragraph(&mut text, "  ", "  ", peers::ABOUT, width);
        write_peers(&mut text, report, width);
    }
    write_machine(&mut text, report, width);
    text
}

fn heading(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{title}");
}

fn write_section(text: &mut String, report: &Report, section: Section, width: usize) {
    let Some(table) = Table::of(report, section) else { return };
    heading(text, title(section));
    paragraph(text, "  ", "  ", about(section), width);
    if !table.lines.is_empty() {
        write_table(text, &table, width);
    }
    for note in &table.footnotes {
        paragraph(text, "  ", "    ", note, width);
    }
    for refused in &table.refused {
        let told = format!("{}: {}", refused.what, refused.why);
        paragraph(text, "  refused: ", "    ", &told, width);
    }
    for comparison in super::comparisons(report, section) {
        paragraph(text, "  → ", "    ", &sentences::comparison(report, comparison), width);
    }
}

/// Rows that have much in common stand under a line that says what.
fn write_table(text: &mut String, table: &Table, width: usize) {
    let mut head = vec![String::new()];
    head.extend(table.head.iter().cloned());
    let cells = |line: &Line| -> Vec<String> {
        let label = format!("    {}", line.label);
        std::iter::once(label).chain(line.cells.iter().cloned()).collect()
    };
    let mut rows: Vec<Vec<String>> = table.lines.iter().map(cells).collect();
    if needed(&natural(&head, &rows)) > width && table.counts_rounds {
        // How many rounds count in all is told below.
        head.pop();
        rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    let widths = widths(&head, &rows, width);
    text.push_str(&aligned(&head, &widths));
    for (group, members) in grouped(&table.lines) {
        let _ = writeln!(text, "  {group}");
        members.into_iter().for_each(|at| text.push_str(&aligned(&rows[at], &widths)));
    }
}

/// Groups in the order in which they begin, and where their lines are.
fn grouped(lines: &[Line]) -> Vec<(&str, Vec<usize>)> {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let group = *known.entry(&line.group).or_insert(groups.len());
        if group == groups.len() {
            groups.push((&line.group, Vec::new()));
        }
        groups[group].1.push(at);
    }
    groups
}

/// How wide each column is. Where all together are too wide, figures give their intervals a line of their own; first the
/// column in which the fewest have one.
fn widths(head: &[String], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let cells = |column: usize| rows.iter().map(move |row| &row[column]).chain([&head[column]]);
    let split = |column: usize| {
        let longest = |cell: &String| parts(cell).iter().map(|part| columns(part)).max();
        cells(column).filter_map(longest).max().unwrap_or(0)
    };
    let mut widths = natural(head, rows);
    while needed(&widths) > width {
        let saves = |&column: &usize| split(column) < widths[column];
        let splits = |&column: &usize| cells(column).filter(|cell| parts(cell).len() > 1).count();
        let Some(column) = (0..head.len()).filter(saves).min_by_key(splits) else { break };
        widths[column] = split(column);
    }
    widths
}

/// How wide columns are that keep everything on one line.
fn natural(head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]).chain([&head[column]]);
        cells.map(|cell| columns(cell)).max().unwrap_or(0)
    };
    (0..head.len()).map(widest).collect()
}

/// The width of a line.
fn needed(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// A figure and its interval, a name and its details: what may stand on lines of their own.
fn parts(cell: &str) -> Vec<String> {
    if let Some((figure, interval)) = cell.split_once(" (") {
        return vec![figure.to_owned(), format!("({interval}")];
    }
    let indent = &cell[..cell.len() - cell.trim_start().len()];
    let mut parts = cell.trim_start().split(", ").enumerate().map(|(at, part)| {
        if at == 0 { format!("{indent}{part}") } else { format!("{indent}  {part}") }
    });
    parts.by_ref().collect()
}

/// One row: the first column to the left, the others to the right; what does not fit goes below.
fn aligned(cells: &[String], widths: &[usize]) -> String {
    let split = |(cell, &width): (&String, &usize)| {
        if columns(cell) <= width { vec![cell.clone()] } else { parts(cell) }
    };
    let split: Vec<Vec<String>> = cells.iter().zip(widths).map(split).collect();
    let height = split.iter().map(Vec::len).max().unwrap_or(1);
    let mut text = String::new();
    for line in 0..height {
        let mut written = String::new();
        for (column, (parts, width)) in split.iter().zip(widths).enumerate() {
            let part = parts.get(line).map_or("", String::as_str);
            let gap = if column == 0 { 0 } else { GAP };
            let fill = " ".repeat(width.saturating_sub(columns(part)));
            let _ = match column {
                0 => write!(written, "{part}{fill}"),
                _ => write!(written, "{:gap$}{fill}{part}", ""),
            };
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}

fn write_peers(text: &mut String, report: &Report, width: usize) {
    for (row, peer) in peers::rows(report).iter().zip(&report.peers) {
        let [command, said, switches, counted, truth, remark] = row;
        let mark = match peers::agrees(peer) {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "·",
        };
        let known = [
            ("says", said, " a switch"),
            ("says", switches, " switches"),
            ("the kernel counted", counted, ""),
            ("in truth", truth, " a switch"),
        ];
        let known = known.iter().filter(|(_, figure, _)| *figure != NONE);
        let known: Vec<String> =
            known.map(|(who, figure, what)| format!("{who} {figure}{what}")).collect();
        let told = format!("{command}: {}. {remark}", known.join(", "));
        paragraph(text, &format!("  {mark} "), "    ", &told.replace(": . ", ": "), width);
    }
}

/// What decides whether figures may be compared; the rest is in the other forms of the report.
fn write_machine(text: &mut String, report: &Report, width: usize) {
    let facts: Vec<_> = report.environment.facts.iter().filter(|fact| fact.decides).collect();
    if facts.is_empty() {
        return;
    }
    heading(text, "The machine, as far as it decides");
    for fact in facts {
        let told = format!("{}: {}", clean(&fact.name), clean(&fact.value));
        paragraph(text, "  ", "    ", &told, width);
    }
}

/// Words in lines no longer than the width; a word that is longer stays whole.
fn paragraph(text: &mut String, first: &str, rest: &str, words: &str, width: usize) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && columns(&line) + 1 + columns(word) > width {
            let _ = writeln!(text, "{}", line.trim_end());
            rest.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

/// How wide text is. Signs of double width are not among ours; in names of others they only shift a column.
fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_keeps_its_width_and_its_words() {
        let mut text = String::new();
        paragraph(&mut text, "* ", "  ", "one two three four", 9);
        assert_eq!(text, "* one two\n  three\n  four\n");
    }

    #[test]
    fn an_interval_goes_below_where_there_is_no_room_beside() {
        let [head, row] = [["", "p50"], ["  pipe", "1.19 µs (1.16–1.22)"]]
            .map(|cells| cells.map(str::to_owned).to_vec());
        let narrow = widths(&head, std::slice::from_ref(&row), 22);
        assert_eq!(aligned(&row, &narrow), "  pipe      1.19 µs\n        (1.16–1.22)\n");
        let wide = widths(&head, std::slice::from_ref(&row), 80);
        assert_eq!(aligned(&row, &wide), "  pipe  1.19 µs (1.16–1.22)\n");
    }
}
