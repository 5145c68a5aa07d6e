//! What a run ran on, and how quiet it was there.

use std::time::{Duration, Instant, SystemTime};

use crate::report::{Environment, Grade};

mod facts;
mod grade;
mod parse;
mod probe;

use facts::{Facts, caches, read};
use grade::{Signs, grade};
use probe::Jitter;

/// How long sleeps are watched.
const PROBE: Duration = Duration::from_secs(1);
const PROBE_QUICK: Duration = Duration::from_millis(150);

/// The machine as it was before the run.
#[derive(Debug)]
pub struct Conditions {
    facts: Facts,
    signs: Signs,
    begin: Instant,
    moment: Moment,
    date: String,
}

/// What the session itself saw of the machine.
#[derive(Debug, Default)]
pub struct Witnessed {
    /// Every canary, by the luckiest: how long the same work took at moments of the run. May be empty.
    pub canaries: Vec<f64>,
    /// What the order of rows followed from.
    pub order_seed: u64,
}

/// The machine before and after.
#[derive(Debug)]
pub struct Seen {
    /// What it ran on.
    pub environment: Environment,
    /// How quiet it was.
    pub grade: Grade,
    /// What keeps it from being [`Grade::A`], and what else a reader must know.
    pub remarks: Vec<String>,
}

impl Conditions {
    /// Looks at the machine for about a second, a `quick` look is a sixth of it.
    #[must_use]
    pub fn look(quick: bool) -> Self {
        // First, for it is about others, and the rest of the look is work of our own.
        let moment = Moment::now();
        let jitter = Jitter::probe(if quick { PROBE_QUICK } else { PROBE });
        let mut facts = Facts::default();
        facts.gather();
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let signs = Signs {
            pressure: moment.pressure,
            load: moment.load.map(|load| load / cores),
            stolen: None,
            jitter,
            canaries: Vec::new(),
        };
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self { facts, signs, begin: Instant::now(), moment, date }
    }

    /// Looks again after the run, and judges.
    #[must_use]
    pub fn look_again(self, witnessed: &Witnessed) -> Seen {
        let Self { mut facts, mut signs, begin, moment: before, date } = self;
        let after = Moment::now();
        signs.stolen = share_stolen(before.stolen, after.stolen);
        signs.canaries.clone_from(&witnessed.canaries);
        facts.group("moment");
        let both = |before: Option<f64>, after: Option<f64>| {
            let say =
                |value: Option<f64>| value.map_or("unknown".to_owned(), |v| format!("{v:.2}"));
            format!("{} before, {} after", say(before), say(after))
        };
        facts.add("load of the last minute", both(before.load, after.load));
        facts.add("processor pressure, % of ten seconds", both(before.pressure, after.pressure));
        let stolen =
            signs.stolen.map_or("unknown".to_owned(), |share| format!("{:.2} %", share * 100.0));
        facts.add("stolen by the hypervisor meanwhile", stolen);
        let jitter = signs.jitter.map_or("unknown".to_owned(), |jitter| {
            let micros = |nanos| nanos / 1_000;
            let (p50, p99, max) =
                (micros(jitter.p50_nanos), micros(jitter.p99_nanos), micros(jitter.max_nanos));
            format!("{p50} µs in the middle, {p99} µs for 1 of 100, {max} µs at most")
        });
        facts.add("sleeps of 200 µs ended late by", jitter);
        facts.add("seconds between both looks", format!("{:.1}", begin.elapsed().as_secs_f64()));
        facts.add("order seed", witnessed.order_seed.to_string());
        let (grade, mut remarks) = grade(&signs);
        if env!("PALCO_MEASURE_OPT_LEVEL") == "0" {
            remarks.push("built WITHOUT OPTIMISATION: the figures mean nothing".to_owned());
        }
        Seen {
            environment: Environment { facts: facts.list, caches: caches(), date },
            grade,
            remarks,
        }
    }
}

/// What changes from moment to moment.
#[derive(Clone, Copy, Debug)]
struct Moment {
    pressure: Option<f64>,
    load: Option<f64>,
    stolen: Option<(u64, u64)>,
}

impl Moment {
    fn now() -> Self {
        let text = |path: &str| read(path).ok();
        Self {
            pressure: text("/proc/pressure/cpu").and_then(|text| parse::pressure(&text)),
            load: text("/proc/loadavg").and_then(|text| parse::load(&text)),
            stolen: text("/proc/stat").and_then(|text| parse::stolen(&text)),
        }
    }
}

fn share_stolen(before: Option<(u64, u64)>, after: Option<(u64, u64)>) -> Option<f64> {
    let ((stolen_before, all_before), (stolen_after, all_after)) = before.zip(after)?;
    let all = all_after.checked_sub(all_before).filter(|&all| all > 0)?;
    Some(stolen_after.saturating_sub(stolen_before) as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn seen() -> Seen {
        Conditions::look(true).look_again(&Witnessed { canaries: vec![1.0], order_seed: 77 })
    }

    #[test]
    fn every_fact_has_a_value_and_a_name_of_its_own() {
        let facts = seen().environment.facts;
        let names: BTreeSet<_> = facts.iter().map(|fact| (&fact.group, &fact.name)).collect();
        assert_eq!(names.len(), facts.len());
        for group in ["machine", "kernel", "build", "limits", "moment"] {
            assert!(facts.iter().any(|fact| fact.group == group), "{group}");
        }
        let may_be_empty = ["flags", "commit"];
        for fact in &facts {
            assert!(
                !fact.value.is_empty() || may_be_empty.contains(&fact.name.as_str()),
                "{fact:?}"
            );
        }
        assert!(facts.iter().any(|fact| fact.name == "order seed" && fact.value == "77"));
    }

    #[test]
    fn what_decides_whether_figures_may_be_compared_is_marked() {
        let facts = seen().environment.facts;
        let decides = |name: &str| facts.iter().find(|fact| fact.name == name).unwrap().decides;
        for name in ["release", "processor", "clocksource", "cores", "hypervisor", "opt-level"] {
            assert!(decides(name), "{name}");
        }
        assert!(decides("transparent huge pages"));
        let mut mitigations = facts.iter().filter(|fact| fact.name.starts_with("vulnerabilit"));
        assert!(mitigations.clone().count() > 0 && mitigations.all(|fact| fact.decides));
        for name in ["commit", "order seed", "load of the last minute", "command line"] {
            assert!(!decides(name), "{name}");
        }
    }

    #[test]
    fn the_kernel_is_the_one_that_runs() {
        let facts = seen().environment.facts;
        let value = |name: &str| facts.iter().find(|fact| fact.name == name).unwrap().value.clone();
        let running = nix::sys::utsname::uname().unwrap();
        assert_eq!(value("release"), running.release().to_str().unwrap());
        assert!(value("compiler").starts_with("rustc"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let absent = read("/proc/no-such-file").unwrap_err();
        assert!(absent.starts_with("absent: /proc/no-such-file: "), "{absent}");
    }

    #[test]
    fn stolen_time_is_a_share_of_what_passed() {
        assert_eq!(share_stolen(Some((10, 1_000)), Some((20, 1_100))), Some(0.1));
        assert_eq!(share_stolen(Some((10, 1_000)), Some((10, 1_000))), None);
        assert_eq!(share_stolen(None, Some((1, 2))), None);
    }
}
