//! A timeline of characters: one row for each thread, one column for a stretch of time.

use std::collections::BTreeMap;

use palco_fibers::lab::{FiberId, Lane};

use super::Run;
use super::span::{Doing, Span, spans};

/// Calls that the strip under a report shows.
const CALLS: u64 = 10;

/// Columns for each of them.
const COLUMNS_PER_CALL: u64 = 8;

/// What a row begins with.
const LABEL: usize = 10;

/// Whether the reader sees colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// A terminal: ANSI colours.
    Ansi,
    /// A file or a pipe: characters only.
    Plain,
}

/// What fills a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Idle,
    Ticker,
    Sleeper,
    Blocked,
}

impl Cell {
    const LEGEND: [(Self, &'static str); 4] = [
        (Self::Blocked, "blocked in the kernel"),
        (Self::Ticker, "ticker"),
        (Self::Sleeper, "sleeper"),
        (Self::Idle, "nothing"),
    ];

    fn character(self) -> char {
        match self {
            Self::Idle => '·',
            Self::Ticker => '░',
            Self::Sleeper => '▒',
            Self::Blocked => '█',
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Idle => "\x1b[2m",
            Self::Ticker => "\x1b[32m",
            Self::Sleeper => "\x1b[36m",
            Self::Blocked => "\x1b[31m",
        }
    }
}

/// The first ten calls of a run, with a legend.
#[must_use]
pub fn first_calls(run: &Run, colours: Colours) -> String {
    let length = super::span::nanoseconds(run.settings.call.length()).max(COLUMNS_PER_CALL);
    let total = super::span::nanoseconds(run.outcome.total);
    let window = length.saturating_mul(CALLS).min(total.max(COLUMNS_PER_CALL));
    let columns = (CALLS * COLUMNS_PER_CALL) as usize;
    let lanes = spans(&run.events, total);
    // Threads take a while to start: that is not of interest.
    let begin = lanes.values().flatten().map(|span| span.from).min().unwrap_or(0);
    let mut text = rows(&lanes, begin, begin + window, columns, colours).join("\n");
    let words = Cell::LEGEND.map(|(cell, word)| format!("{} {word}", draw(&[cell], colours)));
    let each = super::time(std::time::Duration::from_nanos(window / columns as u64));
    text.push_str(&format!("\n{:LABEL$}{}; each column {each}", "", words.join("  ")));
    text
}

/// A row for each thread, of its label and `columns` characters for the time between `from` and `until`.
pub(super) fn rows(
    lanes: &BTreeMap<Lane, Vec<Span>>,
    from: u64,
    until: u64,
    columns: usize,
    colours: Colours,
) -> Vec<String> {
    let row = |(lane, spans): (&Lane, &Vec<Span>)| {
        let cells = cells(spans, from, until, columns);
        format!("{:<LABEL$}{}", lane.to_string(), draw(&cells, colours))
    };
    lanes.iter().map(row).collect()
}

/// What fills each column most; a call that has a third of it always shows.
fn cells(spans: &[Span], from: u64, until: u64, columns: usize) -> Vec<Cell> {
    let width = (until.saturating_sub(from) / columns.max(1) as u64).max(1);
    let mut shares = vec![[0_u64; 3]; columns];
    for span in spans {
        let kind = match span.doing {
            Doing::Blocked { .. } => 0,
            Doing::Ran { fibers, .. } => {
                let has_ticker = fibers.iter().any(|fiber| matches!(fiber, FiberId::Ticker(_)));
                if has_ticker { 1 } else { 2 }
            }
        };
        let first = (span.from.saturating_sub(from) / width) as usize;
        for (column, share) in shares.iter_mut().enumerate().skip(first) {
            let begin = from + column as u64 * width;
            if begin >= span.until {
                break;
            }
            share[kind] += span.within(begin, begin + width);
        }
    }
    let cell = |[blocked, ticker, sleeper]: [u64; 3]| match () {
        () if blocked * 3 >= width => Cell::Blocked,
        () if (ticker + sleeper) * 20 < width => Cell::Idle,
        () if ticker >= sleeper => Cell::Ticker,
        () => Cell::Sleeper,
    };
    shares.into_iter().map(cell).collect()
}

fn draw(cells: &[Cell], colours: Colours) -> String {
    let mut text = String::new();
    for alike in cells.chunk_by(|one, other| one == other) {
        let characters = alike.iter().map(|cell| cell.character());
        match colours {
            Colours::Plain => text.extend(characters),
            Colours::Ansi => {
                text.push_str(alike[0].colour());
                text.extend(characters);
                text.push_str("\x1b[0m");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use palco_fibers::lab::Policy;

    use super::super::run::tests::run;
    use super::*;

    #[test]
    fn a_column_shows_what_fills_it() {
        let lanes = spans(&run(Policy::Go).events, 12_000_000);
        let rows = rows(&lanes, 0, 12_000_000, 12, Colours::Plain);
        assert_eq!(rows, ["LWP 0     ░█████······", "LWP 1     ··░░░░█████·"]);
        let coloured = super::rows(&lanes, 0, 12_000_000, 12, Colours::Ansi);
        assert!(coloured[0].contains("\x1b[31m█████\x1b[0m"), "{coloured:?}");
    }

    #[test]
    fn a_strip_says_what_its_characters_mean() {
        let text = first_calls(&run(Policy::Go), Colours::Plain);
        assert!(
            text.contains("█ blocked in the kernel") && text.contains("each column 138 µs"),
            "{text}"
        );
        assert!(!text.contains('\x1b'));
    }
}
