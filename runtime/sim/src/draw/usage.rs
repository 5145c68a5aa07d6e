//! A real run over its time: how long operations took, what was wrong, when nobody was answered.

use std::time::Duration;

use super::Picture;
use super::markup::{Attributes, Markup, Px};
use super::words::{length, short};

/// What clients saw of a real run. Times are since its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// How long it was.
    pub lasted: Duration,
    /// Operations, one by one: when they ended, how long they took. At most 20 000; more are not drawn.
    pub dots: Vec<(Duration, Duration)>,
    /// Stretches in their order: where each begins, and what half and 99 of 100 of its operations took at most.
    pub spread: Vec<(Duration, Duration, Duration)>,
    /// What was wrong, in rows of one name each. At most 12 rows; more are not drawn.
    pub rows: Vec<Row>,
    /// When no operation ended: from, until. At most 2 000; more are not drawn.
    pub gaps: Vec<(Duration, Duration)>,
}

/// What was wrong in one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which way.
    pub name: String,
    /// From, until, and in words. At most 500; more are not drawn.
    pub stretches: Vec<(Duration, Duration, String)>,
}

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 1090.0;
const ROW: f64 = 17.0;
const LATENCIES: f64 = 300.0;
const GAPS: f64 = 90.0;
const DOTS_MAX: usize = 20_000;
const ROWS_MAX: usize = 12;
const STRETCHES_MAX: usize = 500;
const GAPS_MAX: usize = 2_000;

/// The shortest time with a place of its own.
const LEAST: Duration = Duration::from_micros(100);

/// The longest.
const MOST: Duration = Duration::from_secs(30);

impl Usage {
    pub(super) fn draw(&self) -> Picture {
        let mut out = Markup::new();
        let rows = &self.rows[..self.rows.len().min(ROWS_MAX)];
        let top = 22.0 + ROW * rows.len() as f64;
        let (bottom, end) = (top + LATENCIES, top + LATENCIES + 30.0 + GAPS);
        for (number, row) in rows.iter().enumerate() {
            let y = 8.0 + ROW * number as f64;
            out.label("tick end", (LEFT - 8.0, y + 11.0), &short(&row.name, 12));
            for (from, until, title) in row.stretches.iter().take(STRETCHES_MAX) {
                let (x, width) = (self.x(*from), self.x(*until) - self.x(*from));
                out.area("band", (x, top), (width, LATENCIES), title);
                out.area(&format!("c{}", number % 6), (x, y), (width, ROW - 4.0), title);
            }
        }
        out.label("axis-name", (0.0, top - 6.0), "took");
        out.label("axis-name", (0.0, bottom + 22.0), "gap");
        for tick in ticks() {
            for (from, height) in [(top, LATENCIES), (bottom + 30.0, GAPS)] {
                let y = Self::y(tick, from, height);
                let is_named = height > GAPS || tick.as_micros().ilog10() % 2 == 0;
                out.line("grid", (LEFT, y), (RIGHT, y));
                if is_named {
                    let nanos = u64::try_from(tick.as_nanos()).unwrap_or(u64::MAX);
                    out.label("tick end", (LEFT - 8.0, y + 4.0), &length(nanos));
                }
            }
        }
        self.draw_spread(&mut out, top);
        for (at, took) in self.dots.iter().take(DOTS_MAX) {
            let (x, y) = (self.x(*at), Self::y(*took, top, LATENCIES));
            let place: Attributes<'_> =
                &[("class", &"dot"), ("cx", &Px(x)), ("cy", &Px(y)), ("r", &"1.1")];
            out.void("circle", place);
        }
        for (from, until) in self.gaps.iter().take(GAPS_MAX) {
            let length_of = until.saturating_sub(*from);
            let y = Self::y(length_of, bottom + 30.0, GAPS);
            let (x, width) = (self.x(*from), self.x(*until) - self.x(*from));
            let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            let title = format!(
                "no operation ended for {} from {:.1} s on",
                length(nanos(length_of)),
                from.as_secs_f64()
            );
            out.area("gap-bar", (x, y), (width.max(1.0), end - y), &title);
        }
        self.draw_time(&mut out, bottom, end);
        Picture {
            title: "Latencies, faults and gaps over time".to_owned(),
            about: "Each dot is an operation that was answered; the band goes from the median to the 99th percentile. Shaded \
                    times are faults. Below: times in which no operation of any client ended."
                .to_owned(),
            width: WIDTH,
            height: end + 30.0,
            inside: out,
        }
    }

