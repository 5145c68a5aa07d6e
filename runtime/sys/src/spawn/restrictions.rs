//! What a child gives up on its way to a program that knows nothing of it: made once by the parent, used by any number of
//! starts, taken into force with a few system calls.

use std::ffi::{CString, c_long, c_ulong};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::child::{Failed, check};
use super::descriptors::Renumbering;
use super::{Start, Step};

/// What a child gives up, in this order. Nothing by default.
#[derive(Debug, Default)]
pub struct Restrictions {
    /// Control groups that it joins: their `cgroup.procs`, open for writing.
    pub groups: Vec<OwnedFd>,
    /// Directories of its own, in a mount namespace of its own. Takes privileges.
    pub directories: Option<FreshDirectories>,
    /// Nothing that it executes gives it privileges.
    pub no_new_privileges: bool,
    /// A filter of system calls; none if empty. Takes privileges or [`Self::no_new_privileges`], and must allow `execve` and
    /// `exit_group`.
    pub filter: Vec<FilterStep>,
}

/// Empty file systems in memory, without set-user-id programs and devices, in the place of directories; gone with the
/// last process that sees them.
#[derive(Debug)]
pub struct FreshDirectories {
    /// Which directories.
    pub paths: Vec<CString>,
    /// As `tmpfs(5)` wants it: `size=…,mode=…`.
    pub options: CString,
    /// What the ruleset of the start shall allow below them, in the bits of `landlock_add_rule(2)`; nothing if 0.
    pub allowed: u64,
}

/// One instruction of a filter, as the kernel has it (`struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct FilterStep {
    /// The operation.
    pub code: u16,
    /// How many steps to skip if the comparison holds.
    pub jump_true: u8,
    /// How many if it does not.
    pub jump_false: u8,
    /// The operand.
    pub operand: u32,
}

/// `struct sock_fprog`.
#[repr(C)]
struct Filter {
    length: u16,
    steps: *const FilterStep,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: RawFd,
}

const LANDLOCK_RULE_PATH_BENEATH: c_long = 1;
const LANDLOCK_CREATE_RULESET_VERSION: c_long = 1;

/// The version of Landlock that the kernel has; `None` without.
#[must_use]
pub fn landlock_abi() -> Option<i32> {
    // SAFETY: asks for a number; there is no structure to read.
    let abi = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            0_usize,
            0_usize,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    i32::try_from(abi).ok().filter(|abi| *abi > 0)
}

/// What the child of `start` needs beside the descriptors of its program: the groups, then the ruleset.
pub(super) fn descriptors(start: &Start) -> impl Iterator<Item = RawFd> {
    let groups = start.restrictions.iter().flat_map(|restrictions| &restrictions.groups);
    groups.chain(start.ruleset.as_deref()).map(AsRawFd::as_raw_fd)
}

impl Restrictions {
    /// In the child: what it and its program use counts for these groups.
    pub(super) fn join_groups(&self, descriptors: &Renumbering) -> Result<(), Failed> {
        for place in 0..self.groups.len() {
            // The kernel takes 0 for whoever writes it.
            // SAFETY: one byte that lives throughout the call.
            check(Step::ControlGroup(place), unsafe {
                libc::syscall(libc::SYS_write, descriptors.aside(place), b"0".as_ptr(), 1_usize)
            })?;
        }
        Ok(())
    }

    /// In the child: puts empty directories in the place of others, for itself and its own children.
    pub(super) fn mount_directories(&self) -> Result<(), Failed> {
        let Some(directories) = &self.directories else { return Ok(()) };
        // SAFETY: plain system call; the child has no file system state in common with the parent.
        check(Step::MountNamespace, unsafe {
            libc::syscall(libc::SYS_unshare, c_long::from(libc::CLONE_NEWNS))
        })?;
        // A copy of a shared mount is shared: without this everybody would see what is mounted here.
        let flags = libc::MS_REC | libc::MS_PRIVATE;
        // SAFETY: C strings that live throughout the call, and nulls where nothing is said.
        check(Step::MountNamespace, unsafe {
            libc::syscall(libc::SYS_mount, c"none".as_ptr(), c"/".as_ptr(), 0_usize, flags, 0_usize)
        })?;
        let flags: c_ulong = libc::MS_NOSUID | libc::MS_NODEV;
        let kind = c"tmpfs".as_ptr();
        for (place, path) in directories.paths.iter().enumerate() {
            let options = directories.options.as_ptr();
            // SAFETY: C strings that live throughout the call.
            check(Step::Mount(place), unsafe {
                libc::syscall(libc::SYS_mount, kind, path.as_ptr(), kind, flags, options)
            })?;
        }
        Ok(())
    }

    /// In the child: allows what is below the directories that it has just made; nobody else could have named them.
    fn allow_directories(&self, ruleset: RawFd) -> Result<(), Failed> {
        let Some(directories) = self.directories.as_ref().filter(|wanted| wanted.allowed != 0)
        else {
            return Ok(());
        };
        for path in &directories.paths {
            let flags = c_long::from(libc::O_PATH | libc::O_CLOEXEC);
            // SAFETY: a C string that lives throughout the call.
            let parent = unsafe {
                libc::syscall(
                    libc::SYS_openat,
                    c_long::from(libc::AT_FDCWD),
                    path.as_ptr(),
                    flags,
                    0_usize,
                )
            };
            check(Step::Landlock, parent)?;
            let rule = PathBeneath { allowed: directories.allowed, parent: parent as RawFd };
            // SAFETY: the structure that this kind of rule has; it lives throughout the call.
            check(Step::Landlock, unsafe {
                libc::syscall(
                    libc::SYS_landlock_add_rule,
                    ruleset,
                    LANDLOCK_RULE_PATH_BENEATH,
                    &raw const rule,
                    0_usize,
                )
            })?;
        }
        Ok(())
    }

