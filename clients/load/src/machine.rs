//! What a measurement ran on, so that two reports can be compared or kept apart.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// The machine, the build and the moment. What cannot be found out is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Release of the kernel.
    pub kernel: String,
    /// Model of the processor.
    pub processor: String,
    /// Processors this process may run on.
    pub cores: usize,
    /// The compiler that built the program.
    pub rustc: String,
    /// Its optimisation level; figures of level 0 mean nothing.
    pub opt_level: String,
    /// Commit of the repository in the current folder, with `+` when files were changed since.
    pub commit: String,
    /// Versions of the peers.
    pub versions: String,
    /// Load averages over 1, 5 and 15 minutes when the run began.
    pub load_before: String,
    /// The same when it ended; a good part of it is the run itself.
    pub load_after: String,
    /// When the run began.
    pub date: String,
}

impl Machine {
    /// Looks at the machine now.
    pub(crate) fn look() -> Self {
        Self {
            kernel: first_line("/proc/sys/kernel/osrelease"),
            processor: processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            cores: thread::available_parallelism().map_or(0, usize::from),
            rustc: env!("PALCO_LOAD_RUSTC").to_owned(),
            opt_level: env!("PALCO_LOAD_OPT_LEVEL").to_owned(),
            commit: commit(),
            versions: env!("PALCO_LOAD_VERSIONS").to_owned(),
            load_before: load(),
            load_after: String::new(),
            date: httpdate::fmt_http_date(SystemTime::now()),
        }
    }

    /// Notes the load at the end of the run.
    /// Name and value of what is known.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let level = match self.opt_level.as_str() {
            "0" => " WITHOUT OPTIMISATION: the figures mean nothing".to_owned(),
            level => format!(" -O{level}"),
        };
        let load = format!("{} before, {} after", self.load_before, self.load_after);
        let facts = [
            ("Date", self.date.clone()),
            ("Machine", format!("{} cores, {}", self.cores, self.processor)),
            ("Kernel", self.kernel.clone()),
            ("Built by", self.rustc.clone() + &level),
            ("Commit", self.commit.clone()),
            ("Peers", self.versions.clone()),
            ("Load average", load),
        ];
        facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    pub(crate) fn look_again(&mut self) {
        self.load_after = load();
    }
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn load() -> String {
    first_line("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn processor(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':')).map_or("", |(_, model)| model.trim()).to_owned()
}

fn commit() -> String {
    let Some(mut commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return String::new() };
    if git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|list| !list.is_empty())
    {
        commit.push('+');
    }
    commit
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_by_its_model() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A Fast One\nflags\t: fpu\n";
        assert_eq!(processor(cpuinfo), "A Fast One");
        assert_eq!(processor(""), "");
    }

    #[test]
    fn this_machine_has_cores_and_the_build_a_compiler() {
        let machine = Machine::look();
        assert!(machine.cores > 0);
        assert!(machine.rustc.starts_with("rustc"));
    }
}
