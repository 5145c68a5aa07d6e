//! What other tools print for a switch, beside what the kernel counted while they ran.
//!
//! Each that is installed runs for about a second, pinned to one processor and scheduled in the usual way. From what it
//! prints follows how many switches it believes to have made; the kernel's count is that of its processes after they have
//! been reaped (`RUSAGE_CHILDREN`). A tool that is not there is not an error: the remark says where it is from.
//!
//! | file | what |
//! |---|---|
//! | `peers/claims.rs` | what follows from the lines that they print |
//! | `peers/running.rs` | a tool at work, for a while at most |

mod claims;
mod running;

use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use self::claims::Claim;
use self::running::Run;
use crate::Cores;
use crate::report::PeerClaim;
use crate::sides::placement::{Placement, processors, stay_on};

/// How long one tool may take before it is ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where Debian puts the programs of lmbench, each architecture in a folder.
const LMBENCH: &str = "/usr/lib/lmbench/bin";

/// A tool, how it is asked, and how its answer is read.
struct Peer {
    program: &'static str,
    arguments: &'static [&'static str],
    read: fn(&str) -> Option<Claim>,
    /// What it is in.
    package: &'static str,
    /// What it says, in words.
    says: &'static str,
}

const PEERS: [Peer; 9] = [
    Peer {
        program: "perf",
        arguments: &["bench", "sched", "pipe", "-l", "100000"],
        read: claims::perf_pipe,
        package: PERF,
        says: "two switches an operation, between processes",
    },
    Peer {
        program: "perf",
        arguments: &["bench", "sched", "pipe", "-T", "-l", "100000"],
        read: claims::perf_pipe,
        package: PERF,
        says: "two switches an operation, between threads",
    },
    Peer {
        program: "lat_ctx",
        arguments: &["-s", "0", "2"],
        read: claims::lat_ctx,
        package: "lmbench",
        says: "a switch between two processes, less what the pipe costs",
    },
    Peer {
        program: "lat_pipe",
        arguments: &[],
        read: |text| claims::lmbench(text, "Pipe latency:", 2.0),
        package: "lmbench",
        says: "a round trip through pipes, of two switches",
    },
    Peer {
        program: "lat_unix",
        arguments: &[],
        read: |text| claims::lmbench(text, "AF_UNIX sock stream latency:", 2.0),
        package: "lmbench",
        says: "a round trip through a socket, of two switches",
    },
    Peer {
        program: "lat_sem",
        arguments: &[],
        read: |text| claims::lmbench(text, "Semaphore latency:", 1.0),
        package: "lmbench",
        says: "an operation on a semaphore, taken for a switch",
    },
    Peer {
        program: "stress-ng",
        arguments: &STRESS_PIPE,
        read: claims::stress_switch,
        package: "stress-ng",
        says: "a context switch by pipe",
    },
    Peer {
        program: "stress-ng",
        arguments: &STRESS_MQ,
        read: claims::stress_switch,
        package: "stress-ng",
        says: "a context switch by message queue",
    },
    Peer {
        program: "stress-ng",
        arguments: &STRESS_SEM,
        read: claims::stress_switch,
        package: "stress-ng",
        says: "a context switch by semaphore",
    },
];

const PERF: &str = "linux-perf (Debian) or linux-tools (Ubuntu)";

const fn stress(method: &'static str) -> [&'static str; 7] {
    ["--switch", "1", "--switch-method", method, "-t", "1", "--metrics"]
}

const STRESS_PIPE: [&str; 7] = stress("pipe");
const STRESS_MQ: [&str; 7] = stress("mq");
const STRESS_SEM: [&str; 7] = stress("sem-sysv");

/// Runs all tools that are there, one after the other, and tells of each before it begins. Takes some ten seconds with
/// all of them. Children of this process that end meanwhile would be counted as theirs: there should be none.
#[must_use]
pub fn claims(mut progress: impl FnMut(&str)) -> Vec<PeerClaim> {
    let claim = |peer: &Peer| {
        progress(&peer.command());
        peer.observed()
    };
    PEERS.iter().map(claim).collect()
}

impl Peer {
    fn command(&self) -> String {
        [&[self.program], self.arguments].concat().join(" ")
    }

