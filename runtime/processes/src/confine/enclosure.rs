//! What a program of others gives up before it begins: one that knows nothing of palco and cannot confine itself.
//!
//! A wish ([`Enclosure`]) is made ready once for a service ([`Fence`]); each child takes it into force between its birth
//! and its program, without another program in between. In this order: descriptors, session, scheduler, limits, umask,
//! control groups, private `/tmp`, ids, directory, death signal, no new privileges, Landlock, seccomp, program.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::geteuid;
use palco_sys::{FreshDirectories, Restrictions, landlock_abi};
use serde::Serialize;

use super::control_groups::{Group, Limit, groups_for};
use super::landlock::{Below, Rules};
use super::{ConfineError, Network, administration};

/// How often an interpreter may itself need one, as the kernel has it (`BINPRM_MAX_RECURSION` allows one less).
const INTERPRETERS_MAX: usize = 5;
/// How much of a file the kernel looks at for its interpreter (`BINPRM_BUF_SIZE`).
const FIRST_LINE_BYTES_MAX: u64 = 256;
/// A private directory holds so many files at least, and one for each kilobyte that it holds.
const FILES_MIN: u64 = 1024;

/// What a program of others gives up before it begins. By default nothing.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, Default)]
pub struct Enclosure {
    /// The program, which it must be able to execute though `read` does not name it, and whatever interpreter its first
    /// line names.
    pub program: Option<PathBuf>,
    /// Nothing it executes gives it privileges. Files, network and system calls cannot be restricted without: with any of
    /// them this is given up too.
    pub no_new_privileges: bool,
    /// Below which paths, which must exist, it may read, list and execute. `None` is everywhere. What no program can start
    /// without is always added: `program`, `/lib*`, `/usr/lib*`, `/etc/ld.so.cache` and `/dev/null`.
    pub read: Option<Vec<PathBuf>>,
    /// Below which paths, which must exist, it may also write, make, rename and remove; `/dev/null` and a private `/tmp` are
    /// always added. `None` is everywhere, unless `read` is given: then nowhere else.
    pub write: Option<Vec<PathBuf>>,
    /// Mounts, modules, tracing, clocks, namespaces, swap and the like fail with `EPERM`.
    pub no_administration: bool,
    /// TCP can be neither bound nor connected; what is connected already stays so. UDP and unix sockets are not covered.
    pub no_network: bool,
    /// An empty `/tmp` and `/var/tmp` of its own for each process that is started, each of at most so many bytes in memory;
    /// gone when it and its children have ended. Mounts that others make later it does not see. Takes root.
    pub private_tmp_bytes: Option<u64>,
    /// Memory of all processes of the service together, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads of the service, all together.
    pub processes: Option<u64>,
    /// Processors that the service may keep busy, in percent of one.
    pub cpu_percent: Option<u32>,
}

/// An [`Enclosure`] made ready, for any number of children. Control groups are removed when it is dropped, unless there are
/// still processes in them.
#[derive(Debug)]
pub struct Fence {
    restrictions: Arc<Restrictions>,
    ruleset: Restriction,
    obtained: Enclosed,
    /// For their removal.
    _groups: Vec<Arc<Group>>,
}

/// A Landlock ruleset for children.
#[derive(Debug)]
enum Restriction {
    None,
    /// The same for all.
    Shared(Arc<OwnedFd>),
    /// A fresh one for each child, which adds its own private directories.
    Each(Rules),
}

/// What children of a [`Fence`] will really have given up.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Enclosed {
    /// One phrase for each, as `cgroup pids 40`.
    pub had: Vec<String>,
    /// What was asked for and cannot be had, and why, as `no memory limit: controller memory is not mounted`.
    pub missing: Vec<String>,
}

impl fmt::Display for Enclosed {
    /// As `no-new-privs, landlock abi 7, seccomp, cgroup pids 40; no memory limit: controller memory is not mounted`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.had.is_empty() { "not confined" } else { "" })?;
        f.write_str(&self.had.join(", "))?;
        self.missing.iter().try_for_each(|missing| write!(f, "; {missing}"))
    }
}

