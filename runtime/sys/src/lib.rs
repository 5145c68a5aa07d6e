//! The unsafe corner: kernel mechanisms that std offers no safe way to, each behind a safe function.
//!
//! | file | mechanism |
//! |---|---|
//! | `allocator.rs` | [`NotingAllocator`]: tell a lack of memory from any other abort |
//! | `alarm.rs` | [`Alarm`]: end the calling thread's own waits after a while, at no cost a wait |
//! | `cached.rs` | [`read_cached`]: read what a file has in memory |
//! | `cycles.rs` | [`cycles`], [`cycle_clock`]: the processor's own clock, where it is one |
//! | `established.rs` | [`established_for`]: how long a connection has waited to be accepted |
//! | `fatal.rs` | [`on_fatal_signal`]: say in shared memory why a signal ends this process |
//! | `fork.rs` | [`fork_child`], [`fork_brother`]: copy a process of one thread, for itself or for its parent |
//! | `futex.rs` | [`futex_wait`], [`futex_wake`]: sleep until a word changes |
//! | `inherited.rs` | [`take_inherited_socket`], [`take_listening`]: own descriptors that the process was started with |
//! | `interrupt.rs` | [`Interrupter`]: end a blocking system call of another thread with `EINTR` |
//! | `listen_queue.rs` | [`listen_queue`]: who waits at a listening socket, and how many may |
//! | `ring.rs` | [`RingEnd`]: frames between a parent and a child through shared memory |
//! | `masked.rs` | all signals of a thread blocked for a while |
//! | `passing.rs` | [`send_with`], [`receive_with`]: messages with descriptors |
//! | `pidfd.rs` | [`open_pidfd`], [`signal_pidfd`], [`reap_pidfd`], [`wait_pidfd`]: processes by descriptor; [`borrow_descriptor`]: theirs |
//! | `private_area.rs` | [`PrivateArea`]: memory on pages of a size that is known |
//! | `processor.rs` | [`current_processor`]: where the calling thread runs |
//! | `real_time_guard.rs` | [`RealTimeGuard`]: a real-time thread that does not let go becomes a usual one |
//! | `scheduling.rs` | [`become_fifo`], [`set_nice`], [`scheduling_of`]: real time and nice values of threads |
//! | `shared_area.rs` | [`SharedArea`]: memory that stays one across a fork |
//! | `shared_words.rs` | [`SharedWords`]: atomics in memory that two processes share |
//! | `signals.rs` | [`AwaitedSignal`], [`signal_thread`]: a signal sent to one thread, which waits for it |
//! | `spawn.rs` | [`start`]: run a program without copying the parent |
//! | `switch_counter.rs` | [`SwitchCounter`]: all context switches of a processor |
//! | `sysv.rs` | [`SysvSemaphores`], [`SysvQueue`]: semaphores and messages of System V |
//! | `text.rs` | [`move_text_to_huge_pages`]: make forks of this process cheap |
//! | `urgent_data.rs` | [`is_at_mark`], [`unsent_bytes`]: what TCP tells about urgent data |
//!
//! Every `unsafe` block of the workspace is here, each with a `SAFETY` note and a test. One file per mechanism.

#![allow(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod address_form;
mod alarm;
mod allocator;
mod cached;
mod cycles;
mod established;
mod fatal;
mod fork;
mod futex;
mod inherited;
mod interrupt;
mod listen_queue;
mod masked;
mod passing;
mod pidfd;
mod private_area;
mod processor;
mod real_time_guard;
mod ring;
mod scheduling;
mod shared_area;
mod shared_words;
mod signals;
mod spawn;
mod switch_counter;
mod sysv;
mod text;
mod urgent_data;

pub use address_form::show_as_ipv4;
pub use alarm::Alarm;
pub use allocator::{NotingAllocator, out_of_memory};
pub use cached::read_cached;
pub use cycles::{CycleClock, NoCycleClock, cycle_clock, cycles};
pub use established::established_for;
pub use fatal::{FATAL_OUT_OF_MEMORY, FATAL_SYSTEM_CALL, on_fatal_signal, reset_memory_faults};
pub use fork::{Forked, exit_at_once, fork_brother, fork_child, is_single_threaded};
pub use futex::{FutexScope, Woken, futex_wait, futex_wake};
pub use inherited::{take_inherited_socket, take_listening};
pub use interrupt::{Interrupter, Registration, interrupt_signal};
pub use listen_queue::{ListenQueue, listen_queue};
pub use passing::{PASSED_MAX, receive_into, receive_with, send_some, send_with};
pub use pidfd::{End, borrow_descriptor, open_pidfd, reap_pidfd, signal_pidfd, wait_pidfd};
pub use private_area::PrivateArea;
pub use processor::current_processor;
pub use real_time_guard::{Demotion, RealTimeGuard};
pub use ring::{RingEnd, RingError, spin_budget};
pub use scheduling::{
    Scheduling, become_fifo, become_usual, may_set_nice, nice_of, scheduling_of, set_nice,
    thread_id,
};
pub use shared_area::SharedArea;
pub use shared_words::SharedWords;
pub use signals::{AwaitedSignal, signal_thread};
pub use spawn::{
    FilterStep, FreshDirectories, Ids, Restrictions, Start, StartFailure, Started, Step,
    landlock_abi, start,
};
pub use switch_counter::SwitchCounter;
pub use sysv::{SysvQueue, SysvSemaphores};
pub use text::move_text_to_huge_pages;
pub use urgent_data::{is_at_mark, unsent_bytes};
