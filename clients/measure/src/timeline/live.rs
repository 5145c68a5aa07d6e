//! A timeline that moves while the run goes on.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use palco_fibers::lab::{Event, Settings, Watch, What};

use super::span::{nanoseconds, spans};
use super::strip::{Colours, rows};

/// A terminal is drawn on at most so often.
const REDRAW_AFTER: Duration = Duration::from_millis(100);

/// Elsewhere, a line is written after this time.
const LINE_AFTER: Duration = Duration::from_secs(1);

/// Columns of a row.
const COLUMNS: usize = 64;

/// What a row shows at least: eight calls.
const CALLS: u64 = 8;

/// Events that are kept to draw from.
const EVENTS_MAX: usize = 20_000;

/// Draws on a terminal what has just happened, or writes lines of progress elsewhere.
#[derive(Debug)]
pub struct Live<W> {
    out: W,
    colours: Colours,
    settings: Settings,
    recent: VecDeque<Event>,
    calls: u64,
    drawn: Option<Instant>,
    rows: usize,
}

impl<W: Write> Live<W> {
    /// Colours are for a terminal, where rows are written over.
    pub fn new(out: W, colours: Colours, settings: Settings) -> Self {
        let recent = VecDeque::new();
        Self { out, colours, settings, recent, calls: 0, drawn: None, rows: 0 }
    }

    /// Takes the drawing away: the run is over.
    pub fn clear(&mut self) {
        let up = self.up();
        self.rows = 0;
        // Nothing depends on it.
        let _ = self.out.write_all(up.as_bytes()).and_then(|()| self.out.flush());
    }

    /// Back to where the drawing begins, and nothing below.
    fn up(&self) -> String {
        if self.rows == 0 { String::new() } else { format!("\x1b[{}A\r\x1b[J", self.rows) }
    }

    fn draw(&mut self, elapsed: Duration) -> io::Result<()> {
        let Settings { policy, blocks, sleepers, call, .. } = self.settings;
        let done = self.calls;
        let all = u64::from(blocks) * sleepers as u64;
        let head = format!("{policy}: {done} of {all} calls, {:.1} s", elapsed.as_secs_f64());
        let text = match self.colours {
            Colours::Plain => format!("{head}\n"),
            Colours::Ansi => {
                let now = nanoseconds(elapsed);
                let window = nanoseconds(call.length()).saturating_mul(CALLS).max(COLUMNS as u64);
                let from = now.saturating_sub(window);
                let lanes = spans(&self.recent, now);
                let mut lines = rows(&lanes, from, from + window, COLUMNS, self.colours);
                lines.insert(0, head);
                let text = format!("{}{}\n", self.up(), lines.join("\n"));
                self.rows = lines.len();
                text
            }
        };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Watch for &mut Live<W> {
    fn event(&mut self, event: &Event) {
        self.calls += u64::from(matches!(event.what, What::Unblocked { .. }));
        if self.recent.len() == EVENTS_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(*event);
    }

    fn pulse(&mut self, elapsed: Duration) {
        let after = match self.colours {
            Colours::Ansi => REDRAW_AFTER,
            Colours::Plain => LINE_AFTER,
        };
        let last = *self.drawn.get_or_insert_with(Instant::now);
        if last.elapsed() >= after {
            self.drawn = Some(Instant::now());
            // Who has closed its terminal still gets the report.
            let _ = self.draw(elapsed);
        }
    }
}

#[cfg(test)]
mod tests {
    use palco_fibers::lab::Policy;

    use super::super::run::tests::run;
    use super::*;

    fn drawn(colours: Colours) -> String {
        let run = run(Policy::Go);
        let mut out = Vec::new();
        let mut live = Live::new(&mut out, colours, run.settings);
        run.events.iter().for_each(|event| (&mut live).event(event));
        for _ in 0..2 {
            live.draw(Duration::from_millis(12)).unwrap();
        }
        live.clear();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_is_written_over_and_left_clean() {
        let text = drawn(Colours::Ansi);
        assert!(text.starts_with("go: 2 of 2 calls, 0.0 s\nLWP 0 "), "{text}");
        assert_eq!(text.matches("\x1b[3A\r\x1b[J").count(), 2, "{text:?}");
        assert!(text.ends_with("\x1b[J"));
    }

    #[test]
    fn elsewhere_there_are_lines_and_nothing_else() {
        assert_eq!(drawn(Colours::Plain), "go: 2 of 2 calls, 0.0 s\n".repeat(2));
    }
}
