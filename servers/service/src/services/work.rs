//! Work: a handler that computes, sleeps, blocks, panics or crashes on demand, so that server models differ.
//!
//! One line in (LF or CRLF, at most [`LINE_BYTES_MAX`]), one line out:
//!
//! | line | what the handler does | what it shows |
//! |---|---|---|
//! | `cpu <us>` | computes, with a checkpoint about every 100 µs | cooperative sharing, interrupts |
//! | `hog <us>` | computes, with one checkpoint before and none within | what cooperation cannot help |
//! | `sleep <ms>` | waits in the place's own way | many waiting connections |
//! | `block <ms>` | puts its thread to sleep, wrongly, after one checkpoint | an event loop that stands still |
//! | `offload <ms>` | the same through [`CallContext::block`] | the cure |
//! | `alloc <KiB>` | allocates and touches memory, then frees it | page faults, memory limits |
//! | `leak <KiB>` | the same, and never frees it | what only a new process cures |
//! | `count <lines>` | sends that many numbered lines before its answer, in parts with a checkpoint each | an answer that can be held |
//! | `panic <text>` | panics | crash isolation |
//! | `crash <how>` | ends its process: `segv`, `abort`, `exit <status>` or `memory` | what only a process of its own isolates |
//! | `ticket` | says the ticket of the next request, see below | the urgent port |
//! | `help` | lists the verbs | |
//!
//! The answer is `ok <line> took <us> us`, measured with [`CallContext::elapsed`], or `error: …`; an error keeps the
//! connection. Durations end at [`DURATION_MAX`], allocations at [`ALLOC_KIB_MAX`], and so do all leaks of one instance
//! together, counts at [`COUNT_LINES_MAX`].
//!
//! `crash` is refused where the process serves others as well: there it would end the whole server.
//!
//! `ticket` answers `ok ticket work/17.2:key@address`: what gives its client power, at the urgent port, over the next
//! request of this connection. Requests of a connection are numbered from 1, and every line is one, also an empty or a
//! wrong one; so a client that counts its lines needs to ask only once, and writes the number itself. Without an urgent
//! port the answer is an error.
//!
//! `cpu 1000` is a fixed amount of computation, the amount that takes 1000 µs where nothing else runs: the first call
//! calibrates it as the fastest of some batches. Computing until a clock says so would do less work on a busy machine
//! and make every model look equally fast.

mod line;

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use palco_core::Ticket;

pub use line::{LINE_BYTES_MAX, WorkCodec};

use super::arguments;
use super::burn::{Burner, Checkpoints};
pub use super::count::{COUNT_LINES_MAX, Count};
use super::{count, ticket};
use crate::{CallContext, CannotRelaunch, Crash, Peer, Relaunch, Service};

/// The longest `cpu`, `hog`, `sleep`, `block` or `offload`: 60 s.
pub const DURATION_MAX: Duration = arguments::DURATION_MAX;
/// The largest `alloc`, and the most that one instance leaks: 1 GiB, in KiB.
pub const ALLOC_KIB_MAX: u64 = 1024 * 1024;

/// Memory is touched in steps of this size, with a checkpoint after each: about 100 µs of page faults.
const TOUCH_STEP_BYTES: usize = 256 * 1024;

/// One line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkRequest {
    /// Compute for this many µs, with checkpoints.
    Cpu(u64),
    /// Compute for this many µs, without checkpoints.
    Hog(u64),
    /// Wait for this many ms in the place's own way.
    Sleep(u64),
    /// Block the thread for this many ms.
    Block(u64),
    /// Block for this many ms where it harms nobody else.
    Offload(u64),
    /// Allocate, touch and free this many KiB.
    Alloc(u64),
    /// Allocate and touch this many KiB, and never free them.
    Leak(u64),
    /// Send this many numbered lines.
    Count(u64),
    /// Panic with this text.
    Panic(String),
    /// End the process.
    Crash(Crash),
    /// Say the ticket of the next request.
    Ticket,
    /// List the verbs.
    Help,
    /// The line is no request; the text says why.
    Invalid(String),
}

/// What was done, or why nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkResponse {
    /// The work is done.
    Done {
        /// The request as text, with its unit.
        what: String,
        /// How long it took.
        took: Duration,
    },
    /// Numbered lines, and after the last of them that the work is done.
    Counting {
        /// The lines.
        count: Count,
        /// When the first part was begun.
        start: Duration,
        /// How long it took; of the last part only.
        took: Option<Duration>,
    },
    /// What gives power over the next request.
    Ticket(Ticket),
    /// A line about the protocol.
    Help(&'static str),
    /// Nothing was done; the text says why.
    Refused(String),
}

/// Does what it is told. Has no state but the calibration of its computation, and how much it has leaked.
#[derive(Debug, Default)]
pub struct WorkService {
    burner: Burner,
    leaked_kib: AtomicU64,
}

impl Relaunch for WorkService {
    const NAME: &'static str = "work";
    type Config = ();
    type Codec = WorkCodec;

    fn relaunch((): &()) -> Result<(Self, WorkCodec), CannotRelaunch> {
        Ok((Self::default(), WorkCodec::default()))
    }
}

