//! What is run in one namespace: a superserver under the whole table, or one more promise of palco. As tests, outside; and
//! as what happens, inside.

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use anyhow::Result;
use libtest_mimic::{Failed, Trial};

use crate::checks::{self, Check};
use crate::namespace::{self, Report};
use crate::palco;
use crate::subject::{SUBJECTS, Subject};

enum Scenario {
    /// All checks that the subject's dialect has words for.
    Table(Subject),
    /// One that palco alone is asked.
    Alone(&'static Check),
}

impl Scenario {
    fn all() -> Vec<Self> {
        let tables = SUBJECTS.iter().map(|subject| Self::Table(*subject));
        tables.chain(palco::CHECKS.into_iter().flatten().map(Self::Alone)).collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Table(subject) => subject.name(),
            Self::Alone(check) => check.promise.to_owned(),
        }
    }

    fn checks(&self) -> Vec<&'static Check> {
        match self {
            Self::Table(subject) => checks::of(subject.dialect()).collect(),
            Self::Alone(check) => vec![check],
        }
    }

    fn known_to_fail(&self, check: &Check) -> Option<&'static str> {
        match self {
            Self::Table(subject) => subject.known_to_fail(check.promise),
            Self::Alone(_) => None,
        }
    }

    fn run(&self) -> Result<Report> {
        match self {
            Self::Table(subject) => checks::ask_all(*subject),
            Self::Alone(check) => Ok(Report::from([(check.promise.to_owned(), failure(check))])),
        }
    }
}

fn failure(check: &Check) -> Option<String> {
    (check.ask)().err().map(|error| format!("{error:#}"))
}

/// A test for each check of each scenario. A scenario is run once, when its first test is.
pub(crate) fn trials() -> Vec<Trial> {
    Scenario::all().into_iter().flat_map(trials_of).collect()
}

fn trials_of(scenario: Scenario) -> Vec<Trial> {
    let name = scenario.name();
    let report = Arc::new(LazyLock::new({
        let name = name.clone();
        move || namespace::run(&name).map_err(|error| format!("{error:#}"))
    }));
    let trial = |check: &'static Check| {
        let report = Arc::clone(&report);
        let fails = scenario.known_to_fail(check);
        let title = match (&scenario, fails) {
            (Scenario::Alone(_), _) => name.clone(),
            (Scenario::Table(_), None) => format!("{name}: {}", check.promise),
            (Scenario::Table(_), Some(why)) => format!("{name}: fails, {why}: {}", check.promise),
        };
        Trial::test(title, move || {
            let report = LazyLock::force(&report).as_ref().map_err(Failed::from)?;
            let outcome = report.get(check.promise).ok_or("it was not asked")?;
            match (outcome, fails) {
                (None, None) | (Some(_), Some(_)) => Ok(()),
                (Some(failure), None) => Err(failure.into()),
                (None, Some(_)) => Err("it does not fail any more".into()),
            }
        })
    };
    scenario.checks().into_iter().map(trial).collect()
}

/// Inside: runs the scenario of this name and writes its report.
pub(crate) fn inside(name: &str) -> ExitCode {
    let found = Scenario::all().into_iter().find(|scenario| scenario.name() == name);
    let report = found.expect("the outside names what is there").run();
    let written = report.and_then(|report| {
        Ok(std::io::stdout().write_all(serde_json::to_string(&report)?.as_bytes())?)
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
