//! Control groups of a service: limits of what all its processes use together, where the system has such groups to give.
//!
//! A group is made below the one that this process is in, so that limits of whoever has started it hold too:
//! `<own group>/palco/<service>`, one for each controller in version 1, one for all in version 2. In version 2 a group
//! with processes has no groups with controllers below it (the first of all excepted). A service manager that delegates a
//! unit therefore puts the main process in a group below the unit's; then the unit's is taken. Nothing is mounted, and no
//! process but the children is moved.

mod found;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use self::found::{Found, Version};
use super::ConfineError;
use super::enclosure::{Enclosed, size};

/// The group that all services' groups are in.
const COMMON: &str = "palco";
/// What `cpu_percent` is a share of, in microseconds; the kernel's default.
const PERIOD_US: u64 = 100_000;
/// The limits that a group of version 2 may have had from another.
const LIMITS_OF_TWO: [&str; 3] = ["memory.max", "pids.max", "cpu.max"];

/// A limit of what all processes of a group use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    MemoryBytes(u64),
    Processes(u64),
    CpuPercent(u32),
}

impl Limit {
    /// Whether no program could begin with it. Without a process of its own a program can.
    pub(super) fn is_nothing(self) -> bool {
        matches!(self, Self::MemoryBytes(0) | Self::CpuPercent(0))
    }

    fn controller(self) -> &'static str {
        match self {
            Self::MemoryBytes(_) => "memory",
            Self::Processes(_) => "pids",
            Self::CpuPercent(_) => "cpu",
        }
    }

    /// Which files say it, and what they say.
    fn settings(self, version: Version) -> Vec<(&'static str, String)> {
        let quota = |percent: u32| u64::from(percent) * PERIOD_US / 100;
        match (self, version) {
            (Self::MemoryBytes(bytes), Version::One) => {
                vec![("memory.limit_in_bytes", bytes.to_string())]
            }
            (Self::MemoryBytes(bytes), Version::Two) => vec![("memory.max", bytes.to_string())],
            (Self::Processes(count), Version::One | Version::Two) => {
                vec![("pids.max", count.to_string())]
            }
            (Self::CpuPercent(percent), Version::One) => vec![
                ("cpu.cfs_period_us", PERIOD_US.to_string()),
                ("cpu.cfs_quota_us", quota(percent).to_string()),
            ],
            (Self::CpuPercent(percent), Version::Two) => {
                vec![("cpu.max", format!("{} {PERIOD_US}", quota(percent)))]
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controller = self.controller();
        match self {
            Self::MemoryBytes(bytes) => write!(f, "{controller} {}", size(*bytes)),
            Self::Processes(count) => write!(f, "{controller} {count}"),
            Self::CpuPercent(percent) => write!(f, "{controller} {percent} %"),
        }
    }
}

/// A group, removed with its last user in this process, unless there are processes in it.
#[derive(Debug)]
pub(super) struct Group {
    path: PathBuf,
}

/// Who uses which group: a service that is made ready anew, before the old is gone, keeps its group.
static USED: Mutex<BTreeMap<PathBuf, Weak<Group>>> = Mutex::new(BTreeMap::new());

impl Group {
    /// Makes it, or shares it. `make_common` makes the group above it, which goes with the last group in it.
    fn at(
        path: PathBuf,
        make_common: impl FnOnce() -> Result<(), String>,
    ) -> Result<Arc<Self>, String> {
        let mut used = USED.lock();
        if let Some(group) = used.get(&path).and_then(Weak::upgrade) {
            return Ok(group);
        }
        make_common()?;
        make(&path)?;
        let group = Arc::new(Self { path: path.clone() });
        used.insert(path, Arc::downgrade(&group));
        Ok(group)
    }

    /// What a process joins it by.
    pub(super) fn members(&self) -> Result<OwnedFd, ConfineError> {
        let path = self.path.join("cgroup.procs");
        let opened = OpenOptions::new().write(true).open(&path);
        let no = |error: io::Error| ConfineError::Path { path, why: error.to_string() };
        opened.map(OwnedFd::from).map_err(no)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut used = USED.lock();
        // Somebody may have made it anew meanwhile.
        if used.get(&self.path).is_some_and(|group| group.strong_count() > 0) {
            return;
        }
        used.remove(&self.path);
        // Refused while there are processes or groups in them.
        let _removed = fs::remove_dir(&self.path);
        if let Some(common) = self.path.parent() {
            let _removed = fs::remove_dir(common);
        }
    }
}

/// The groups with these limits for the service of this name. Says which limits hold, and why others do not.
pub(super) fn groups_for(
    name: &str,
    limits: &[Limit],
    obtained: &mut Enclosed,
) -> Result<Vec<Arc<Group>>, ConfineError> {
    if limits.is_empty() {
        return Ok(Vec::new());
    }
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        let why = format!("{name:?} is no name of a directory");
        return Err(ConfineError::Rules { step: "control group", why });
    }
    Ok(groups_in(&Found::look(), name, limits, obtained))
}

fn groups_in(
    found: &Found,
    name: &str,
    limits: &[Limit],
    obtained: &mut Enclosed,
) -> Vec<Arc<Group>> {
    let mut groups: Vec<Arc<Group>> = Vec::new();
    for limit in limits {
        match group_with(found, name, *limit) {
            Ok(group) => {
                if !groups.iter().any(|known| Arc::ptr_eq(known, &group)) {
                    groups.push(group);
                }
                obtained.had.push(format!("cgroup {limit}"));
            }
            Err(why) => {
                let what = match limit {
                    Limit::MemoryBytes(_) => "memory",
                    Limit::Processes(_) => "process",
                    Limit::CpuPercent(_) => "processor",
                };
                obtained.missing.push(format!("no {what} limit: {why}"));
            }
        }
    }
    for group in &groups {
        // Of what had the name before: version 2 has one group for all controllers.
        let is_wanted = |file: &str| {
            let mut files = limits.iter().flat_map(|limit| limit.settings(Version::Two));
            files.any(|(wanted, _)| wanted == file)
        };
        for file in LIMITS_OF_TWO.into_iter().filter(|file| !is_wanted(file)) {
            let _lifted = write(&group.path.join(file), "max");
        }
    }
    groups
}

/// The group that this limit is set in.
fn group_with(found: &Found, name: &str, limit: Limit) -> Result<Arc<Group>, String> {
    let controller = limit.controller();
    let (own, version) = found.own_group(controller)?;
    let common = own.join(COMMON);
    let path = common.join(name);
    let group = Group::at(path.clone(), || make(&common))?;
    if version == Version::Two {
        delegate(&own, controller)?;
        delegate(&common, controller)?;
    }
    for (file, value) in limit.settings(version) {
        let file = path.join(file);
        write(&file, &value).map_err(|error| told(&file, &error))?;
    }
    Ok(group)
}

fn make(path: &Path) -> Result<(), String> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(|error| told(path, &error)),
    }
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Has groups below this one have the controller.
fn delegate(group: &Path, controller: &str) -> Result<(), String> {
    let file = group.join("cgroup.subtree_control");
    let has = |text: String| text.split_ascii_whitespace().any(|word| word == controller);
    if fs::read_to_string(&file).is_ok_and(has) {
        return Ok(());
    }
    let no =
        |error| format!("controller {controller} is not delegated: {}: {error}", file.display());
    write(&file, &format!("+{controller}")).map_err(no)
}

/// Only to what is there.
fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests;
