//! Placement `thread`: a kernel thread of its own, which may have been another actor's before.
//!
//! The same life as everywhere, driven by `block_on`. A handler may block; signals reach it at await points, at
//! checkpoints, and in blocking calls made through [`Context::blocking_call`](crate::Context::blocking_call).

use std::future::Future;
use std::sync::Arc;

use palco_sys::Registration;
use palco_threads::{block_on, run_recycled};

use crate::vitals::Cell;
use crate::{Actor, SpawnError};

pub(crate) fn start<A: Actor, F: Future<Output = ()>>(
    cell: Arc<Cell<A>>,
    stack_bytes: usize,
    life: impl FnOnce() -> F + Send + 'static,
) -> Result<(), SpawnError> {
    let name = cell.vitals.path();
    let body = move || {
        let registration = Registration::current_thread();
        match &registration {
            Ok(registration) => cell.vitals.signals.set_thread(Some(registration.interrupter())),
            Err(error) => tracing::warn!(%error, "blocking calls cannot be interrupted"),
        }
        drop(cell);
        block_on(life());
    };
    run_recycled(&name, stack_bytes, body).map_err(SpawnError::Place)
}
