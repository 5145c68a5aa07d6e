//! Stretches of time as bars: those that can be seen one by one, and shade for what is narrower than a column.

use std::collections::BTreeMap;
use std::time::Duration;

use palco_fibers::lab::{FIBERS_MAX, FiberId, Fibers};

use super::super::span::{Doing, Span};
use super::super::{count, time};

/// Steps of the shade.
const SHADES: u64 = 4;

/// A rectangle in one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) class: String,
    /// From 0 to 1.
    pub(super) opacity: f64,
    pub(super) title: String,
}

/// Bars of one row, at most two for each column: `width` is that of a column, in nanoseconds.
pub(super) fn bars(spans: &[Span], width: u64) -> Vec<Bar> {
    let width = width.max(1);
    let (wide, narrow): (Vec<Span>, Vec<Span>) =
        joined(spans, width).into_iter().partition(|span| span.length() >= width);
    let mut bars = shades(&narrow, width);
    bars.extend(wide.iter().map(bar));
    bars
}

/// The colour of each fiber, as style: tickers blue, sleepers from violet to pink; never red, nor
/// what some people cannot tell from it.
pub(super) fn colours() -> String {
    let colour = |class: String, hue: usize| {
        let colour = format!("hsl({hue} 65% var(--light))");
        format!(".{class} {{ fill: {colour}; background: {colour}; }}\n")
    };
    let ticker = |number| colour(format!("t{number}"), 195 + number * 37 % 55);
    let sleeper = |number| colour(format!("s{number}"), 255 + number * 37 % 70);
    (0..FIBERS_MAX).map(ticker).chain((0..FIBERS_MAX).map(sleeper)).collect()
}

fn class(doing: &Doing) -> String {
    match doing {
        Doing::Blocked { .. } => "blocked".to_owned(),
        Doing::Ran { fibers, .. } => match fibers.single() {
            Some(FiberId::Ticker(number)) => format!("t{number}"),
            Some(FiberId::Sleeper(number)) => format!("s{number}"),
            None => "mixed".to_owned(),
        },
    }
}

/// Turns of the same fibers with next to nothing in between are one stretch.
fn joined(spans: &[Span], width: u64) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        if let (Some(last), Doing::Ran { fibers, turns }) = (joined.last_mut(), span.doing)
            && let Doing::Ran { fibers: last_fibers, turns: last_turns } = &mut last.doing
            && *last_fibers == fibers
            && span.from.saturating_sub(last.until) < width / 4
        {
            last.until = span.until;
            *last_turns += turns;
            continue;
        }
        joined.push(*span);
    }
    joined
}

fn bar(span: &Span) -> Bar {
    let (length, from) = [span.length(), span.from].map(Duration::from_nanos).map(time).into();
    let title = match span.doing {
        Doing::Blocked { fiber, ticker_turns } => format!(
            "{fiber} blocked for {length} from {from} on; tickers had {} turns",
            count(ticker_turns)
        ),
        Doing::Ran { fibers, turns } => {
            format!("{}: {} turns in {length} from {from} on", names(fibers), count(turns))
        }
    };
    let Span { from, until, .. } = *span;
    Bar { from, until, class: class(&span.doing), opacity: 1.0, title }
}

fn names(fibers: Fibers) -> String {
    let names: Vec<String> = fibers.iter().map(|fiber| fiber.to_string()).collect();
    names.join(", ")
}

/// What is narrower than a column, by column: the colour of what there is most of, as dense as there is of anything.
fn shades(spans: &[Span], width: u64) -> Vec<Bar> {
    let mut columns: BTreeMap<u64, BTreeMap<String, (u64, u64)>> = BTreeMap::new();
    for span in spans {
        // Its middle says where it belongs: it is shorter than a column.
        let column = (span.from + span.length() / 2) / width;
        let (length, number) =
            columns.entry(column).or_default().entry(class(&span.doing)).or_default();
        *length += span.length();
        *number += 1;
    }
    let mut bars: Vec<(Bar, u64)> = Vec::new();
    for (column, classes) in columns {
        let all: u64 = classes.values().map(|(length, _)| length).sum();
        let number: u64 = classes.values().map(|(_, number)| number).sum();
        let most = classes.into_iter().max_by_key(|(_, (length, _))| *length);
        let Some((class, _)) = most else { continue };
        let shade = (all * SHADES).div_ceil(width).clamp(1, SHADES);
        let opacity = shade as f64 / SHADES as f64;
        let (from, until) = (column * width, (column + 1) * width);
        match bars.last_mut() {
            Some((last, sum))
                if last.until == from && last.class == class && last.opacity == opacity =>
            {
                last.until = until;
                *sum += number;
            }
            _ => bars.push((Bar { from, until, class, opacity, title: String::new() }, number)),
        }
    }
    let entitled = |(bar, number): (Bar, u64)| {
        let length = time(Duration::from_nanos(bar.until - bar.from));
        let title = format!("{} short stretches in {length}, mostly {}", count(number), bar.class);
        Bar { title, ..bar }
    };
    bars.into_iter().map(entitled).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ran(from: u64, until: u64) -> Span {
        let doing = Doing::Ran { fibers: Fibers::only(FiberId::Ticker(2)), turns: 1 };
        Span { from, until, doing }
    }

    #[test]
    fn turns_in_a_row_are_one_bar_and_single_short_ones_are_shade() {
        let all = bars(&[ran(0, 60), ran(60, 120), ran(500, 510), ran(720, 780)], 100);
        let seen = |bar: &Bar| (bar.from, bar.until, bar.class.clone(), bar.opacity);
        let t2 = || "t2".to_owned();
        let expected = [(500, 600, t2(), 0.25), (700, 800, t2(), 0.75), (0, 120, t2(), 1.0)];
        assert_eq!(all.iter().map(seen).collect::<Vec<_>>(), expected);
        assert_eq!(all[2].title, "ticker 2: 2 turns in 120 ns from 0 ns on");
    }

    #[test]
    fn no_fiber_has_a_colour_that_may_be_taken_for_red() {
        for hue in colours().split("hsl(").skip(2).step_by(2) {
            let hue: u32 = hue.split(' ').next().unwrap().parse().unwrap();
            assert!((170..=330).contains(&hue), "{hue}");
        }
    }

    proptest! {
        #[test]
        fn there_are_at_most_two_bars_for_each_column(
            lengths in prop::collection::vec((0_u64..50, 0_u64..300, 0_u8..3, any::<bool>()), 0..200),
            width in 1_u64..200,
        ) {
            let mut now = 0;
            let mut spans = Vec::new();
            for (pause, length, number, is_call) in lengths {
                let fiber = FiberId::Sleeper(number);
                let doing = if is_call {
                    Doing::Blocked { fiber, ticker_turns: 0 }
                } else {
                    Doing::Ran { fibers: Fibers::only(fiber), turns: 1 }
                };
                spans.push(Span { from: now + pause, until: now + pause + length, doing });
                now += pause + length;
            }
            let bars = bars(&spans, width);
            prop_assert!(bars.len() as u64 <= 2 * (now / width + 1));
            prop_assert!(bars.iter().all(|bar| bar.from < bar.until && bar.from <= now));
        }
    }
}
