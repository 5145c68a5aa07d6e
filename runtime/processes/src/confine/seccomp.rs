//! System calls by seccomp: what no service needs, and what would let it out.
//!
//! Everything that is not on a list is allowed: a list of what is allowed would break with every C library. The kernel
//! remembers which calls a filter always allows, so it costs them next to nothing.

use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc;
use seccompiler::{BpfProgram, apply_filter};

use super::ConfineError;
use super::tree::{Answer, addition, program};

/// `EPERM`: a new process, or another program. `fork` and `vfork` are added where they exist.
const PROCESSES: &[(i64, &str)] = &[(libc::SYS_execve, "execve"), (libc::SYS_execveat, "execveat")];

/// System calls by name.
macro_rules! calls {
    ($($call:ident $name:literal),* $(,)?) => { &[$((libc::$call, $name)),*] };
}

/// `SIGSYS`.
const HOSTILE: &[(i64, &str)] = calls![
    SYS_acct "acct", SYS_add_key "add_key", SYS_adjtimex "adjtimex", SYS_bpf "bpf", SYS_capset "capset",
    SYS_chroot "chroot", SYS_clock_adjtime "clock_adjtime", SYS_clock_settime "clock_settime",
    SYS_delete_module "delete_module", SYS_fanotify_init "fanotify_init", SYS_finit_module "finit_module",
    SYS_fsconfig "fsconfig", SYS_fsmount "fsmount", SYS_fsopen "fsopen", SYS_fspick "fspick",
    SYS_init_module "init_module", SYS_io_uring_enter "io_uring_enter",
    SYS_io_uring_register "io_uring_register", SYS_io_uring_setup "io_uring_setup", SYS_kcmp "kcmp",
    SYS_kexec_load "kexec_load", SYS_keyctl "keyctl", SYS_migrate_pages "migrate_pages",
    SYS_mount "mount", SYS_mount_setattr "mount_setattr", SYS_move_mount "move_mount",
    SYS_move_pages "move_pages", SYS_open_by_handle_at "open_by_handle_at", SYS_open_tree "open_tree",
    SYS_perf_event_open "perf_event_open", SYS_personality "personality", SYS_pidfd_getfd "pidfd_getfd",
    SYS_pivot_root "pivot_root", SYS_process_madvise "process_madvise",
    SYS_process_vm_readv "process_vm_readv", SYS_process_vm_writev "process_vm_writev",
    SYS_ptrace "ptrace", SYS_quotactl "quotactl", SYS_reboot "reboot", SYS_request_key "request_key",
    SYS_setdomainname "setdomainname", SYS_setfsgid "setfsgid", SYS_setfsuid "setfsuid",
    SYS_setgid "setgid", SYS_setgroups "setgroups", SYS_sethostname "sethostname", SYS_setns "setns",
    SYS_setregid "setregid", SYS_setresgid "setresgid", SYS_setresuid "setresuid",
    SYS_setreuid "setreuid", SYS_settimeofday "settimeofday", SYS_setuid "setuid",
    SYS_swapoff "swapoff", SYS_swapon "swapon", SYS_syslog "syslog", SYS_umount2 "umount2",
    SYS_userfaultfd "userfaultfd", SYS_vhangup "vhangup",
];

/// `SIGSYS`, but for `CLONE_THREAD`: that is how to ask whether there are other threads, and changes nothing.
const UNSHARE: &[(i64, &str)] = calls![SYS_unshare "unshare"];

#[cfg(target_arch = "x86_64")]
const HOSTILE_HERE: &[(i64, &str)] = calls![
    SYS_ioperm "ioperm", SYS_iopl "iopl", SYS_kexec_file_load "kexec_file_load",
    SYS_modify_ldt "modify_ldt",
];
#[cfg(target_arch = "x86_64")]
const PROCESSES_HERE: &[(i64, &str)] = calls![SYS_fork "fork", SYS_vfork "vfork"];
/// The same calls again, with pointers of 32 bits (x32): nobody makes them.
#[cfg(target_arch = "x86_64")]
pub(super) const FOREIGN: Option<u32> = Some(0x4000_0000);
/// `AUDIT_ARCH_X86_64`.
#[cfg(target_arch = "x86_64")]
pub(super) const ARCHITECTURE: u32 = 0xc000_003e;

