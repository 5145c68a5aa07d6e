//! Processes: start them fast and exactly, confine them, watch them, pass them descriptors.
//!
//! | file | what |
//! |---|---|
//! | `launch.rs` | [`Launch`]: what to start, and in which state |
//! | `spawner.rs` | [`Spawner`]: the one thread that starts every child |
//! | `child.rs` | [`Child`], [`Exit`]: watched, signalled and reaped by pidfd |
//! | `birth.rs` | [`enter`], [`bear`]: a child of the same program gets one message with its descriptors |
//! | `zygote.rs` | [`Zygote`]: a small process that forks children at the same price however large this one is |
//! | `confine.rs` | [`confine`]: what a child gives up before it begins: limits, files, network, system calls |
//! | `confine/enclosure.rs` | [`Enclosure`], [`Fence`]: what a program of others gives up before it begins |
//! | `usage.rs` | [`usage`]: what a process uses |
//!
//! What is not done:
//! * Control groups for children that confine themselves ([`confine`]): their memory is bounded by their address space
//!   (`RLIMIT_AS`), their own children are bounded only by being forbidden. Programs of others may get control groups
//!   ([`Enclosure`]), where the system has some to give. [`kernel_oom_kills`] tells that the kernel has killed for memory,
//!   not whom.
//! * Namespaces but that of mounts for a private `/tmp`, and thereby other roots, process ids or networks.
//! * Control groups and controllers are not mounted, and of version 2 nothing is moved to make room for them.
//! * A zygote that is killed between forking a child and saying so leaves a child that nobody watches; it ends with the
//!   sockets it was given, or with its parent.
//! * While a process ignores `SIGCHLD` the kernel reaps its children itself, and [`Child`] cannot say how they ended.

#![forbid(unsafe_code)]

mod birth;
mod child;
mod confine;
mod error;
mod launch;
mod oneshot;
mod spawner;
mod usage;
mod zygote;

pub use birth::{BIRTH_FD, Birth, BirthError, PAYLOAD_MAX, Role, bear, enter};
pub use child::{Child, Exit};
pub use confine::{
    ConfineError, Confinement, Enclosed, Enclosure, Fence, FileAccess, Network, Obtained, Syscalls,
    confine, denied_syscall_name,
};
pub use error::LaunchError;
pub use launch::{Launch, Policy, User};
pub use nix::sys::resource::Resource;
pub use nix::sys::signal::Signal;
pub use palco_sys::{PASSED_MAX, receive_with, send_with};
pub use spawner::Spawner;
pub use usage::{Usage, kernel_oom_kills, usage};
pub use zygote::Zygote;
