//! All carriers. One suite runs against each of them; what only some can do has its own file.
//!
//! Some nodes are to be stopped or killed, so they are new runs of this very binary, which therefore has a `main` of its own.

mod cable;
mod conformance;
mod faults;
mod heard;
mod intruders;
mod keys;
mod namespaces;
mod nets;
mod other_process;

use std::io::{self, Write};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial, run};
use nets::{Kind, Net};

/// A test of any network.
type Test = fn(&Net);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(orders) = other_process::orders(&words) {
        return other_process::live(&orders);
    }
    let denied = cable::denied();
    if let Some(why) = &denied {
        let _ = writeln!(
            io::stderr(),
            "Not run: the tests between network namespaces, which need root: {why}"
        );
    }
    let mut trials = Vec::new();
    for kind in Kind::ALL {
        let is_denied = kind == Kind::Namespaces && denied.is_some();
        for (name, test) in conformance::TESTS {
            let trial = Trial::test(format!("{kind:?}::{name}"), move || {
                test(&Net::new(kind));
                Ok(())
            });
            trials.push(trial.with_ignored_flag(is_denied));
        }
    }
    for tests in [keys::TESTS, intruders::TESTS, other_process::TESTS, faults::TESTS] {
        trials.extend(tests.iter().map(|(name, test)| plain(name, *test)));
    }
    let between = namespaces::TESTS.iter().map(|(name, test)| plain(name, *test));
    trials.extend(between.map(|trial| trial.with_ignored_flag(denied.is_some())));
    run(&Arguments::from_args(), trials).exit_code()
}

fn plain(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
