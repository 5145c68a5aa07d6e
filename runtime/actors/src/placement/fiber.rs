//! Placement `fiber`: a user-level thread on one of a few kernel threads, the LWPs.
//!
//! The same life as everywhere, polled by its LWP. At rest it holds no stack. What a handler calls may also wait in the
//! manner of a fiber, in code that is not async (`palco_fibers::{sleep, blocking, park, …}`): then the life keeps its
//! stack until it goes on, and its LWP runs others meanwhile. A life that has begun stays on its LWP; one that has not
//! goes to whichever has time first; an actor that is [`Send`] may rove: it does so between any two of its turns
//! (`roving.rs`).

pub(crate) mod roving;

use std::future::Future;
use std::io;
use std::sync::Arc;

use palco_fibers::{Carry, Pool, Stall, StallState};
use palco_threads::STACK_BYTES_DEFAULT;

use crate::observation::{put_current, take_current};
use crate::vitals::Cell;
use crate::{Actor, SpawnError, System};

/// Which handler is current on a thread belongs to the handler, not to the thread.
const CARRY: Carry = Carry { take: take_current, put: put_current };

/// Starts `lwps` LWPs.
pub(crate) fn pool(lwps: usize) -> Result<Pool, SpawnError> {
    // Only what waits in the middle of a handler holds a stack, so it may be as large as a thread's.
    let pool = Pool::builder().name("palco-lwp").lwps(lwps).stack_bytes(STACK_BYTES_DEFAULT);
    let pool = pool.on_stall(tell).carry(CARRY).build();
    pool.map_err(|error| SpawnError::Place(io::Error::other(error)))
}

/// Says who holds up an LWP, and with what.
fn tell(stall: &Stall) {
    let what = match stall.state {
        StallState::Blocked { system_call: Some(call) } => match call.name {
            Some(name) => format!("blocked in {name}"),
            None => format!("blocked in system call {}", call.number),
        },
        StallState::Blocked { system_call: None } => "blocked".to_owned(),
        StallState::Computing => "computes".to_owned(),
    };
    if stall.held == 0 {
        return; // it holds up nobody
    }
    tracing::warn!(
        actor = %stall.running,
        lwp = stall.lwp,
        held = stall.held,
        "{what}: others of its LWP wait; `Context::block` gives a blocking call away, a checkpoint lets others run"
    );
}

/// Starts a life, on this LWP or on whichever has time first.
pub(crate) fn start<A: Actor, F: Future<Output = ()> + 'static>(
    system: &System,
    cell: &Arc<Cell<A>>,
    on: Option<usize>,
    life: impl FnOnce() -> F + Send + 'static,
) -> Result<(), SpawnError> {
    let available = system.lwps();
    if let Some(asked) = on.filter(|index| *index >= available) {
        return Err(SpawnError::NoSuchLwp { asked, available });
    }
    run(system, cell.vitals.path().into(), on, life)
}

fn run<F: Future<Output = ()> + 'static>(
    system: &System,
    name: Arc<str>,
    on: Option<usize>,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<(), SpawnError> {
    system.fibers()?.run(name, on, work).map_err(|error| SpawnError::Place(io::Error::other(error)))
}
