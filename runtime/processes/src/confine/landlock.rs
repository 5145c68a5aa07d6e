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

/// Restricts the process; says what was obtained, and nothing if nothing was wanted.
pub(super) fn restrict(wanted: &Confinement) -> Result<String, ConfineError> {
    if wanted.file_access == FileAccess::Free && wanted.network == Network::Free {
        return Ok(String::new());
    }
    let mut rules = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
    if wanted.file_access != FileAccess::Free {
        rules = rules.handle_access(AccessFs::from_all(WANTED)).map_err(refused)?;
    }
    if wanted.network == Network::NoConnect {
        rules = rules.handle_access(AccessNet::from_all(WANTED)).map_err(refused)?;
    }
    let mut rules = rules.create().map_err(refused)?;
    if let FileAccess::Only { read, write } = &wanted.file_access {
        rules = allow(rules, read, AccessFs::from_read(WANTED))?;
        rules = allow(rules, write, AccessFs::from_all(WANTED))?;
    }
    Ok(describe(&rules.restrict_self().map_err(refused)?))
}

/// Allows what is below these paths.
fn allow(
    mut rules: RulesetCreated,
    paths: &[PathBuf],
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, ConfineError> {
    for path in paths {
        let no = |why: String| ConfineError::Path { path: path.clone(), why };
        let opened = PathFd::new(path).map_err(|error| no(error.to_string()))?;
        let access =
            if is_directory(path)? { access } else { access & AccessFs::from_file(WANTED) };
        rules = rules
            .add_rule(PathBeneath::new(opened, access))
            .map_err(|error| no(error.to_string()))?;
    }
    Ok(rules)
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