    fn restrict_calls(&self) -> Result<(), Failed> {
        if self.filter.is_empty() {
            return Ok(());
        }
        // The kernel refuses a filter that is too long, and one of length 0.
        let length = u16::try_from(self.filter.len()).unwrap_or(0);
        let filter = Filter { length, steps: self.filter.as_ptr() };
        // SAFETY: a filter of the length said; both structures live throughout the call, which copies them.
        check(Step::Seccomp, unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER as c_long,
                0_usize,
                &raw const filter,
            )
        })
    }
}

/// In the child: what takes rights away, last of all.
pub(super) fn restrict(start: &Start, descriptors: &Renumbering) -> Result<(), Failed> {
    let restrictions = start.restrictions.as_deref();
    if restrictions.is_some_and(|wanted| wanted.no_new_privileges) {
        // SAFETY: plain system call.
        check(Step::NoNewPrivileges, unsafe {
            libc::syscall(
                libc::SYS_prctl,
                libc::PR_SET_NO_NEW_PRIVS,
                1_usize,
                0_usize,
                0_usize,
                0_usize,
            )
        })?;
    }
    if start.ruleset.is_some() {
        let ruleset = descriptors.aside(restrictions.map_or(0, |wanted| wanted.groups.len()));
        if let Some(restrictions) = restrictions {
            restrictions.allow_directories(ruleset)?;
        }
        // SAFETY: plain system call on an open descriptor.
        check(Step::Landlock, unsafe {
            libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0_usize)
        })?;
    }
    restrictions.map_or(Ok(()), Restrictions::restrict_calls)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io;
    use std::sync::Arc;

    use super::*;
    use crate::pidfd::{End, wait_pidfd};
    use crate::spawn::{StartFailure, start};

    fn shell(script: &str, restrictions: Restrictions) -> Start {
        let script = CString::new(script).unwrap();
        Start {
            program: c"/bin/sh".to_owned(),
            arguments: vec![c"sh".to_owned(), c"-c".to_owned(), script],
            environment: vec![c"PATH=/usr/bin:/bin".to_owned()],
            restrictions: Some(Arc::new(restrictions)),
            ..Start::default()
        }
    }

    fn end_of(plan: &Start) -> End {
        wait_pidfd(start(plan).unwrap().pidfd).unwrap()
    }

    #[test]
    fn a_program_has_no_new_privileges_if_it_gives_them_up() {
        let script = "grep -q 'NoNewPrivs:.1' /proc/self/status";
        let plan =
            shell(script, Restrictions { no_new_privileges: true, ..Restrictions::default() });
        assert_eq!(end_of(&plan), End::Exited(0));
        assert_eq!(end_of(&shell(script, Restrictions::default())), End::Exited(1));
    }

    #[test]
    fn a_group_is_joined_through_a_descriptor_whose_number_is_wanted_for_another() {
        // What is written to any file shows that the right descriptor was used.
        let file = tempfile::NamedTempFile::new().unwrap();
        let group = OpenOptions::new().write(true).open(file.path()).unwrap();
        let number = group.as_raw_fd();
        let restrictions = Restrictions { groups: vec![group.into()], ..Restrictions::default() };
        let (_reader, writer) = io::pipe().unwrap();
        let descriptors = vec![(number, OwnedFd::from(writer))];
        let plan = Start { descriptors, ..shell("exit 3", restrictions) };
        assert_eq!(end_of(&plan), End::Exited(3));
        assert_eq!(std::fs::read(file.path()).unwrap(), b"0");
    }

    #[test]
    fn a_restriction_that_fails_is_named() {
        let failure = |restrictions| start(&shell("", restrictions)).unwrap_err();
        let closed = OpenOptions::new().read(true).open("/dev/null").unwrap();
        let restrictions = Restrictions { groups: vec![closed.into()], ..Restrictions::default() };
        let expected = StartFailure { step: Step::ControlGroup(0), errno: libc::EBADF };
        assert_eq!(failure(restrictions), expected);
        let nonsense = FilterStep { code: 0xffff, jump_true: 0, jump_false: 0, operand: 0 };
        let filter = vec![nonsense];
        let restrictions =
            Restrictions { filter, no_new_privileges: true, ..Restrictions::default() };
        let expected = StartFailure { step: Step::Seccomp, errno: libc::EINVAL };
        assert_eq!(failure(restrictions), expected);
        let file = OpenOptions::new().read(true).open("/dev/null").unwrap();
        let ruleset = Some(Arc::new(OwnedFd::from(file)));
        let plan = Start { ruleset, ..shell("", Restrictions::default()) };
        assert_eq!(start(&plan).unwrap_err().step, Step::Landlock);
    }
}