#[cfg(target_arch = "aarch64")]
const HOSTILE_HERE: &[(i64, &str)] = &[];
#[cfg(target_arch = "aarch64")]
const PROCESSES_HERE: &[(i64, &str)] = &[];
#[cfg(target_arch = "aarch64")]
pub(super) const FOREIGN: Option<u32> = None;
/// `AUDIT_ARCH_AARCH64`.
#[cfg(target_arch = "aarch64")]
pub(super) const ARCHITECTURE: u32 = 0xc000_00b7;

/// The name of a system call that ends a confined child, as `ptrace`; `None` for any other.
#[must_use]
pub fn denied_syscall_name(number: u32) -> Option<&'static str> {
    let number = i64::from(number);
    let plain = FOREIGN.map_or(number, |bit| number & !i64::from(bit));
    let mut all = HOSTILE.iter().chain(HOSTILE_HERE).chain(UNSHARE);
    all.find(|(call, _)| *call == plain).map(|(_, name)| *name)
}

/// Restricts the process, which has one thread and no new privileges.
pub(super) fn restrict() -> Result<(), ConfineError> {
    let mut answers = common()?;
    answers.push(processes()?);
    apply(answers)
}

/// The same for a zygote, which may fork.
pub(super) fn restrict_but_forks() -> Result<(), ConfineError> {
    // Prepared for its copies, which need not make it.
    FORKS.get_or_init(|| addition(&[processes().ok()?]));
    apply(common()?)
}

static FORKS: OnceLock<Option<BpfProgram>> = OnceLock::new();

/// In a copy of a zygote: what it was still allowed.
pub(super) fn restrict_forks() -> Result<(), ConfineError> {
    let filter = FORKS.get().and_then(Option::as_ref);
    apply_filter(filter.ok_or_else(|| refused("no filter was prepared"))?).map_err(refused)
}

fn apply(answers: Vec<(u32, Answer)>) -> Result<(), ConfineError> {
    let filter = program(ARCHITECTURE, FOREIGN, answers);
    let filter = filter.ok_or_else(|| refused("the list of system calls is too long"))?;
    apply_filter(&filter).map_err(refused)
}

/// All answers but that to `clone`.
fn common() -> Result<Vec<(u32, Answer)>, ConfineError> {
    let denied = Answer::Errno(Errno::EPERM as u16);
    let alone = Answer::TrapUnless(libc::CLONE_THREAD.unsigned_abs());
    let lists: [(&[(i64, &str)], Answer); 6] = [
        (PROCESSES, denied),
        (PROCESSES_HERE, denied),
        (HOSTILE, Answer::Trap),
        (HOSTILE_HERE, Answer::Trap),
        (UNSHARE, alone),
        // glibc takes this for an old kernel, and makes its threads with `clone`, whose flags can be looked at.
        (&[(libc::SYS_clone3, "clone3")], Answer::Errno(Errno::ENOSYS as u16)),
    ];
    let all =
        lists.into_iter().flat_map(|(calls, answer)| calls.iter().map(move |call| (call, answer)));
    all.map(|((call, _), answer)| Ok((number(*call)?, answer))).collect()
}

/// The answer to `clone`: a thread is allowed, a process is not.
fn processes() -> Result<(u32, Answer), ConfineError> {
    let thread = Answer::IfAnyBit(libc::CLONE_THREAD.unsigned_abs(), Errno::EPERM as u16);
    Ok((number(libc::SYS_clone)?, thread))
}

pub(super) fn number(call: i64) -> Result<u32, ConfineError> {
    u32::try_from(call).map_err(refused)
}

pub(super) fn refused(error: impl ToString) -> ConfineError {
    ConfineError::Rules { step: "seccomp", why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_calls_have_names() {
        let number = u32::try_from(libc::SYS_ptrace).unwrap();
        assert_eq!(denied_syscall_name(number), Some("ptrace"));
        assert_eq!(denied_syscall_name(u32::try_from(libc::SYS_read).unwrap()), None);
    }

    #[test]
    fn no_call_is_listed_twice() {
        let hostile = HOSTILE.iter().chain(HOSTILE_HERE).chain(UNSHARE);
        let all: Vec<i64> = hostile.map(|(call, _)| *call).collect();
        let processes = PROCESSES.iter().chain(PROCESSES_HERE).map(|(call, _)| *call);
        let mut unique: Vec<i64> = all.iter().copied().chain(processes).collect();
        let listed = unique.len();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), listed);
    }
}
