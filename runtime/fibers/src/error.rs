//! Why a pool cannot be made, or work cannot be taken.

use std::io;

use thiserror::Error;

/// A pool could not be made.
#[derive(Debug, Error)]
pub enum BuildError {
    /// A pool runs on at least one LWP.
    #[error("a pool of 0 LWPs runs nothing: give it at least 1")]
    NoLwps,
    /// The kernel gave no descriptor for the poller of an LWP.
    #[error(
        "no poller for LWP {lwp}: raise the limit of open files (ulimit -n), an LWP takes 3 descriptors"
    )]
    Poller {
        /// Which one.
        lwp: usize,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The kernel gave no thread.
    #[error(
        "no thread `{name}`: raise the limit of threads (ulimit -u, cgroup pids.max) or ask for fewer LWPs"
    )]
    Thread {
        /// The name it would have had.
        name: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// Work was not taken; what it had captured is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpawnError {
    /// [`Pool::stop`](crate::Pool::stop) was called.
    #[error("the pool was stopped and takes no more work")]
    Stopped,
    /// There is no such LWP.
    #[error("there is no LWP {lwp}: the pool has {lwps}, counted from 0")]
    NoSuchLwp {
        /// Which was asked for.
        lwp: usize,
        /// How many there are.
        lwps: usize,
    },
    /// Every stack is held by work that is suspended.
    #[error(transparent)]
    Stacks(#[from] StackShortage),
}

/// No stack is left.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no stack for another fiber: {in_use} are in use, {limit}")]
pub struct StackShortage {
    /// Stacks that runners have.
    pub in_use: usize,
    /// What stands against one more.
    pub limit: Limit,
}

/// What limits the number of stacks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Limit {
    /// The pool's own bound, or what the kernel's table of mappings has room for if that is less.
    #[error(
        "which is the bound (the lesser of `stacks_max` and half of the sysctl vm.max_map_count): raise it, or \
         suspend fewer at a time: futures at rest need no stack"
    )]
    Bound {
        /// The bound.
        max: usize,
    },
    /// The kernel refused a mapping.
    #[error(
        "and the kernel refuses a mapping ({error}): each guarded stack takes 2 of the {max} that \
         vm.max_map_count allows; raise it (sysctl -w vm.max_map_count={}) or suspend fewer at a time",
        max.saturating_mul(4)
    )]
    Kernel {
        /// What it said.
        error: String,
        /// `vm.max_map_count`.
        max: usize,
    },
}
