//! What is left of a system after its end: nothing.

use palco_threads::block_on;

use std::thread;

use super::*;
use crate::{Backoff, Place, Restart, Signal, Supervision};

struct Idle;

impl Actor for Idle {}

#[test]
fn a_system_that_was_shut_down_is_freed_with_its_last_handle() {
    let system = System::builder().event_loops(1).build().unwrap();
    let task = system.spawn(SpawnOptions::new(), || Idle).unwrap();
    let thread = system.spawn(SpawnOptions::new().place(Place::Thread), || Idle).unwrap();
    block_on(system.shutdown());
    let inner = Arc::downgrade(&system.inner);
    drop((system, task, thread));
    // The places let go of their actors just after these have ended.
    while inner.strong_count() > 0 {
        thread::yield_now();
    }
}

#[test]
fn the_account_of_an_ended_system_counts_its_root_once() {
    let policy = Supervision::default().with_backoff(Backoff::NONE);
    let system = System::builder().event_loops(1).supervision(policy).build().unwrap();
    let root = system.root().unwrap();
    let options = SpawnOptions::new().restart(Restart::OnFailure);
    let child = system.spawn(options, || Idle).unwrap();
    block_on(async {
        assert!(child.any().started().await);
        child.any().signal(Signal::Kill);
        while child.any().snapshot().restarts == 0 {
            thread::yield_now();
        }
        system.shutdown().await;
    });
    let (ledger, root) = (system.ledger(), root.any().snapshot());
    assert!(root.sent > 0, "the child's report");
    assert_eq!((ledger.sent, ledger.handled), (root.sent, root.handled));
}
