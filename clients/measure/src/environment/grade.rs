//! How quiet the machine was, from the signs that it gave.
//!
//! The thresholds are ours. They were set on a small virtual machine, where pressure was 10 % in the best hour and 98 % in
//! the worst, and where a quiet hour still delays one wake-up in a thousand by a millisecond.

use super::probe::Jitter;
use crate::judge::CANARY_MAX;
use crate::report::Grade;

/// What was seen of others at work. Nothing where the machine does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Percent of the last ten seconds in which somebody waited for a processor (`some avg10`), before the run.
    pub(super) pressure: Option<f64>,
    /// Load of the last minute before the run, by processors.
    pub(super) load: Option<f64>,
    /// Share of the time of the run that the hypervisor gave to others.
    pub(super) stolen: Option<f64>,
    /// How late short sleeps ended, before the run.
    pub(super) jitter: Option<Jitter>,
    /// Every canary of the session, by the luckiest.
    pub(super) canaries: Vec<f64>,
}

/// Up to where it is A, and up to where B.
struct Limits(f64, f64);

impl Limits {
    fn grade(&self, value: f64) -> Grade {
        match value {
            value if value <= self.0 => Grade::A,
            value if value <= self.1 => Grade::B,
            _ => Grade::C,
        }
    }
}

/// Percent of ten seconds.
const PRESSURE: Limits = Limits(5.0, 25.0);

/// Those who run or wait, by processors.
const LOAD: Limits = Limits(0.5, 1.0);

/// Of the time of all processors.
const STOLEN: Limits = Limits(0.005, 0.05);

/// Nanoseconds by which 99 of 100 sleeps were late at most, and the latest.
const LATE: Limits = Limits(250_000.0, 1_000_000.0);
const LATEST: Limits = Limits(4_000_000.0, 20_000_000.0);

/// Share of canaries that were slow.
const SLOW: Limits = Limits(0.1, 0.5);

/// The worst of what each sign says, and in words what keeps it from being A. What is not known is said and does not count.
pub(super) fn grade(signs: &Signs) -> (Grade, Vec<String>) {
    let slow = signs.canaries.iter().filter(|&&canary| canary > CANARY_MAX).count();
    let slow = (!signs.canaries.is_empty()).then(|| slow as f64 / signs.canaries.len() as f64);
    let late = signs.jitter.map(|jitter| jitter.p99_nanos as f64);
    let latest = signs.jitter.map(|jitter| jitter.max_nanos as f64);
    let percent = |share: f64| share * 100.0;
    let micros = |nanos: f64| nanos / 1_000.0;
    type Say = fn(f64, f64) -> String;
    let judged: [(&str, Option<f64>, Limits, Say); 6] = [
        ("pressure", signs.pressure, PRESSURE, |is, max| {
            format!(
                "somebody waited for a processor in {is:.0} % of the ten seconds before (PSI; A: up to {max:.0} %)"
            )
        }),
        ("load", signs.load, LOAD, |is, max| {
            format!(
                "{is:.1} ran or waited for each processor in the minute before (A: up to {max:.1})"
            )
        }),
        (
            "stolen time",
            signs.stolen.map(percent),
            Limits(percent(STOLEN.0), percent(STOLEN.1)),
            |is, max| {
                format!("the hypervisor gave {is:.1} % of the time to others (A: up to {max:.1} %)")
            },
        ),
        (
            "lateness of timers",
            late.map(micros),
            Limits(micros(LATE.0), micros(LATE.1)),
            |is, max| {
                format!("1 of 100 timers was more than {is:.0} µs late (A: up to {max:.0} µs)")
            },
        ),
        (
            "lateness of timers",
            latest.map(micros),
            Limits(micros(LATEST.0), micros(LATEST.1)),
            |is, max| format!("the latest timer was {is:.0} µs late (A: up to {max:.0} µs)"),
        ),
        ("canary", slow.map(percent), Limits(percent(SLOW.0), percent(SLOW.1)), |is, max| {
            format!(
                "in {is:.0} % of the moments looked at the machine was slower than its best by more than 5 % (A: up to {max:.0} %)"
            )
        }),
    ];
    let (mut worst, mut remarks) = (Grade::A, Vec::new());
    for (name, value, limits, say) in judged {
        let Some(value) = value else {
            let remark = format!("{name} is not known here, and was not judged");
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
            continue;
        };
        let grade = limits.grade(value);
        if grade != Grade::A {
            remarks.push(say(value, limits.0));
        }
        worst = worst.max(grade);
    }
    (worst, remarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet() -> Signs {
        let jitter = Jitter { p50_nanos: 5_000, p99_nanos: 60_000, max_nanos: 400_000 };
        Signs {
            pressure: Some(1.0),
            load: Some(0.1),
            stolen: Some(0.0),
            jitter: Some(jitter),
            canaries: vec![1.0; 20],
        }
    }

    #[test]
    fn a_quiet_machine_is_a_and_has_nothing_to_say() {
        assert_eq!(grade(&quiet()), (Grade::A, vec![]));
    }

    #[test]
    fn each_sign_alone_takes_the_grade_down_and_says_so() {
        let jitter = |p99_nanos, max_nanos| Some(Jitter { p50_nanos: 0, p99_nanos, max_nanos });
        let canaries = |slow| (0..10).map(|i| if i < slow { 1.2 } else { 1.0 }).collect();
        let cases: [(Signs, Grade, &str); 10] = [
            (Signs { pressure: Some(9.6), ..quiet() }, Grade::B, "10 % of the ten seconds"),
            (Signs { pressure: Some(97.9), ..quiet() }, Grade::C, "98 % of the ten seconds"),
            (Signs { load: Some(0.8), ..quiet() }, Grade::B, "0.8 ran or waited"),
            (Signs { load: Some(7.0), ..quiet() }, Grade::C, "7.0 ran or waited"),
            (Signs { stolen: Some(0.02), ..quiet() }, Grade::B, "gave 2.0 %"),
            (Signs { stolen: Some(0.2), ..quiet() }, Grade::C, "gave 20.0 %"),
            (
                Signs { jitter: jitter(600_000, 700_000), ..quiet() },
                Grade::B,
                "more than 600 µs late",
            ),
            (Signs { jitter: jitter(100, 50_000_000), ..quiet() }, Grade::C, "was 50000 µs late"),
            (Signs { canaries: canaries(3), ..quiet() }, Grade::B, "in 30 % of the moments"),
            (Signs { canaries: canaries(6), ..quiet() }, Grade::C, "in 60 % of the moments"),
        ];
        for (signs, expected, remark) in cases {
            let (found, remarks) = grade(&signs);
            assert_eq!(found, expected, "{remarks:?}");
            assert!(remarks.len() == 1 && remarks[0].contains(remark), "{remark}: {remarks:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_said_and_not_judged() {
        let (found, remarks) = grade(&Signs::default());
        assert_eq!(found, Grade::A);
        assert_eq!(remarks.len(), 5, "{remarks:?}");
        assert!(remarks.iter().all(|remark| remark.contains("not known")));
    }
}
