//! Runs of the fibers' lab ([`palco_fibers::lab`]) as people see them: who ran where, and who was blocked.
//!
//! | file | what |
//! |---|---|
//! | `run.rs` | [`Run`]: one run, what it has come to, and what the policy did |
//! | `span.rs` | events as stretches of time, one row for each thread |
//! | `strip.rs`, `live.rs` | rows of characters, afterwards and while it runs |
//! | `page.rs`, `page/` | one page with pictures |
//! | `trace.rs` | what Perfetto and `chrome://tracing` open |
//! | `view.rs` | as data |

mod live;
mod page;
mod run;
mod span;
mod strip;
mod trace;
mod view;

pub use live::Live;
pub use page::page;
pub use run::{Run, SHORT_CALLS, measure};
pub use strip::{Colours, first_calls};
pub use trace::trace;
pub use view::{EventView, RunView};

use std::time::Duration;

/// A time with three digits or so, in the unit that fits.
#[must_use]
pub fn time(length: Duration) -> String {
    let ns = length.as_nanos() as f64;
    let (value, unit) = match ns {
        ns if ns < 1e3 => return format!("{ns:.0} ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// A number in groups of three digits.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.50 µs"),
            (5_070_000, "5.07 ms"),
            (51_230_000, "51.2 ms"),
            (512_300_000, "512 ms"),
            (61_000_000_000, "61.0 s"),
        ] {
            assert_eq!(time(Duration::from_nanos(ns)), text);
        }
    }

    #[test]
    fn numbers_are_read_in_groups() {
        let grouped =
            [0, 999, 1_000, 12_345_678].map(|number| count(number).replace('\u{202f}', "_"));
        assert_eq!(grouped, ["0", "999", "1_000", "12_345_678"]);
    }
}