impl Enclosure {
    /// Makes it ready for the service of this name, which is also that of its control groups: services of one name share
    /// them, and the limits of the one made ready last hold.
    ///
    /// What the kernel does not offer is no error: [`Fence::obtained`] says so.
    ///
    /// # Errors
    /// A path that does not exist, a private `/tmp` without being root, limits of nothing, a name that is no file's, or
    /// rules that the kernel refuses.
    pub fn prepare(&self, name: &str) -> Result<Fence, ConfineError> {
        let mut obtained = Enclosed::default();
        let filter = match self.no_administration {
            true => administration::filter()?,
            false => Vec::new(),
        };
        let rules = self.rules()?;
        let no_new_privileges = self.no_new_privileges || !filter.is_empty() || !rules.are_none();
        if no_new_privileges {
            obtained.had.push("no-new-privs".to_owned());
        }
        let abi = obtain_landlock(&rules, &mut obtained);
        if !filter.is_empty() {
            obtained.had.push("seccomp".to_owned());
        }
        let allowed = abi.map_or(0, |abi| rules.everything(abi));
        let directories = self.directories(allowed, &mut obtained)?;
        let ruleset = match directories {
            _ if abi.is_none() => Restriction::None,
            Some(_) if allowed != 0 => Restriction::Each(rules),
            Some(_) | None => match Option::<OwnedFd>::from(rules.ruleset()?) {
                Some(ruleset) => Restriction::Shared(Arc::new(ruleset)),
                None => Restriction::None,
            },
        };
        let groups = groups_for(name, &self.limits()?, &mut obtained)?;
        let members = groups.iter().map(|group| group.members()).collect::<Result<_, _>>()?;
        let restrictions = Restrictions { groups: members, directories, no_new_privileges, filter };
        Ok(Fence { restrictions: Arc::new(restrictions), ruleset, obtained, _groups: groups })
    }

    fn rules(&self) -> Result<Rules, ConfineError> {
        let network = if self.no_network { Network::NoConnect } else { Network::Free };
        let mut rules = match (&self.read, &self.write) {
            (None, None) => return Ok(Rules::of_no_access(network)),
            (None, Some(_)) => Rules::of_write_access(network),
            (Some(_), _) => Rules::of_all_access(network),
        };
        if let Some(read) = &self.read {
            rules.allow(read, Below::Read)?;
            rules.allow(libraries(), Below::Read)?;
            rules.allow(executables(self.program.as_deref())?, Below::Read)?;
        }
        rules.allow(self.write.iter().flatten(), Below::Write)?;
        rules.allow(existing(["/dev/null"]), Below::Write)?;
        Ok(rules)
    }

    fn directories(
        &self,
        allowed: u64,
        obtained: &mut Enclosed,
    ) -> Result<Option<FreshDirectories>, ConfineError> {
        let Some(bytes) = self.private_tmp_bytes else { return Ok(None) };
        let no = |why: String| ConfineError::Rules { step: "private /tmp", why };
        let user = geteuid();
        if !user.is_root() {
            return Err(no(format!("takes root, and this process runs as user {user}")));
        }
        if bytes == 0 {
            return Err(no("must have room for some bytes".to_owned()));
        }
        let tmp = Path::new("/tmp");
        let found = fs::canonicalize(tmp)
            .map_err(|error| ConfineError::Path { path: tmp.to_owned(), why: error.to_string() })?;
        let mut paths = vec![c"/tmp".to_owned()];
        if fs::canonicalize("/var/tmp").is_ok_and(|other| other != found) {
            paths.push(c"/var/tmp".to_owned());
        }
        let files = (bytes >> 10).max(FILES_MIN);
        let options = CString::new(format!("size={bytes},nr_inodes={files},mode=1777"));
        let options = options.map_err(|error| no(error.to_string()))?;
        obtained.had.push(format!("private /tmp {}", size(bytes)));
        Ok(Some(FreshDirectories { paths, options, allowed }))
    }

    fn limits(&self) -> Result<Vec<Limit>, ConfineError> {
        let limits = [
            self.memory_bytes.map(Limit::MemoryBytes),
            self.processes.map(Limit::Processes),
            self.cpu_percent.map(Limit::CpuPercent),
        ];
        let limits: Vec<Limit> = limits.into_iter().flatten().collect();
        match limits.iter().find(|limit| limit.is_nothing()) {
            Some(limit) => Err(ConfineError::Rules {
                step: "control group",
                why: format!("a program cannot begin with a limit of nothing: {limit}"),
            }),
            None => Ok(limits),
        }
    }
}

impl Fence {
    /// What its children will really have given up.
    #[must_use]
    pub fn obtained(&self) -> &Enclosed {
        &self.obtained
    }

    pub(crate) fn restrictions(&self) -> Arc<Restrictions> {
        Arc::clone(&self.restrictions)
    }

    /// The ruleset for one child.
    pub(crate) fn ruleset(&self) -> Result<Option<Arc<OwnedFd>>, ConfineError> {
        Ok(match &self.ruleset {
            Restriction::None => None,
            Restriction::Shared(ruleset) => Some(Arc::clone(ruleset)),
            Restriction::Each(rules) => Option::<OwnedFd>::from(rules.ruleset()?).map(Arc::new),
        })
    }
}

