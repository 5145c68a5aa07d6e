//! Confinement ahead of time: what a zygote gives up once, its copies need not give up one by one.
//!
//! Installing a filter takes longer than a fork. So a zygote does all that its copies inherit: no dumps, no new privileges,
//! Landlock, and a filter of system calls. It must be able to fork, which they must not: each of them adds a filter of that
//! one system call. Limits are each copy's own, because they count what one process uses.

use std::sync::OnceLock;

use super::{
    ConfineError, Confinement, Limits, Obtained, check_alone, give_up_privileges, landlock,
    restrict_calls, seccomp,
};

/// What this zygote, or the one that this process is a copy of, has given up.
static AHEAD: OnceLock<Ahead> = OnceLock::new();

#[derive(Debug)]
struct Ahead {
    wanted: Confinement,
    obtained: Obtained,
    limits: Limits,
}

/// Confines a zygote, for good, and all its copies as far as they inherit it.
pub(crate) fn confine_ahead(wanted: Confinement) -> Result<(), ConfineError> {
    check_alone()?;
    // They may allocate, which a copy then need not do.
    let mut limits = Limits::of(&wanted)?;
    let privileges = give_up_privileges(&wanted)?;
    let landlock = landlock::restrict(&wanted)?;
    let seccomp = restrict_calls(&wanted, seccomp::restrict_but_forks)?;
    let phrases = std::mem::take(&mut limits.phrases);
    let obtained = Obtained { limits: phrases, landlock, seccomp, ..privileges };
    AHEAD.get_or_init(|| Ahead { wanted, obtained, limits });
    Ok(())
}

/// In a copy of a zygote that was confined exactly as wanted: what is left to do. None in any other process.
pub(super) fn complete(wanted: &Confinement) -> Option<Result<Obtained, ConfineError>> {
    let ahead = AHEAD.get().filter(|ahead| ahead.wanted == *wanted)?;
    let rest = ahead
        .limits
        .set()
        .and_then(|()| restrict_calls(wanted, seccomp::restrict_forks))
        .map(|_seccomp| ahead.obtained.clone());
    Some(rest)
}
