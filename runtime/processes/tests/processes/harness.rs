//! Runs the tests and says which failed; and what most of them need: a child that reports, and its end.

use std::env;
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic;
use std::process::{self, ExitCode};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use palco_processes::{Child, Confinement, Exit, Launch, Spawner, Zygote, bear};
use palco_threads::block_on;

/// A test's name, which is its promise, and the test.
pub(crate) type Test = (&'static str, fn());

/// All tests together take a few seconds.
const HANGS_AFTER: Duration = Duration::from_secs(120);

/// Names each function by itself.
#[macro_export]
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        pub(crate) const TESTS: &[$crate::harness::Test] = &[$((stringify!($test), $test)),*];
    };
}

/// Runs the tests whose name contains the first argument that is no option; all without one.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let mut arguments = env::args().skip(1);
    let is_list = env::args().any(|argument| argument == "--list");
    let filter = arguments.find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let mut failed = Vec::new();
    let mut out = io::stdout();
    let (done, watched) = mpsc::channel::<()>();
    thread::spawn(move || {
        if watched.recv_timeout(HANGS_AFTER) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the test after the last one named hangs");
            process::exit(1);
        }
    });
    for (name, test) in tests.iter().filter(|(name, _)| name.contains(&filter)) {
        if is_list {
            writeln!(out, "{name}: test").unwrap();
            continue;
        }
        let outcome = panic::catch_unwind(test);
        writeln!(out, "test {name} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" }).unwrap();
        if outcome.is_err() {
            failed.push(*name);
        }
    }
    drop(done);
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    writeln!(out, "failed: {failed:?}").unwrap();
    ExitCode::FAILURE
}

pub(crate) fn spawner() -> Spawner {
    Spawner::new().unwrap()
}

/// This program, with the test's standard streams.
pub(crate) fn launch() -> Launch {
    Launch::this_program().arg0("palco-child")
}

/// Starts a child that does `task`; what it reports can be read.
pub(crate) fn started(launch: Launch, task: &str) -> (Child, PipeReader) {
    started_with(launch, task, &[])
}

/// The same with more descriptors, after the one for the report.
pub(crate) fn started_with(
    launch: Launch,
    task: &str,
    fds: &[BorrowedFd<'_>],
) -> (Child, PipeReader) {
    let (reader, writer) = io::pipe().unwrap();
    let fds: Vec<BorrowedFd<'_>> =
        [writer.as_fd()].into_iter().chain(fds.iter().copied()).collect();
    let child = block_on(bear(&spawner(), launch, task.as_bytes(), &fds)).unwrap();
    (child, reader)
}

/// The same, forked by a zygote.
pub(crate) fn forked(zygote: &Zygote, task: &str) -> (Child, PipeReader) {
    forked_with(zygote, task, &[])
}

/// The same with more descriptors, after the one for the report.
pub(crate) fn forked_with(
    zygote: &Zygote,
    task: &str,
    fds: &[BorrowedFd<'_>],
) -> (Child, PipeReader) {
    let (reader, writer): (PipeReader, PipeWriter) = io::pipe().unwrap();
    let fds: Vec<BorrowedFd<'_>> =
        [writer.as_fd()].into_iter().chain(fds.iter().copied()).collect();
    (zygote.fork(task.as_bytes(), &fds).unwrap(), reader)
}

pub(crate) fn zygote() -> Zygote {
    zygote_for(&Confinement::none())
}

/// Of children that will be confined like this.
pub(crate) fn zygote_for(confinement: &Confinement) -> Zygote {
    block_on(Zygote::start(&spawner(), launch(), confinement)).unwrap()
}

/// All that the child reports, and how it ends.
pub(crate) fn ended((mut child, mut reader): (Child, PipeReader)) -> (String, Exit) {
    let mut report = String::new();
    reader.read_to_string(&mut report).unwrap();
    (report, child.wait().unwrap())
}

/// The report of a child that does `task` and exits with 0.
pub(crate) fn report(launch: Launch, task: &str) -> String {
    let (report, exit) = ended(started(launch, task));
    assert_eq!(exit, Exit::Exited(0), "{report}");
    report
}

/// Reads one line of a report.
pub(crate) fn line(reader: &mut PipeReader) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while reader.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

/// A field of `/proc/PID/status`.
pub(crate) fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let found = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_else(|| panic!("{name} in {status}")).trim()
}

/// Whether there is such a process, dead or alive.
pub(crate) fn is_there(pid: i32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap()
}
