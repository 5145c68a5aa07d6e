//! What forks can be tried only by a process of one thread: the cases run one after the other on the main thread.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;

use palco_measure::pipes::{self, Calls, Slow, Textbook, Units};

/// A promise and what keeps it.
type Case = (&'static str, fn());

const CASES: [Case; 2] = [
    ("the modes of a pipe between two processes are as explained", pipes_between_processes),
    ("the same between two threads", pipes_between_threads),
];

fn main() {
    for (promise, case) in CASES {
        eprint!("{promise} ... ");
        case();
        assert_eq!(children(), "", "nobody is left behind");
        assert!(palco_sys::is_single_threaded().unwrap(), "every thread has ended");
        eprintln!("ok");
    }
}

/// The ids of this process's children, zombies included.
fn children() -> String {
    fs::read_to_string("/proc/thread-self/children").unwrap()
}

fn pipes_between_processes() {
    let report = pipes::run(Units::Processes).unwrap();
    assert!(report.holds(), "{report:#?}");
    for line in &report.modes {
        let careless_look =
            line.mode.slow == Slow::Writer && line.mode.reader == Calls::NonBlocking;
        let expected = if careless_look { Textbook::Wrong } else { Textbook::Right };
        assert_eq!(line.textbook, expected, "{line:#?}");
    }
}

fn pipes_between_threads() {
    let report = pipes::run(Units::Threads).unwrap();
    assert!(report.holds(), "{report:#?}");
}
