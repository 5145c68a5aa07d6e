//! For a repository and for pull requests: the same content as tables of Markdown.

use std::fmt::Write;

use super::tables::Table;
use super::words::{about, clean, title};
use super::{headline, peers, sentences, trust};
use crate::Section;
use crate::report::Report;

/// The whole report.
pub(crate) fn write(report: &Report) -> String {
    let (_, grade, _) = trust::graded(report.grade);
    let run = escape(&super::summary(report));
    let mut text = format!("# {}\n\n{run}; grade {grade}\n", super::TITLE);
    let warnings = headline::warnings(report);
    list(&mut text, warnings.iter().map(|warning| format!("**{}**", escape(warning))));
    list(&mut text, headline::sentences(report).iter().map(|answer| escape(answer)));
    for section in Section::ALL {
        write_section(&mut text, report, section);
    }
    text.push_str("\n## Why you may trust this\n");
    let points = trust::points(report);
    list(
        &mut text,
        points.iter().map(|point| {
            format!("{} {}: {}", point.stand.mark(), point.topic, escape(&point.text))
        }),
    );
    if !report.peers.is_empty() {
        let _ = writeln!(text, "\n## What others say\n\n{}\n", peers::ABOUT);
        head(&mut text, peers::HEAD.iter().copied());
        for cells in peers::rows(report) {
            row(&mut text, cells.iter().map(String::as_str));
        }
    }
    write_machine(&mut text, report);
    text
}

fn write_section(text: &mut String, report: &Report, section: Section) {
    let Some(table) = Table::of(report, section) else { return };
    let _ = writeln!(text, "\n## {}\n\n{}\n", title(section), about(section));
    if !table.lines.is_empty() {
        let names = ["unit", "mechanism", "with", "where"];
        head(text, names.into_iter().chain(table.head.iter().map(String::as_str)));
        for line in &table.lines {
            let first = [line.unit.name(), &line.mechanism, &line.details, line.place];
            row(text, first.into_iter().chain(line.cells.iter().map(String::as_str)));
        }
    }
    list(text, table.footnotes.iter().map(|note| escape(note)));
    let refused = table.refused.iter();
    list(text, refused.map(|one| format!("refused: {}: {}", escape(&one.what), escape(&one.why))));
    let compared = super::comparisons(report, section);
    list(text, compared.map(|one| escape(&sentences::comparison(report, one))));
}

fn write_machine(text: &mut String, report: &Report) {
    if report.environment.facts.is_empty() && report.environment.caches.is_empty() {
        return;
    }
    text.push_str(
        "\n## The machine\n\nWhere reports differ in a marked line they must not be compared.\n\n",
    );
    head(text, ["", "what", "value", "decides"].into_iter());
    for fact in &report.environment.facts {
        let decides = if fact.decides { "✓" } else { "" };
        let cells = [&fact.group, &fact.name, &fact.value].map(|cell| clean(cell));
        row(text, cells.iter().map(String::as_str).chain([decides]));
    }
    for (name, bytes) in &report.environment.caches {
        row(text, ["machine", &clean(name), &super::units::size(*bytes), ""].into_iter());
    }
}

fn head<'a>(text: &mut String, names: impl Iterator<Item = &'a str>) {
    let names: Vec<&str> = names.collect();
    row(text, names.iter().copied());
    let _ = writeln!(text, "|{}", "---|".repeat(names.len()));
}

fn row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    text.push('|');
    for cell in cells {
        let _ = write!(text, " {} |", escape(cell));
    }
    text.push('\n');
}

/// Lines of a list, after an empty one; nothing of nothing.
fn list(text: &mut String, lines: impl Iterator<Item = String>) {
    let mut begun = false;
    for line in lines {
        if !begun {
            text.push('\n');
            begun = true;
        }
        let _ = writeln!(text, "* {line}");
    }
}

/// What would end a cell or become markup is shown as it is.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_ends_before_its_end() {
        assert_eq!(
            escape("a|b <i>*c*</i> & `d`"),
            "a\\|b &lt;i&gt;\\*c\\*&lt;/i&gt; &amp; \\`d\\`"
        );
    }
}