/// The kernel's version of Landlock, if it is of use for these rules.
fn obtain_landlock(rules: &Rules, obtained: &mut Enclosed) -> Option<i32> {
    if rules.are_none() {
        return None;
    }
    let Some(abi) = landlock_abi() else {
        let missing = "no landlock: the kernel lacks it, or it is not enabled";
        obtained.missing.push(missing.to_owned());
        return None;
    };
    if rules.are_known_to(abi) {
        obtained.had.push(format!("landlock abi {abi}"));
    } else {
        obtained.had.push("landlock in part".to_owned());
        obtained.missing.push(format!("not all of landlock: the kernel has abi {abi}"));
    }
    Some(abi)
}

/// What programs are loaded with.
fn libraries() -> Vec<PathBuf> {
    let mut all = existing(["/etc/ld.so.cache"]);
    for directory in ["/", "/usr"] {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().as_bytes().starts_with(b"lib"));
        all.extend(named.map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    all
}

fn existing<const N: usize>(paths: [&str; N]) -> Vec<PathBuf> {
    paths.into_iter().map(PathBuf::from).filter(|path| path.exists()).collect()
}

/// The program, its interpreter, that one's interpreter.
fn executables(program: Option<&Path>) -> Result<BTreeSet<PathBuf>, ConfineError> {
    let mut all = BTreeSet::new();
    let mut next = program.map(Path::to_owned);
    while let Some(path) = next.filter(|path| !all.contains(path) && all.len() < INTERPRETERS_MAX) {
        let no = |error: std::io::Error| ConfineError::Path {
            path: path.clone(),
            why: error.to_string(),
        };
        let mut begin = Vec::new();
        File::open(&path)
            .map_err(no)?
            .take(FIRST_LINE_BYTES_MAX)
            .read_to_end(&mut begin)
            .map_err(no)?;
        next = interpreter(&begin);
        all.insert(path);
    }
    Ok(all)
}

/// Of a file that begins so (`execve(2)`, interpreter scripts).
fn interpreter(begin: &[u8]) -> Option<PathBuf> {
    let line = begin.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty());
    let word = Path::new(std::ffi::OsStr::from_bytes(words.next()?));
    word.is_absolute().then(|| word.to_owned())
}

/// As `64 MiB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => {
            format!("{} MiB", bytes >> 20)
        }
        bytes if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => {
            format!("{} KiB", bytes >> 10)
        }
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_obtained_and_what_not_is_short_to_read() {
        assert_eq!(Enclosed::default().to_string(), "not confined");
        let had = vec!["no-new-privs".to_owned(), "cgroup pids 40".to_owned()];
        let missing = vec!["no memory limit: controller memory is not mounted".to_owned()];
        let text =
            "no-new-privs, cgroup pids 40; no memory limit: controller memory is not mounted";
        assert_eq!(Enclosed { had, missing }.to_string(), text);
        assert_eq!(
            [size(64 << 20), size(1536), size(1), size(1 << 10)],
            ["64 MiB", "1536 bytes", "1 bytes", "1 KiB"]
        );
    }

    #[test]
    fn the_interpreter_is_the_first_word_of_the_first_line() {
        let found = |begin: &[u8]| interpreter(begin).map(|path| path.display().to_string());
        assert_eq!(found(b"#! /bin/sh -e\nexit").as_deref(), Some("/bin/sh"));
        assert_eq!(found(b"#!/bin/sh").as_deref(), Some("/bin/sh"));
        for none in [&b"#!"[..], b"#!\n/bin/sh", b"#!sh\n", b"\x7fELF", b"", b"# /bin/sh"] {
            assert_eq!(found(none), None);
        }
    }

    #[test]
    fn an_endless_chain_of_interpreters_ends() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("itself");
        fs::write(&script, format!("#!{}\n", script.display())).unwrap();
        assert_eq!(executables(Some(&script)).unwrap().len(), 1);
        let nowhere = Path::new("/nowhere");
        let error = executables(Some(nowhere)).unwrap_err().to_string();
        assert_eq!(error, "/nowhere: No such file or directory (os error 2)");
    }

    #[test]
    fn limits_of_nothing_are_refused() {
        let refusal = |enclosure: Enclosure| enclosure.prepare("x").unwrap_err().to_string();
        let memory = Enclosure { memory_bytes: Some(0), ..Enclosure::default() };
        let text = "control group: a program cannot begin with a limit of nothing: memory 0 bytes";
        assert_eq!(refusal(memory), text);
        let cpu = Enclosure { cpu_percent: Some(0), ..Enclosure::default() };
        assert!(refusal(cpu).ends_with("cpu 0 %"));
    }

    #[test]
    fn nothing_wanted_is_nothing_obtained() {
        let fence = Enclosure::default().prepare("x").unwrap();
        assert_eq!(fence.obtained(), &Enclosed::default());
        assert!(fence.ruleset().unwrap().is_none());
    }
}
