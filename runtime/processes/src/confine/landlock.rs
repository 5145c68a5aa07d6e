//! Files and network by Landlock, as far as the kernel knows them.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus,
};

use super::{ConfineError, Confinement, FileAccess, Network};

/// The newest version whose rights are asked for; an older kernel gives those it knows.
const WANTED: ABI = ABI::V5;

/// What is restricted, and what is allowed nevertheless.
#[derive(Debug)]
pub(super) struct Rules {
    restricted: BitFlags<AccessFs>,
    network: Network,
    allowed: Vec<(PathBuf, PathFd, BitFlags<AccessFs>)>,
}

/// What is allowed below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// Read, list, execute.
    Read,
    /// Everything.
    Write,
}

impl Rules {
    /// Nothing that is restricted is allowed anywhere.
    fn new(restricted: BitFlags<AccessFs>, network: Network) -> Self {
        Self { restricted, network, allowed: Vec::new() }
    }

    /// No files are restricted.
    pub(super) fn of_no_access(network: Network) -> Self {
        Self::new(BitFlags::EMPTY, network)
    }

    /// Reading, writing, making, removing, executing.
    pub(super) fn of_all_access(network: Network) -> Self {
        Self::new(AccessFs::from_all(WANTED), network)
    }

    /// Writing, making, removing.
    pub(super) fn of_write_access(network: Network) -> Self {
        Self::new(AccessFs::from_write(WANTED), network)
    }

    /// Nothing is restricted.
    pub(super) fn are_none(&self) -> bool {
        self.restricted.is_empty() && self.network == Network::Free
    }

    /// Allows what is below these paths, which must exist.
    pub(super) fn allow(
        &mut self,
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
        below: Below,
    ) -> Result<(), ConfineError> {
        for path in paths {
            let path = path.as_ref();
            let no = |why: String| ConfineError::Path { path: path.to_owned(), why };
            let is_directory = is_directory(path)?;
            let opened = PathFd::new(path).map_err(|error| no(error.to_string()))?;
            let all = match below {
                Below::Read => AccessFs::from_read(WANTED),
                Below::Write => AccessFs::from_all(WANTED),
            };
            let here = if is_directory { all } else { all & AccessFs::from_file(WANTED) };
            let access = here & self.restricted;
            if !access.is_empty() {
                self.allowed.push((path.to_owned(), opened, access));
            }
        }
        Ok(())
    }

    /// A ruleset by these rules, as far as the kernel knows them.
    pub(super) fn ruleset(&self) -> Result<RulesetCreated, ConfineError> {
        let mut rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
        if !self.restricted.is_empty() {
            rules = rules.handle_access(self.restricted).map_err(refused)?;
        }
        if self.network == Network::NoConnect {
            rules = rules.handle_access(AccessNet::from_all(WANTED)).map_err(refused)?;
        }
        let mut rules = rules.create().map_err(refused)?;
        for (path, opened, access) in &self.allowed {
            let no = |why: String| ConfineError::Path { path: path.clone(), why };
            rules = rules
                .add_rule(PathBeneath::new(opened, *access))
                .map_err(|error| no(error.to_string()))?;
        }
        Ok(rules)
    }

    /// Everything that a kernel with this version restricts for these rules, in its own bits.
    pub(super) fn everything(&self, abi: i32) -> u64 {
        (self.restricted & AccessFs::from_all(ABI::from(abi))).bits()
    }

    /// Whether a kernel with this version restricts everything that is asked for.
    pub(super) fn are_known_to(&self, abi: i32) -> bool {
        let abi = ABI::from(abi);
        let knows_network = self.network == Network::Free || !AccessNet::from_all(abi).is_empty();
        AccessFs::from_all(abi).contains(self.restricted) && knows_network
    }
}

/// Restricts the process; says what was obtained, and nothing if nothing was wanted.
pub(super) fn restrict(wanted: &Confinement) -> Result<String, ConfineError> {
    let rules = match &wanted.file_access {
        FileAccess::Free => Rules::of_no_access(wanted.network),
        FileAccess::Only { read, write } => {
            let mut rules = Rules::of_all_access(wanted.network);
            rules.allow(read, Below::Read)?;
            rules.allow(write, Below::Write)?;
            rules
        }
    };
    if rules.are_none() {
        return Ok(String::new());
    }
    Ok(describe(&rules.ruleset()?.restrict_self().map_err(refused)?))
}

fn is_directory(path: &Path) -> Result<bool, ConfineError> {
    let no = |error: std::io::Error| ConfineError::Path {
        path: path.to_owned(),
        why: error.to_string(),
    };
    Ok(std::fs::metadata(path).map_err(no)?.is_dir())
}

fn describe(status: &RestrictionStatus) -> String {
    let version = match status.landlock {
        LandlockStatus::NotEnabled => return "none: landlock is not enabled".to_owned(),
        LandlockStatus::NotImplemented => return "none: kernel without landlock".to_owned(),
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            kernel_abi.unwrap_or(effective_abi as i32)
        }
    };
    match status.ruleset {
        RulesetStatus::FullyEnforced => format!("abi {version}"),
        RulesetStatus::PartiallyEnforced => format!("partly: the kernel has abi {version}"),
        RulesetStatus::NotEnforced => format!("none: the kernel has abi {version}"),
    }
}

fn refused(error: impl ToString) -> ConfineError {
    ConfineError::Rules { step: "landlock", why: error.to_string() }
}
