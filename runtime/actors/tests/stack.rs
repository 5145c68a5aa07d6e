//! An actor's thread has the stack that was asked for.

use std::hint::black_box;
use std::time::Duration;

use palco_actors::{Actor, Context, Handler, Message, Place, SpawnOptions, System};
use palco_threads::block_on;

/// More than a thread has by default.
const NEEDED_BYTES: usize = 8 << 20;

struct Deep;

impl Actor for Deep {}

struct Fill;

impl Message for Fill {
    type Reply = usize;
}

impl Handler<Fill> for Deep {
    async fn handle(&mut self, _: Fill, _: &mut Context<Self>) -> usize {
        fill()
    }
}

#[inline(never)]
fn fill() -> usize {
    let bytes = black_box([1_u8; NEEDED_BYTES]);
    black_box(&bytes).iter().map(|byte| usize::from(*byte)).sum()
}

#[test]
fn a_thread_gets_the_stack_that_was_asked_for() {
    let system = System::new().unwrap();
    let options = SpawnOptions::new().place(Place::Thread).stack_bytes(4 * NEEDED_BYTES);
    let deep = system.spawn(options, || Deep).unwrap();
    let sum = block_on(deep.ask(Fill, Duration::from_secs(30)));
    assert!(matches!(sum, Ok(NEEDED_BYTES)));
    block_on(system.shutdown());
}
