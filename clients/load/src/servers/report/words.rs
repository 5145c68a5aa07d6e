//! Figures as words.

use crate::report::{micros, number};
use crate::servers::contestant::Origin;
use crate::servers::workload::Measure;

/// Names that a sentence lists before it counts the rest.
const LISTED_MAX: usize = 4;

/// With its unit, as a cell or a label shows it: `8.1 µs`.
pub(super) fn short(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Cpu | Measure::SparseCpu | Measure::P50 | Measure::P99 => micros(value),
        Measure::Answered | Measure::Lost => percent(value),
        Measure::Saturation => format!("{} /s", number(value)),
        Measure::MemoryPerConnection => format!("{} KiB", number(value)),
        Measure::Balance | Measure::Fairness => number(value),
        Measure::Recovery => format!("{} ms", number(value)),
        Measure::Growth => format!("{} MiB", number(value)),
    }
}

/// What the figures are of, behind the figure: `8.1 µs` of what.
pub(super) const fn of(measure: Measure) -> &'static str {
    match measure {
        Measure::Cpu => "CPU per answer",
        Measure::SparseCpu => "CPU per answer of a server that sleeps between two",
        Measure::P50 => "median response time",
        Measure::P99 => "99th percentile of the response time",
        Measure::Answered => "requests answered",
        Measure::Saturation => "rate at saturation",
        Measure::MemoryPerConnection => "memory per idle connection",
        Measure::Balance => "balance of the workers",
        Measure::Fairness => "fairness to clients",
        Measure::Lost => "other clients lost",
        Measure::Recovery => "until a new client is answered",
        Measure::Growth => "memory grown",
    }
}

/// 0.123 as `12.3 %`; only what is everything is 100 %.
pub(super) fn percent(share: f64) -> String {
    let digits = if (0.999..1.0).contains(&share) { 3 } else { 1 };
    let text = format!("{:.digits$}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{} %", if text.is_empty() { "0" } else { text })
}

/// `12 times`, `1.4 times`.
pub(super) fn times(factor: f64) -> String {
    format!("{} times", number(factor))
}

/// `a, b and c`; of many the first and how many more.
pub(super) fn listed(names: &[String]) -> String {
    let shown = if names.len() > LISTED_MAX + 1 { LISTED_MAX } else { names.len() };
    let mut shown: Vec<String> = names[..shown].to_vec();
    if shown.len() < names.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    match shown.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// `1 server`, `3 servers`.
pub(super) fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Behind `the best`.
pub(super) const fn of_origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Palco => "of palco",
        Origin::C => "of the programs in C",
        Origin::Peer => "of other servers",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_everything_is_everything() {
        let shown = [0.0, 0.123, 0.9996, 1.0].map(percent);
        assert_eq!(shown, ["0 %", "12.3 %", "99.96 %", "100 %"]);
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        assert_eq!(listed(&names), "a, b, c, d and 2 more");
        assert_eq!(listed(&names[..5]), "a, b, c, d and e");
        assert_eq!(listed(&names[..1]), "a");
        assert_eq!(listed(&[]), "");
    }
}