impl Service for WorkService {
    type Request = WorkRequest;
    type Response = WorkResponse;
    type Session = ();

    fn open(&self, _peer: &Peer) {}

    fn takes_time(&self, request: &WorkRequest) -> bool {
        match request {
            WorkRequest::Cpu(_)
            | WorkRequest::Hog(_)
            | WorkRequest::Sleep(_)
            | WorkRequest::Block(_)
            | WorkRequest::Offload(_)
            | WorkRequest::Alloc(_)
            | WorkRequest::Leak(_)
            | WorkRequest::Count(_) => true,
            WorkRequest::Panic(_)
            | WorkRequest::Crash(_)
            | WorkRequest::Ticket
            | WorkRequest::Help
            | WorkRequest::Invalid(_) => false,
        }
    }

    async fn call(
        &self,
        _session: &mut (),
        request: WorkRequest,
        cx: &CallContext<'_>,
    ) -> WorkResponse {
        if matches!(request, WorkRequest::Cpu(_) | WorkRequest::Hog(_)) {
            self.burner.calibrate(cx);
        }
        if matches!(request, WorkRequest::Hog(_) | WorkRequest::Block(_)) {
            // The last moment at which a signal can act.
            cx.checkpoint().await;
        }
        let start = cx.elapsed();
        let what = match request {
            WorkRequest::Cpu(us) => {
                self.burner.burn(Duration::from_micros(us), Checkpoints::Regular, cx).await;
                format!("cpu {us} us")
            }
            WorkRequest::Hog(us) => {
                self.burner.burn(Duration::from_micros(us), Checkpoints::None, cx).await;
                format!("hog {us} us")
            }
            WorkRequest::Sleep(ms) => {
                cx.sleep(Duration::from_millis(ms)).await;
                format!("sleep {ms} ms")
            }
            WorkRequest::Block(ms) => {
                // Deliberately not through the context: on an event loop this stops everybody.
                thread::sleep(Duration::from_millis(ms));
                format!("block {ms} ms")
            }
            WorkRequest::Offload(ms) => {
                let done = cx.block(move || thread::sleep(Duration::from_millis(ms))).await;
                if done.is_none() {
                    return WorkResponse::Refused("the helper thread failed".into());
                }
                format!("offload {ms} ms")
            }
            WorkRequest::Alloc(kib) => {
                if touched(kib, cx).await.is_none() {
                    return WorkResponse::Refused(format!("{kib} KiB cannot be allocated"));
                }
                format!("alloc {kib} KiB")
            }
            WorkRequest::Leak(kib) => {
                if let Err(why) = self.leak(kib, cx).await {
                    return WorkResponse::Refused(why);
                }
                format!("leak {kib} KiB")
            }
            WorkRequest::Count(lines) => {
                cx.checkpoint().await;
                let count = Count::new(lines, count::PART_LINES);
                let took = count.is_last_part().then(|| cx.elapsed().saturating_sub(start));
                return WorkResponse::Counting { count, start, took };
            }
            WorkRequest::Panic(text) => panic!("asked to panic: {text}"),
            WorkRequest::Crash(how) => {
                cx.crash(how);
                return WorkResponse::Refused(
                    "this process serves others too: it does not crash".into(),
                );
            }
            WorkRequest::Ticket => {
                return match ticket::next(cx) {
                    Ok(ticket) => WorkResponse::Ticket(ticket),
                    Err(why) => WorkResponse::Refused(why.into()),
                };
            }
            WorkRequest::Help => return WorkResponse::Help(line::HELP),
            WorkRequest::Invalid(why) => return WorkResponse::Refused(why),
        };
        WorkResponse::Done { what, took: cx.elapsed().saturating_sub(start) }
    }

    async fn more(&self, response: &mut WorkResponse, cx: &CallContext<'_>) -> bool {
        let WorkResponse::Counting { count, start, took } = response else { return false };
        if count.is_last_part() {
            return false;
        }
        cx.checkpoint().await;
        count.advance();
        *took = count.is_last_part().then(|| cx.elapsed().saturating_sub(*start));
        true
    }
}

impl WorkService {
    /// Never frees `kib` KiB; else why not.
    async fn leak(&self, kib: u64, cx: &CallContext<'_>) -> Result<(), String> {
        let more = |leaked: u64| leaked.checked_add(kib).filter(|sum| *sum <= ALLOC_KIB_MAX);
        let added = self.leaked_kib.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        added.map_err(|leaked| {
            format!("{leaked} KiB are leaked already, and {ALLOC_KIB_MAX} KiB are the most")
        })?;
        let memory = touched(kib, cx).await;
        let memory = memory.ok_or_else(|| format!("{kib} KiB cannot be allocated"))?;
        black_box(memory.leak());
        Ok(())
    }
}

/// Allocates and touches `kib` KiB; nothing if there is no such memory.
async fn touched(kib: u64, cx: &CallContext<'_>) -> Option<Vec<u8>> {
    let bytes = usize::try_from(kib.saturating_mul(1024)).ok()?;
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).ok()?;
    while memory.len() < bytes {
        memory.resize((memory.len() + TOUCH_STEP_BYTES).min(bytes), 1);
        black_box(&memory);
        cx.checkpoint().await;
    }
    Some(memory)
}
