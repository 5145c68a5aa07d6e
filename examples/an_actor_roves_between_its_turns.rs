//! An actor that roves goes on wherever there is time: while one LWP is kept busy, its turns are taken on the other. The
//! kernel's threads on which it finds itself are the proof, and its count, which it takes along.
//!
//! `cargo run --example an_actor_roves_between_its_turns`
//!
//! Between two turns an actor is its state and its mailbox, no stack and no future. If that is `Send`, it may move; a
//! fiber that has begun never does.

#![forbid(unsafe_code)]

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use anyhow::Result;
use palco_actors::{Actor, Context, Handler, Message, Place, SpawnOptions, System};
use palco_threads::block_on;

const PATIENCE: Duration = Duration::from_secs(30);
const TURNS: u64 = 10;

/// Counts its turns, and says on which thread each is.
struct Rover(u64);

impl Actor for Rover {}

struct Where;

impl Message for Where {
    type Reply = (u64, ThreadId);
}

impl Handler<Where> for Rover {
    async fn handle(&mut self, _: Where, _: &mut Context<Self>) -> (u64, ThreadId) {
        self.0 += 1;
        (self.0, thread::current().id())
    }
}

/// Stays on one LWP and computes there, which a well-behaved actor does not do for long without a checkpoint.
struct Hog;

impl Actor for Hog {}

struct KeepBusy {
    begun: mpsc::Sender<ThreadId>,
    is_enough: Arc<AtomicBool>,
}

impl Message for KeepBusy {
    type Reply = ();
}

impl Handler<KeepBusy> for Hog {
    async fn handle(&mut self, message: KeepBusy, _: &mut Context<Self>) {
        // Nobody listens any more: then nobody needs it to be busy either.
        let Ok(()) = message.begun.send(thread::current().id()) else { return };
        while !message.is_enough.load(Ordering::SeqCst) {
            spin_loop();
        }
    }
}

fn main() -> Result<()> {
    let system = System::builder().lwps(2).build()?;
    let rover = system.spawn_roving(SpawnOptions::new(), || Rover(0))?;
    let (first, _) = block_on(rover.ask(Where, PATIENCE))?; // its life has begun before anybody is busy
    assert_eq!(first, 1);
    let (mut busy, mut roved) = (Vec::new(), Vec::new());
    for lwp in [0, 1] {
        let hog = system.spawn(SpawnOptions::new().place(Place::Lwp(lwp)), || Hog)?;
        let (begun, has_begun) = mpsc::channel();
        let is_enough = Arc::new(AtomicBool::new(false));
        let message = KeepBusy { begun, is_enough: Arc::clone(&is_enough) };
        block_on(hog.tell(message))?;
        busy.push(has_begun.recv()?); // from here on this LWP has no time
        for _ in 0..TURNS {
            roved.push(block_on(rover.ask(Where, PATIENCE))?);
        }
        is_enough.store(true, Ordering::SeqCst);
        eprintln!("LWP {lwp}, {:?}, was busy: the rover was elsewhere", busy[lwp]);
    }
    let turns = TURNS as usize;
    assert!(roved[..turns].iter().all(|(_, thread)| *thread == busy[1]), "LWP 0 was busy");
    assert!(roved[turns..].iter().all(|(_, thread)| *thread == busy[0]), "LWP 1 was busy");
    let counts = roved.iter().map(|(count, _)| *count);
    assert!(counts.eq(2..=1 + 2 * TURNS), "one actor, which takes its state along");
    block_on(system.shutdown());
    Ok(())
}
