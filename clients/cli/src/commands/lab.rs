//! `palco lab`: experiments, as a table of what is taught and what was observed.

use std::process::ExitCode;

use anyhow::Result;
use palco_measure::pipes::{self, Blocked, FactLine, ModeLine, PipesReport, Textbook, Units};

use crate::args::Lab;
use crate::output;

/// A property does not hold.
const BROKEN: u8 = 3;

pub(crate) fn lab(lab: &Lab, json: bool) -> Result<ExitCode> {
    let Lab::Pipes { markdown } = lab;
    // Nothing of this program has started a thread yet, so it may be copied.
    let report = pipes::run(Units::Processes)?;
    match (json, markdown) {
        (true, _) => output::json(&report)?,
        (false, true) => to_markdown(&report)?,
        (false, false) => to_table(&report)?,
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

const MODES: [&str; 9] = [
    "SLOW",
    "WRITER",
    "READER",
    "SENT",
    "DELIVERED",
    "LOST",
    "IN VAIN",
    "WAITS (LONGEST, TOTAL)",
    "TEXTBOOK",
];
const FACTS: [&str; 4] = ["TRIED", "MANUAL SAYS", "OBSERVED", "MANUAL"];

fn mode_cells(line: &ModeLine) -> [String; 9] {
    let (mode, outcome) = (line.mode, &line.outcome);
    let in_vain = match outcome.in_vain {
        0 => "0".to_owned(),
        reads => {
            format!("{reads}: {} handled again, {} as zero", outcome.stale, outcome.zeros)
        }
    };
    let waits = [("writer", outcome.writes_blocked), ("reader", outcome.reads_blocked)];
    let waits: Vec<String> =
        waits.into_iter().filter_map(|(who, waits)| waits_of(who, waits)).collect();
    [
        mode.slow.name().to_owned(),
        mode.writer.name().to_owned(),
        mode.reader.name().to_owned(),
        outcome.messages.to_string(),
        outcome.delivered.to_string(),
        outcome.lost.to_string(),
        in_vain,
        if waits.is_empty() { "none".to_owned() } else { waits.join("; ") },
        verdict(line.textbook, line.as_explained),
    ]
}

/// `writer 4 (980 µs, 3.6 ms)`.
fn waits_of(who: &str, waits: Blocked) -> Option<String> {
    let Blocked { calls, longest_nanos, total_nanos } = waits;
    let calls = (calls > 0).then_some(calls)?;
    Some(format!("{who} {calls} ({}, {})", time(longest_nanos), time(total_nanos)))
}

fn time(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{} µs", nanos / 1000),
        _ => format!("{} ms", nanos / 1_000_000),
    }
}

fn fact_cells(line: &FactLine) -> [String; 4] {
    let verdict = verdict(line.textbook, line.as_explained);
    [line.tried.clone(), line.says.clone(), line.observed.clone(), verdict]
}

fn verdict(textbook: Textbook, as_explained: bool) -> String {
    let verdict = match textbook {
        Textbook::Right => "Right",
        Textbook::Wrong => "Wrong",
    };
    if as_explained { verdict.to_owned() } else { format!("{verdict}; this kernel differs") }
}

/// What is taught of the modes, and why it is so or not: once for all lines that it is the same for.
fn reasons(report: &PipesReport) -> Vec<String> {
    let mut reasons = Vec::new();
    for ModeLine { says, textbook, reason, .. } in &report.modes {
        let text = format!("The textbook: {says}. {}: {reason}.", verdict(*textbook, true));
        if !reasons.contains(&text) {
            reasons.push(text);
        }
    }
    reasons
}

fn facts_reasons(report: &PipesReport) -> impl Iterator<Item = String> {
    report.facts.iter().map(|line| format!("{}: {}.", line.tried, line.reason))
}

fn introduction(report: &PipesReport) -> String {
    let units = match report.units {
        Units::Threads => "threads",
        Units::Processes => "processes",
    };
    format!("Two {units}, a pipe of {} bytes, messages of 4 bytes.", report.pipe_bytes)
}

fn to_table(report: &PipesReport) -> Result<()> {
    output::line(format!("{}\n", introduction(report)))?;
    output::table(MODES, report.modes.iter().map(mode_cells))?;
    output::line("")?;
    for reason in reasons(report) {
        output::line(format!("  {reason}"))?;
    }
    output::line("")?;
    output::table(FACTS, report.facts.iter().map(fact_cells))?;
    output::line("")?;
    for reason in facts_reasons(report) {
        output::line(format!("  {reason}"))?;
    }
    Ok(())
}

fn to_markdown(report: &PipesReport) -> Result<()> {
    output::line(format!("# Pipes in four modes\n\n{}\n", introduction(report)))?;
    markdown_table(MODES, report.modes.iter().map(mode_cells))?;
    output::line("")?;
    for reason in reasons(report) {
        output::line(format!("* {reason}"))?;
    }
    output::line("\n## Facts\n")?;
    markdown_table(FACTS, report.facts.iter().map(fact_cells))?;
    output::line("")?;
    for reason in facts_reasons(report) {
        output::line(format!("* {reason}"))?;
    }
    Ok(())
}

fn markdown_table<const N: usize>(
    heading: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<()> {
    output::line(format!("| {} |\n|{}", heading.join(" | "), "---|".repeat(N)))?;
    for row in rows {
        output::line(format!("| {} |", row.join(" | ")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_with_the_unit_that_fits() {
        assert_eq!(waits_of("writer", Blocked::default()), None);
        let waits = Blocked { calls: 4, longest_nanos: 988_576, total_nanos: 13_887_618 };
        assert_eq!(waits_of("writer", waits).unwrap(), "writer 4 (988 µs, 13 ms)");
    }

    #[test]
    fn a_kernel_that_does_otherwise_is_seen_in_its_line() {
        assert_eq!(verdict(Textbook::Right, true), "Right");
        assert_eq!(verdict(Textbook::Wrong, false), "Wrong; this kernel differs");
    }
}
