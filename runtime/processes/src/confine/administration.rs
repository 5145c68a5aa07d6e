//! System calls of administration: what a program that serves others has no business with, whoever it runs as.
//!
//! They fail with `EPERM`, as they do for most users, so that a program can go on without. Processes, other programs and
//! other users stay possible: daemons start helpers, and give up being root.

use nix::errno::Errno;
use nix::libc;
use palco_sys::FilterStep;

use super::ConfineError;
use super::seccomp::{ARCHITECTURE, FOREIGN, number, refused};
use super::tree::{Answer, program};

/// Mounts and roots; modules and kernels; tracing and other processes' memory; clocks; swap, quota and accounting; keys; ways
/// around the permissions of files; what the whole machine is called.
const DENIED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[i64] =
    &[libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_kexec_file_load, libc::SYS_modify_ldt];
#[cfg(target_arch = "aarch64")]
const DENIED_HERE: &[i64] = &[libc::SYS_kexec_file_load];

/// Every kind of namespace that `clone` can make.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;
/// Of `unshare` alone; to `clone` this bit is part of a signal's number.
const CLONE_NEWTIME: u32 = 0x80;

/// The filter that denies them. It ends a program of another architecture or calling convention with `SIGSYS`, since its
/// calls have other numbers.
pub(super) fn filter() -> Result<Vec<FilterStep>, ConfineError> {
    let denied = Errno::EPERM as u16;
    let namespaces = NAMESPACES.unsigned_abs();
    let all = DENIED.iter().chain(DENIED_HERE).map(|call| (*call, Answer::Errno(denied)));
    let by_argument = [
        (libc::SYS_clone, Answer::UnlessAnyBit(namespaces, denied)),
        (libc::SYS_unshare, Answer::UnlessAnyBit(namespaces | CLONE_NEWTIME, denied)),
        // Its flags are in memory, where a filter cannot look: C libraries take this for an old kernel and use `clone`.
        (libc::SYS_clone3, Answer::Errno(Errno::ENOSYS as u16)),
    ];
    let answers = all.chain(by_argument).map(|(call, answer)| Ok((number(call)?, answer)));
    let filter = program(ARCHITECTURE, FOREIGN, answers.collect::<Result<_, ConfineError>>()?);
    let filter = filter.ok_or_else(|| refused("the list of system calls is too long"))?;
    let step = |step: seccompiler::sock_filter| FilterStep {
        code: step.code,
        jump_true: step.jt,
        jump_false: step.jf,
        operand: step.k,
    };
    Ok(filter.into_iter().map(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_listed_twice() {
        let mut calls: Vec<i64> = DENIED.iter().chain(DENIED_HERE).copied().collect();
        calls.extend([libc::SYS_clone, libc::SYS_clone3, libc::SYS_unshare]);
        let listed = calls.len();
        calls.sort_unstable();
        calls.dedup();
        assert_eq!(calls.len(), listed);
        assert!(filter().unwrap().len() > listed);
    }
}
