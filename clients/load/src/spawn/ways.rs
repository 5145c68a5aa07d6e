//! The ways to start something and lose it again.

use std::future::ready;
use std::os::unix::process::CommandExt;
use std::process::Command;

use palco_actors::{Confinement, Place, ProcessOptions, SpawnOptions, Start};
use palco_processes::{Exit, Launch, User};
use palco_threads::block_on;

use super::stage::{Ballast, Stage};
use crate::actors::palco::live_anywhere;
use crate::actors::{Load, Outcome, Refusal, Round, pace};

/// The smallest program there is.
const TRUE: &str = "/bin/true";

/// The user and the group that own nothing.
const NOBODY: u32 = 65_534;

/// One row of the report.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) setting: &'static str,
    /// Lives in a round, of those that the settings say.
    pub(super) percent: u64,
    pub(super) run: fn(&Stage, Load, &Ballast) -> Outcome,
}

/// The others are compared with the first of these that could run.
pub(super) const BASELINES: [&str; 2] = ["bare vfork + exec", "std Command"];

/// All ways, the floor first.
pub(super) fn all() -> Vec<Way> {
    let true_ = "/bin/true, until it is reaped";
    let actor = "until its first answer, then stopped, until the news of its end";
    let way = |name, setting, percent, run| Way { name, setting, percent, run };
    vec![
        way(
            BASELINES[0],
            "a C program: vfork, execve /bin/true, waitpid",
            100,
            |stage, load, ballast| bare(stage, "vfork", load, ballast),
        ),
        way("bare fork + exec", "the same program with fork", 100, |stage, load, ballast| {
            bare(stage, "fork", load, ballast)
        }),
        way(BASELINES[1], true_, 100, |_, load, _| lives(load, || std(None))),
        way("palco Spawner", true_, 100, |stage, load, _| lives(load, || palco(stage, None))),
        way(
            "std Command, other user",
            "uid and gid 65534, no groups: fork",
            100,
            |stage, load, _| {
                only_root(stage)?;
                lives(load, || std(Some(NOBODY)))
            },
        ),
        way("palco Spawner, other user", "uid and gid 65534, no groups", 100, |stage, load, _| {
            only_root(stage)?;
            lives(load, || palco(stage, Some(NOBODY)))
        }),
        way("palco Zygote", "a fork that has no part to play and ends", 100, |stage, load, _| {
            lives(load, || forked(stage))
        }),
        way("actor in a process, exec", actor, 30, |stage, load, _| {
            actors(stage, load, process(ProcessOptions::new()))
        }),
        way("actor in a process, zygote", actor, 100, |stage, load, _| {
            actors(stage, load, process(ProcessOptions::new().start(Start::Zygote)))
        }),
        way("actor in a process, zygote, not confined", actor, 100, |stage, load, _| {
            let free = ProcessOptions::new().confinement(Confinement::none());
            actors(stage, load, process(free.start(Start::Zygote)))
        }),
        way("actor on a thread", actor, 300, |stage, load, _| {
            actors(stage, load, SpawnOptions::new().place(Place::Thread))
        }),
        way("actor as a task", actor, 1_000, |stage, load, _| {
            actors(stage, load, SpawnOptions::new().place(Place::Task))
        }),
    ]
}

fn lives(load: Load, mut live: impl FnMut() -> Result<(), Refusal>) -> Outcome {
    block_on(pace::lives(load, || ready(live().map(|()| 1))))
}

fn process(options: ProcessOptions) -> SpawnOptions {
    SpawnOptions::new().place(Place::Process).process(options)
}

fn actors(stage: &Stage, load: Load, options: SpawnOptions) -> Outcome {
    let system = stage.system.as_ref().map_err(Clone::clone)?;
    block_on(pace::lives(load, || live_anywhere(load, system, options.clone())))
}

fn only_root(stage: &Stage) -> Result<(), Refusal> {
    if stage.is_root {
        return Ok(());
    }
    Err(Refusal::failed("only root may change the user"))
}

fn std(id: Option<u32>) -> Result<(), Refusal> {
    let mut command = Command::new(TRUE);
    command.env_clear();
    if let Some(id) = id {
        command.uid(id).gid(id);
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Refusal::failed(status)),
        Err(error) => Err(Refusal::failed(error)),
    }
}

fn palco(stage: &Stage, id: Option<u32>) -> Result<(), Refusal> {
    let spawner = stage.spawner.as_ref().map_err(Clone::clone)?;
    let launch = Launch::new(TRUE);
    let launch = match id {
        Some(id) => launch.user(User { uid: id, gid: id, groups: Vec::new() }),
        None => launch,
    };
    let mut child = spawner.spawn_blocking(launch).map_err(Refusal::failed)?;
    match child.wait().map_err(Refusal::failed)? {
        Exit::Exited(0) => Ok(()),
        other => Err(Refusal::failed(other)),
    }
}

fn forked(stage: &Stage) -> Result<(), Refusal> {
    let zygote = stage.zygote.as_ref().map_err(Clone::clone)?;
    let mut child = zygote.fork(&[], &[]).map_err(Refusal::failed)?;
    match child.wait().map_err(Refusal::failed)? {
        // It says that it was started wrongly.
        Exit::Exited(1) => Ok(()),
        other => Err(Refusal::failed(other)),
    }
}

/// The C program, which measures itself.
fn bare(stage: &Stage, how: &str, load: Load, ballast: &Ballast) -> Outcome {
    let program = stage.vfork.as_ref().map_err(Clone::clone)?;
    let numbers = [load.samples, load.warmup_samples, ballast.mib as u64].map(|n| n.to_string());
    let mut command = Command::new(program.path());
    let output = command.arg(how).args(numbers).arg(TRUE).output().map_err(Refusal::failed)?;
    if !output.status.success() {
        return Err(Refusal::failed(output.status));
    }
    read(&String::from_utf8_lossy(&output.stdout), load.samples)
}

/// What the C program has written: processor time, wall time, and that of each life.
fn read(text: &str, lives: u64) -> Outcome {
    let numbers: Result<Vec<u64>, _> = text.lines().map(str::parse).collect();
    match numbers.map_err(Refusal::failed)?.as_slice() {
        [cpu_nanos, wall_nanos, samples @ ..] if samples.len() as u64 == lives => Ok(Round {
            samples: samples.to_vec(),
            ops: lives,
            ops_per_sample: 1,
            wall_nanos: *wall_nanos,
            cpu_nanos: *cpu_nanos,
        }),
        other => Err(Refusal::failed(format_args!("{} lines for {lives} lives", other.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_c_program_writes_is_read() {
        let round = read("900\n1000\n400\n500\n", 2).unwrap();
        assert_eq!((round.cpu_nanos, round.wall_nanos, round.ops), (900, 1000, 2));
        assert_eq!(round.samples, [400, 500]);
        for wrong in ["", "900\n", "900\n1000\n400\n", "900\n1000\n400\nmuch\n"] {
            assert!(read(wrong, 2).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_unique_and_the_baselines_are_among_them() {
        let ways = all();
        let names: std::collections::BTreeSet<_> = ways.iter().map(|way| way.name).collect();
        assert_eq!(names.len(), ways.len());
        assert!(BASELINES.iter().all(|name| names.contains(name)));
    }
}
