//! A fiber makes a call that blocks its thread, and its sibling on the same LWP goes on: `blocking` has the call made on
//! another thread. Made on the LWP itself (`Policy::Alone`, the user-level threads of the textbook), it holds up everybody
//! there, and the watchdog says who does.
//!
//! `cargo run --example a_blocking_call_on_a_fiber_holds_up_nobody`

#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use anyhow::{Result, anyhow};
use palco_fibers::{Policy, Pool, blocking, yield_now};

/// The sibling ends the reader's call after so many turns, if it is given them.
const TURNS: u64 = 1_000;

/// Where the call is, for the sibling to see.
#[derive(Default)]
struct Call {
    has_begun: AtomicBool,
    has_ended: AtomicBool,
}

/// How many turns the sibling takes while the reader is in its call. Nobody sleeps and hopes: each waits for another.
fn turns_meanwhile(policy: Policy) -> Result<u64> {
    let (tell, stalls) = mpsc::channel();
    let on_stall = move |stall: &palco_fibers::Stall| drop(tell.send(stall.running.clone()));
    let pool = Pool::builder().lwps(1).policy(policy).on_stall(on_stall).build()?;
    let (mut reads, mut writes) = UnixStream::pair()?;
    let mut rescue = writes.try_clone()?;
    let call = Arc::new(Call::default());
    let (appear, has_appeared) = mpsc::channel();

    let seen = Arc::clone(&call);
    let sibling = pool.spawn("sibling", move || {
        let mut turns = 0;
        appear.send(())?;
        while !seen.has_ended.load(Ordering::SeqCst) {
            if seen.has_begun.load(Ordering::SeqCst) {
                turns += 1;
                if turns == TURNS {
                    writes.write_all(b"x")?; // what the reader waits for
                }
            }
            yield_now(); // one turn is over: whoever is ready goes first
        }
        anyhow::Ok(turns)
    })?;
    has_appeared.recv()?; // it takes turns before anybody blocks

    let reader = pool.spawn("reader", move || {
        blocking(move || {
            call.has_begun.store(true, Ordering::SeqCst);
            let outcome = reads.read_exact(&mut [0]); // this thread waits, whichever it is
            call.has_ended.store(true, Ordering::SeqCst);
            outcome
        })
    })?;
    if policy == Policy::Alone {
        // The sibling cannot help. The watchdog, a thread of its own, notices that the LWP has come to no scheduling point.
        let culprit = stalls.iter().find(|running| running == "reader");
        eprintln!("the watchdog: `{}` holds up its LWP", culprit.unwrap_or_default());
        rescue.write_all(b"x")?;
    }
    reader.join().map_err(|_| anyhow!("the reader panicked"))??;
    sibling.join().map_err(|_| anyhow!("the sibling panicked"))?
}

fn main() -> Result<()> {
    let shipped = turns_meanwhile(Policy::Offload)?;
    eprintln!("made on another thread: {shipped} turns of the sibling during the call");
    assert!(shipped >= TURNS, "it was the sibling that ended the call");
    let alone = turns_meanwhile(Policy::Alone)?;
    eprintln!("made on the LWP itself: {alone} turns");
    assert_eq!(alone, 0, "the kernel knows the LWP only, and that one waited");
    Ok(())
}