    fn observed(&self) -> PeerClaim {
        match self.run() {
            Ok(run) => self.compared(&run),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.silent(format!("not installed: it is in the package {}", self.package))
            }
            Err(error) => self.silent(format!("could not be run: {error}")),
        }
    }

    /// On one processor, from which the calling thread comes back.
    fn run(&self) -> io::Result<Run> {
        let [processor, _] = processors(Cores::Same).map_err(io::Error::other)?;
        let mut command = Command::new(program(self.program));
        let place = Placement::save()?;
        stay_on(processor)?;
        let run = running::run(command.args(self.arguments), PATIENCE);
        drop(place);
        run
    }

    fn silent(&self, remark: String) -> PeerClaim {
        PeerClaim {
            command: self.command(),
            claimed_nanos: None,
            claimed_switches: None,
            counted_switches: None,
            true_nanos: None,
            remark,
        }
    }

    /// What it printed beside what was counted.
    fn compared(&self, run: &Run) -> PeerClaim {
        let Some(claim) = (self.read)(&run.text) else {
            let end = if run.is_success { "" } else { ", and it failed" };
            let line = run.text.lines().next().unwrap_or("nothing");
            return self.silent(format!("what it printed is not understood{end}: {line}"));
        };
        // Its own time, if it tells: without what it takes to begin.
        let nanos = claim.seconds.unwrap_or(run.wall.as_secs_f64()) * 1e9;
        let true_nanos = (run.switches > 0).then(|| nanos / run.switches as f64);
        PeerClaim {
            command: self.command(),
            claimed_nanos: Some(claim.nanos),
            claimed_switches: claim.switches,
            counted_switches: Some(run.switches),
            true_nanos,
            remark: format!("says: {}; {}", self.says, judgement(claim, run.switches, nanos)),
        }
    }
}

/// Its figure against what follows from the kernel's count.
fn judgement(claim: Claim, counted: u64, nanos: f64) -> String {
    // Without a count of its own, its figure says how often the time could have held it.
    let claimed = claim.switches.map_or(nanos / claim.nanos, |switches| switches as f64);
    let ratio = counted as f64 / claimed;
    match claim.switches {
        Some(_) if (0.98..=1.02).contains(&ratio) => "the kernel counted as many".to_owned(),
        Some(_) if ratio < 0.01 => {
            "the kernel counted next to none: it measures no switch".to_owned()
        }
        Some(_) => format!("the kernel counted {ratio:.2} times as many"),
        None => format!(
            "it does not say how many; with all that it did beside, a switch of the kernel's count took {:.2} times as long",
            1.0 / ratio
        ),
    }
}

/// A program by its name, or by its path where it is never in `PATH`.
fn program(name: &str) -> PathBuf {
    let folders = std::fs::read_dir(LMBENCH).into_iter().flatten().flatten();
    let mut beside = folders.map(|folder| folder.path().join(name));
    beside.find(|path| path.is_file()).unwrap_or_else(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, switches: u64) -> Run {
        Run { text: text.to_owned(), wall: Duration::from_secs(1), switches, is_success: true }
    }

    const STRESS: &str = "stress-ng: metrc: [7] switch  449155  1.00  0.11  0.27  449025.14  1183057.82\n\
        stress-ng: metrc: [7] switch  1112.66 nanosecs per context switch (sem-sysv method)\n";

    #[test]
    fn a_switch_that_the_kernel_did_not_see_is_no_switch() {
        let claim = PEERS[8].compared(&run(STRESS, 226));
        assert_eq!((claim.claimed_switches, claim.counted_switches), (Some(449_155), Some(226)));
        assert!(claim.true_nanos.unwrap() > 4e6, "{claim:?}");
        assert!(claim.remark.contains("measures no switch"), "{claim:?}");
    }

    #[test]
    fn twice_as_many_and_as_many_are_told_apart() {
        assert!(PEERS[6].compared(&run(STRESS, 898_310)).remark.contains("2.00 times as many"));
        assert!(PEERS[6].compared(&run(STRESS, 449_300)).remark.ends_with("counted as many"));
    }

    #[test]
    fn what_is_not_understood_makes_no_claim() {
        let claim = PEERS[0].compared(&run("segmentation fault\n", 3));
        assert_eq!((claim.claimed_nanos, claim.true_nanos), (None, None));
        assert!(claim.remark.ends_with("segmentation fault"), "{claim:?}");
    }

    #[test]
    fn a_tool_that_is_not_there_says_where_it_is_from() {
        let peer = Peer { program: "palco-no-such-tool", ..PEERS[2] };
        let claim = peer.observed();
        assert!(claim.remark.contains("in the package lmbench"), "{claim:?}");
        assert_eq!(claim.claimed_nanos, None);
    }
}
