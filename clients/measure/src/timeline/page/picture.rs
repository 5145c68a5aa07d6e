//! A run as SVG: a row for each thread, time from left to right.

use std::fmt::Write;
use std::time::Duration;

use palco_fibers::lab::{Lane, What};

use super::super::span::{nanoseconds, spans};
use super::super::{Run, time};
use super::bar::bars;

/// Units of the picture.
const WIDTH: f64 = 1100.0;
const LABEL: f64 = 70.0;
const ROW: f64 = 26.0;
const BAR: f64 = 20.0;
const AXIS: f64 = 22.0;

/// Numbers under the picture, about.
const TICKS: u64 = 10;

/// Hand-offs that are marked; more would hide the bars, so then none is.
const MARKS_MAX: usize = 300;

/// How many rows the picture of a run has.
pub(super) fn lanes(run: &Run) -> usize {
    spans(&run.events, end(run)).len()
}

/// The picture, with `columns` columns.
pub(super) fn picture(run: &Run, columns: usize) -> String {
    let end = end(run);
    let lanes = spans(&run.events, end);
    let height = lanes.len() as f64 * ROW + AXIS;
    let x = |ns: u64| LABEL + ns.min(end) as f64 / end as f64 * (WIDTH - LABEL);
    let mut text = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Timeline of policy {}\">\n",
        run.settings.policy
    );
    text.push_str(&axis(end, height, x));
    for (row, (lane, spans)) in lanes.iter().enumerate() {
        let y = row as f64 * ROW;
        let _ = writeln!(
            text,
            "<g><text x=\"0\" y=\"{:.1}\">{lane}</text><rect class=\"lane\" x=\"{LABEL}\" y=\"{y}\" width=\"{}\" \
             height=\"{BAR}\"/>",
            y + 14.0,
            WIDTH - LABEL,
        );
        for bar in bars(spans, end / columns as u64) {
            let (from, until) = (x(bar.from), x(bar.until));
            // A hair's breadth between neighbours, so that calls can be counted.
            let width = (until - from - 0.2).max(0.4);
            let _ = write!(
                text,
                "<rect class=\"{}\" x=\"{from:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\"",
                bar.class
            );
            if bar.opacity < 1.0 {
                let _ = write!(text, " opacity=\"{}\"", bar.opacity);
            }
            let _ = writeln!(text, "><title>{}</title></rect>", bar.title);
        }
        text.push_str("</g>\n");
    }
    let row_of = |number: u16| lanes.keys().position(|lane| *lane == Lane::Lwp(number));
    text.push_str(&marks(run, x, row_of));
    text.push_str("</svg>\n");
    text
}

/// Hand-offs: a line from the row of who lost the processor to that of who has it.
fn marks(run: &Run, x: impl Fn(u64) -> f64, row_of: impl Fn(u16) -> Option<usize>) -> String {
    let mut text = String::new();
    let handoffs = run.events.iter().filter_map(|event| match event.what {
        What::HandedOff { from, to } => Some((event.at, from, to)),
        _ => None,
    });
    if handoffs.clone().count() > MARKS_MAX {
        return text;
    }
    for (at, from, to) in handoffs {
        let (Some(from_row), Some(to_row)) = (row_of(from), row_of(to)) else { continue };
        let middle = |row: usize| row as f64 * ROW + BAR / 2.0;
        let at_x = x(nanoseconds(at));
        let _ = writeln!(
            text,
            "<line class=\"mark\" x1=\"{at_x:.1}\" x2=\"{at_x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"><title>processor of LWP {from} \
             to LWP {to} at {}</title></line>",
            middle(from_row),
            middle(to_row),
            time(at),
        );
    }
    text
}

fn axis(end: u64, height: f64, x: impl Fn(u64) -> f64) -> String {
    let mut text = String::new();
    let step = step(end);
    for at in (0..=end / step).map(|index| index * step) {
        let at_x = x(at);
        let anchor = if at == 0 { "start" } else { "middle" };
        let bottom = height - AXIS + 2.0;
        let _ = writeln!(
            text,
            "<line class=\"tick\" x1=\"{at_x:.1}\" x2=\"{at_x:.1}\" y1=\"0\" y2=\"{bottom}\"/><text x=\"{at_x:.1}\" \
             y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            height - 4.0,
            if at == 0 { "0".to_owned() } else { time(Duration::from_nanos(at)) },
        );
    }
    text
}

/// 1, 2 or 5 times a power of ten, so that about [`TICKS`] fit.
fn step(end: u64) -> u64 {
    let wanted = (end / TICKS).max(1);
    let power = 10_u64.pow(wanted.ilog10());
    let factor = [1, 2, 5, 10].into_iter().find(|factor| factor * power >= wanted);
    factor.unwrap_or(10).saturating_mul(power)
}

/// Where the picture ends.
fn end(run: &Run) -> u64 {
    nanoseconds(run.outcome.total).max(1)
}

#[cfg(test)]
mod tests {
    use palco_fibers::lab::Policy;

    use super::super::super::run::tests::run;
    use super::*;

    #[test]
    fn hand_offs_are_marked_unless_they_would_hide_the_bars() {
        let mut run = run(Policy::Go);
        let marks = |run: &Run| picture(run, 100).matches("class=\"mark\"").count();
        assert_eq!(marks(&run), 1);
        let handoff = run.events[3];
        run.events.extend([handoff; MARKS_MAX]);
        assert_eq!(marks(&run), 0);
    }

    #[test]
    fn an_axis_has_round_numbers_and_neither_few_nor_many() {
        for (end, wanted) in [(1, 1), (100, 10), (510_000_000, 100_000_000), (3_000, 500)] {
            assert_eq!(step(end), wanted, "{end}");
            assert!(end / step(end) <= TICKS);
        }
    }
}