    /// The band from the median to the 99th percentile.
    fn draw_spread(&self, out: &mut Markup, top: f64) {
        let place = |at: Duration, took| (self.x(at), Self::y(took, top, LATENCIES));
        let upper = self.spread.iter().map(|(at, _, high)| place(*at, *high));
        let lower = self.spread.iter().rev().map(|(at, half, _)| place(*at, *half));
        let corners: Vec<_> =
            upper.chain(lower).map(|(x, y)| format!("{},{}", Px(x), Px(y))).collect();
        if !corners.is_empty() {
            out.void("polygon", &[("class", &"stairs"), ("points", &corners.join(" "))]);
        }
    }

    fn draw_time(&self, out: &mut Markup, bottom: f64, end: f64) {
        out.line("axis", (LEFT, bottom), (RIGHT, bottom));
        out.line("axis", (LEFT, end), (RIGHT, end));
        let seconds = self.lasted.as_secs_f64();
        let steps = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0];
        let step = steps.into_iter().find(|step| seconds / step <= 14.0).unwrap_or(86_400.0);
        let mut at = 0.0;
        while at <= seconds {
            let x = self.x(Duration::from_secs_f64(at));
            out.line("grid", (x, end), (x, end + 4.0));
            out.label("tick middle", (x, end + 17.0), &format!("{at} s"));
            at += step;
        }
    }

    fn x(&self, at: Duration) -> f64 {
        let share = at.as_secs_f64() / self.lasted.as_secs_f64().max(1e-9);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// Logarithmic.
    fn y(time: Duration, top: f64, height: f64) -> f64 {
        let log = |time: Duration| time.as_secs_f64().ln();
        let share = (log(time.clamp(LEAST, MOST)) - log(LEAST)) / (log(MOST) - log(LEAST));
        top + (1.0 - share) * height
    }
}

/// Powers of ten between the shortest and the longest.
fn ticks() -> impl Iterator<Item = Duration> {
    (2..8).map(|power| Duration::from_micros(10_u64.pow(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn equal_factors_are_equal_distances_and_nothing_leaves_the_picture() {
        let y = |micros| Usage::y(Duration::from_micros(micros), 0.0, 100.0);
        assert!((y(1_000) - y(10_000) - (y(10_000) - y(100_000))).abs() < 1e-9);
        assert_eq!((y(0), y(u64::MAX)), (100.0, 0.0));
        let usage = Usage { lasted: SECOND, ..Usage::default() };
        assert_eq!((usage.x(Duration::ZERO), usage.x(SECOND * 9)), (LEFT, RIGHT));
    }

    #[test]
    fn what_is_foreign_stays_text_and_what_is_too_much_is_left_out() {
        let stretches = vec![(Duration::ZERO, SECOND, "<script>".to_owned()); STRETCHES_MAX + 1];
        let usage = Usage {
            lasted: SECOND * 2,
            dots: vec![(SECOND, LEAST); DOTS_MAX + 1],
            spread: vec![(SECOND, LEAST, SECOND)],
            rows: vec![Row { name: "<kill>".to_owned(), stretches }],
            gaps: vec![(Duration::ZERO, SECOND)],
        };
        let text = usage.draw().inside.into_text();
        assert!(!text.contains("<script") && !text.contains("<kill"));
        assert_eq!(text.matches("<circle").count(), DOTS_MAX);
        assert_eq!(text.matches("class=\"band\"").count(), STRETCHES_MAX);
        assert!(text.contains("no operation ended for 1.00 s"), "{text}");
    }

    #[test]
    fn an_empty_run_has_a_picture() {
        let text = Usage::default().draw().inside.into_text();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
