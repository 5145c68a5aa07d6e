//! A tool at work: what it prints, how long it takes, and how often its processes were switched. For a while at most.

use std::io::{self, PipeReader, Read, pipe};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The most that is kept of what a tool prints.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What a tool did.
#[derive(Debug)]
pub(super) struct Run {
    /// What it printed, on either output.
    pub(super) text: String,
    pub(super) wall: Duration,
    /// Of its processes that were reaped.
    pub(super) switches: u64,
    pub(super) is_success: bool,
}

/// Runs a program, with whatever processes it makes, in a group that can be ended.
///
/// # Errors
/// When it cannot be started; `TimedOut` when it was ended.
pub(super) fn run(command: &mut Command, patience: Duration) -> io::Result<Run> {
    let (mut reader, writer) = pipe()?;
    let (before, begin) = (switches()?, Instant::now());
    command.stdin(Stdio::null()).stderr(writer.try_clone()?).stdout(writer).process_group(0);
    // The same words in every language.
    let child = command.env("LC_ALL", "C").spawn();
    // The outputs are open in the command, too: without this the reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child?;
    let text = read_until(&mut reader, begin + patience);
    if text.is_err() {
        // A group that has ended meanwhile needs no end.
        let group = i32::try_from(child.id()).map_err(io::Error::other)?;
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    let is_success = child.wait()?.success();
    let wall = begin.elapsed();
    let switches = switches()?.saturating_sub(before);
    Ok(Run { text: String::from_utf8_lossy(&text?).into_owned(), wall, switches, is_success })
}

/// All that is printed until nobody is left who could print; what is too much is read and forgotten.
fn read_until(reader: &mut PipeReader, deadline: Instant) -> io::Result<Vec<u8>> {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut ready = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
        if left.is_zero() || poll(&mut ready, timeout)? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long and was ended"));
        }
        match reader.read(&mut buffer)? {
            0 => return Ok(text),
            len => {
                let room = TEXT_BYTES_MAX - text.len();
                text.extend_from_slice(&buffer[..len.min(room)]);
            }
        }
    }
}

/// Of all children that were reaped, and of theirs.
fn switches() -> io::Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let all = usage.voluntary_context_switches() + usage.involuntary_context_switches();
    u64::try_from(all).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn both_outputs_and_the_switches_of_grandchildren_are_kept() {
        // Each turn through a pipe makes somebody wait.
        let run = run(&mut shell("echo one; echo two >&2; (echo x; echo y) | cat | cat"), LONG);
        let run = run.unwrap();
        assert!(run.text.contains("one\n") && run.text.contains("two\n"), "{run:?}");
        assert!(run.is_success && run.switches > 0 && run.wall > Duration::ZERO, "{run:?}");
    }

    #[test]
    fn a_tool_that_takes_too_long_is_ended_with_its_children() {
        let run = run(&mut shell("cat /dev/zero | cat >/dev/null"), Duration::ZERO);
        assert_eq!(run.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_tool_that_prints_without_measure_is_kept_in_part() {
        let run = run(&mut shell("head -c 1000000 /dev/zero; exit 3"), LONG).unwrap();
        assert_eq!((run.text.len(), run.is_success), (TEXT_BYTES_MAX, false));
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found() {
        let error = run(&mut Command::new("palco-no-such-tool"), LONG).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
