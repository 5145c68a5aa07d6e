//! Lists and ranges of `palco simulate`, and what is said to wrong ones.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use palco_rambo::{Flaw, Flaws};
use palco_sim::{Fault, Faults, ModeKind};

/// Rules that can be left out, by name.
const FLAW_NAMES: [(Flaw, &str); Flaw::ALL.len()] = Flaw::ALL;

/// Operations of a run, at most.
const OPERATIONS_MAX: u64 = 100_000_000;

/// Runs, at most.
const RUNS_MAX: u64 = 1_000_000;

/// One way of removing configurations, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modes {
    One(ModeKind),
    All,
}

impl Modes {
    pub(crate) fn all(self) -> Vec<ModeKind> {
        match self {
            Self::One(mode) => vec![mode],
            Self::All => ModeKind::ALL.map(|(mode, _)| mode).to_vec(),
        }
    }
}

/// Runs from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Seeds {
    pub(crate) const fn only(seed: u64) -> Self {
        Self { from: seed, to: seed }
    }

    pub(crate) const fn count(self) -> u64 {
        self.to - self.from + 1
    }
}

pub(super) fn modes() -> impl TypedValueParser<Value = Modes> {
    let names = ModeKind::ALL.map(|(_, name)| name).into_iter().chain(["all"]);
    PossibleValuesParser::new(names).map(|name| {
        ModeKind::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map_or(Modes::All, |(mode, _)| Modes::One(*mode))
    })
}

/// One of these by its name; clap lists the names when none fits.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [(T, &'static str)],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(_, name)| *name)).map(|name| {
        let found = all.iter().find(|(_, known)| *known == name);
        found.expect("clap lets no other name pass").0
    })
}

/// A whole number, also written as 1e6 or 1_000_000.
pub(super) fn operations(text: &str) -> Result<u64, String> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let number = plain.parse::<u64>().ok().or_else(|| {
        let (digits, power) = plain.split_once(['e', 'E'])?;
        let power = 10_u64.checked_pow(power.parse().ok()?)?;
        digits.parse::<u64>().ok()?.checked_mul(power)
    });
    number.filter(|number| (1..=OPERATIONS_MAX).contains(number)).ok_or_else(|| {
        format!("`{text}` is no number of operations from 1 to 1e8; try 10000 or 1e6")
    })
}

pub(super) fn pause(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("without a pause nothing else would happen; try 50ms".to_owned()),
        Ok(pause) => Ok(pause),
        Err(error) => Err(format!("{error}; try 50ms, 500us or 1s")),
    }
}

pub(super) fn faults(text: &str) -> Result<Faults, String> {
    match text {
        "none" => Ok(Faults::NONE),
        "all" => Ok(Faults::all()),
        some => {
            let found = listed(some, "fault", "none, all", &Fault::ALL)?;
            Ok(found.into_iter().fold(Faults::NONE, Faults::with))
        }
    }
}

pub(super) fn flaws(text: &str) -> Result<Flaws, String> {
    let found = listed(text, "rule to be left out", "", &FLAW_NAMES)?;
    Ok(found.into_iter().fold(Flaws::NONE, Flaws::with))
}

/// Those of a list, with commas between.
fn listed<T: Copy>(
    text: &str,
    what: &str,
    also: &str,
    all: &[(T, &'static str)],
) -> Result<Vec<T>, String> {
    let find = |name: &str| {
        let found = all.iter().find(|(_, known)| *known == name);
        found.map(|(one, _)| *one).ok_or_else(|| {
            let known: Vec<&str> = Some(also)
                .into_iter()
                .filter(|also| !also.is_empty())
                .chain(all.iter().map(|(_, name)| *name))
                .collect();
            format!("there is no {what} `{name}`; there are: {}", known.join(", "))
        })
    };
    text.split(',').map(|name| find(name.trim())).collect()
}

pub(super) fn seeds(text: &str) -> Result<Seeds, String> {
    let wrong =
        || format!("`{text}` is no range of seeds: two numbers, the smaller one first, as 1..1000");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let to = to.strip_prefix('=').unwrap_or(to);
    let (from, to): (u64, u64) =
        (from.trim().parse().map_err(|_| wrong())?, to.trim().parse().map_err(|_| wrong())?);
    if from > to {
        return Err(wrong());
    }
    if to - from >= RUNS_MAX {
        return Err(format!("`{text}` are more than {RUNS_MAX} runs; give fewer seeds at once"));
    }
    Ok(Seeds { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_operations_may_be_written_short() {
        let read = ["10000", "1e6", "2E3", "1_000", "0", "1e9", "1e99", "1.5e3", "many", "-1"]
            .map(|text| operations(text).ok());
        let known = [Some(10_000), Some(1_000_000), Some(2_000), Some(1_000)];
        assert_eq!(read[..4], known);
        assert!(read[4..].iter().all(Option::is_none), "{read:?}");
    }

    #[test]
    fn a_range_of_seeds_includes_both_ends() {
        assert_eq!(seeds("1..1000").map(Seeds::count), Ok(1000));
        assert_eq!(seeds("7..=7"), Ok(Seeds::only(7)));
        for wrong in ["7", "9..3", "a..b", "..", "1..2..3", "0..1000000", "0..18446744073709551615"]
        {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn faults_are_a_set() {
        assert_eq!(
            faults("loss, crash,loss"),
            Ok(Faults::NONE.with(Fault::Crash).with(Fault::Loss))
        );
        assert!(
            faults("loss,fire")
                .is_err_and(|said| said.contains("`fire`") && said.contains("disk-loss"))
        );
        assert!(faults("").is_err() && flaws("all").is_err());
    }
}
