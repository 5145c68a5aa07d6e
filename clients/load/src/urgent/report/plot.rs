//! The 64 KiB experiment as a picture of text.

use std::fmt::Write;

use super::SilenceRow;
use crate::urgent::Solution;

/// Columns of the longest bar.
const WIDTH: usize = 48;

/// Stalls shorter than this, in milliseconds, are those that it takes to queue.
const NOTED_MS: f64 = 400.0;

/// Where bars begin: shorter times have one column.
const LEAST_MS: f64 = 0.01;

/// A bar for each solution and each number of queued bytes, as long as the logarithm of its time.
pub(super) fn plot(rows: &[SilenceRow], silent_after_ms: u64) -> String {
    let slowest = rows.iter().filter_map(|row| row.announced_ms).map(|time| time.median);
    let most_ms = slowest.fold(silent_after_ms as f64, f64::max);
    let mut text = format!(
        "KiB queued; time until it is heard of, {LEAST_MS} ms to {most_ms:.0} ms (logarithmic)\n"
    );
    for row in rows {
        let announced = row.announced_ms.filter(|_| row.silent == 0);
        let data = match announced {
            Some(spread) => bar(spread.median, most_ms),
            None => format!("{} silent", "░".repeat(WIDTH)),
        };
        for (label, solution, bar) in [
            (label(row), Solution::Data, data),
            (String::new(), Solution::Port, bar(row.port_ms.median, most_ms)),
        ] {
            let _ = writeln!(text, "{label:>12}  {:<11} {bar}", solution.name());
        }
    }
    text
}

/// With how long nothing was read before, where that is what differs.
fn label(row: &SilenceRow) -> String {
    let ms = row.stood_ms.median;
    if ms < NOTED_MS {
        row.queued_kib.to_string()
    } else {
        format!("{} for {:.1} s", row.queued_kib, ms / 1e3)
    }
}

fn bar(ms: f64, most_ms: f64) -> String {
    let share = (ms / LEAST_MS).ln() / (most_ms / LEAST_MS).ln();
    let columns = ((share * WIDTH as f64).round() as usize).clamp(1, WIDTH);
    format!("{} {ms:.2} ms", "█".repeat(columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_time_has_a_longer_bar() {
        let columns = |ms| bar(ms, 300.0).matches('█').count();
        let all = [0.0, 0.01, 0.1, 3.0, 300.0, 1e9].map(columns);
        assert!(all.is_sorted(), "{all:?}");
        assert_eq!((all[0], all[1], all[4], all[5]), (1, 1, WIDTH, WIDTH));
    }
}
