//! Which of palco's places meet, and what is said of them.

use palco_actors::{Place, SpawnOptions, Transport};

use super::super::Question;
use super::super::contest::Contestant;
use super::super::memory::Holder;
use super::super::question::{MAILBOX_MESSAGES, MAILBOX_MESSAGES_SMALL};
use super::{By, asks, hold, process_round, round, task_lives, tells, thread_lives, try_tells};

const LOOP_0: Place = Place::Loop(0);
const LOOP_1: Place = Place::Loop(1);

/// A counter with room for a burst.
fn roomy(place: Place) -> SpawnOptions {
    SpawnOptions::new().place(place).mailbox_messages_max(MAILBOX_MESSAGES)
}

/// A counter whose senders must wait.
fn narrow(place: Place) -> SpawnOptions {
    SpawnOptions::new().place(place).mailbox_messages_max(MAILBOX_MESSAGES_SMALL)
}

pub(crate) fn contestants() -> Vec<Contestant> {
    [ask_rows(), tell_rows(), process_rows(), life_rows()].into_iter().flatten().collect()
}

fn ask_rows() -> Vec<Contestant> {
    use Question::{AskOtherThread, AskSameLoop};
    vec![
        Contestant::new(
            AskSameLoop,
            "palco, from a handler",
            "both actors on loop 0; mailbox 1024; every ask has a deadline",
            |load| round(load, By::Handler(LOOP_0), roomy(LOOP_0), asks),
        ),
        Contestant::new(
            AskSameLoop,
            "palco, from a task",
            "asker a bare task on the actor's loop; mailbox 1024; every ask has a deadline",
            |load| round(load, By::Task(0), roomy(LOOP_0), asks),
        ),
        Contestant::new(
            AskOtherThread,
            "palco, loop to loop",
            "handler on loop 1 to actor on loop 0; mailbox 1024",
            |load| round(load, By::Handler(LOOP_1), roomy(LOOP_0), asks),
        ),
        Contestant::new(
            AskOtherThread,
            "palco, loop to thread",
            "handler on loop 1 to the actor's thread, which may spin; mailbox 1024",
            |load| round(load, By::Handler(LOOP_1), roomy(Place::Thread), asks),
        ),
        Contestant::new(
            AskOtherThread,
            "palco, thread to thread",
            "handler to actor, a thread each, both may spin; mailbox 1024",
            |load| round(load, By::Handler(Place::Thread), roomy(Place::Thread), asks),
        ),
        Contestant::new(
            AskOtherThread,
            "palco, plain thread to thread",
            "block_on to the actor's thread, both may spin; mailbox 1024",
            |load| round(load, By::Thread, roomy(Place::Thread), asks),
        ),
    ]
}

fn tell_rows() -> Vec<Contestant> {
    use Question::{TellOtherThread, TellSameLoop};
    vec![
        Contestant::new(
            TellSameLoop,
            "palco try_tell",
            "both actors on loop 0; mailbox 1024",
            |load| round(load, By::Handler(LOOP_0), roomy(LOOP_0), try_tells),
        ),
        Contestant::new(
            TellSameLoop,
            "palco tell",
            "both actors on loop 0; mailbox 64, waits",
            |load| round(load, By::Handler(LOOP_0), narrow(LOOP_0), tells),
        ),
        Contestant::new(
            TellOtherThread,
            "palco try_tell",
            "handler on loop 1 to actor on loop 0; mailbox 1024",
            |load| round(load, By::Handler(LOOP_1), roomy(LOOP_0), try_tells),
        ),
        Contestant::new(
            TellOtherThread,
            "palco tell",
            "handler on loop 1 to actor on loop 0; mailbox 64, waits",
            |load| round(load, By::Handler(LOOP_1), narrow(LOOP_0), tells),
        ),
        Contestant::new(
            TellOtherThread,
            "palco try_tell, to thread",
            "block_on to the actor's thread, both may spin; mailbox 1024",
            |load| round(load, By::Thread, roomy(Place::Thread), try_tells),
        ),
    ]
}

/// In shared memory, so much for each direction.
pub(crate) const RING: Transport = Transport::Ring { bytes: 64 << 10 };

fn process_rows() -> Vec<Contestant> {
    use Question::{AskProcessRing, AskProcessSocket, TellProcessRing, TellProcessSocket};
    let (near, far) = ("palco, on the address's loop", "palco, from another thread");
    let near_socket = "asker a bare task on loop 0, which also relays; mailbox 1024; confined";
    let far_socket = "block_on to a relay on an event loop; mailbox 1024; confined";
    let near_ring = "asker a bare task on loop 0, which also relays; 64 KiB each way; confined";
    let far_ring = "block_on to a relay on an event loop; 64 KiB each way; confined";
    vec![
        Contestant::new(AskProcessSocket, near, near_socket, |load| {
            process_round(load, By::Task(0), Transport::Socket, asks)
        }),
        Contestant::new(AskProcessSocket, far, far_socket, |load| {
            process_round(load, By::Thread, Transport::Socket, asks)
        }),
        Contestant::new(AskProcessRing, near, near_ring, |load| {
            process_round(load, By::Task(0), RING, asks)
        }),
        Contestant::new(AskProcessRing, far, far_ring, |load| {
            process_round(load, By::Thread, RING, asks)
        }),
        Contestant::new(TellProcessSocket, near, near_socket, |load| {
            process_round(load, By::Task(0), Transport::Socket, try_tells)
        }),
        Contestant::new(TellProcessSocket, far, far_socket, |load| {
            process_round(load, By::Thread, Transport::Socket, try_tells)
        }),
        Contestant::new(TellProcessRing, near, near_ring, |load| {
            process_round(load, By::Task(0), RING, try_tells)
        }),
        Contestant::new(TellProcessRing, far, far_ring, |load| {
            process_round(load, By::Thread, RING, try_tells)
        }),
    ]
}

fn life_rows() -> Vec<Contestant> {
    use Question::{LifeTask, LifeThread};
    vec![
        Contestant::new(
            LifeTask,
            "palco",
            "by a handler on loop 0; supervised by the root, on another loop",
            |load| round(load, By::Handler(LOOP_0), roomy(LOOP_0), task_lives),
        ),
        Contestant::new(
            LifeThread,
            "palco",
            "by a plain thread, until the end is reported; the thread itself ends a moment later",
            |load| round(load, By::Thread, roomy(LOOP_0), thread_lives),
        ),
    ]
}

pub(crate) fn holders() -> Vec<Holder> {
    vec![
        Holder {
            question: Question::MemoryTask,
            name: "palco",
            setting: "children of the root supervisor, mailbox 1024",
            hold: |actors| hold(actors, LOOP_0),
        },
        Holder {
            question: Question::MemoryThread,
            name: "palco",
            setting: "children of the root supervisor, mailbox 1024",
            hold: |actors| hold(actors, Place::Thread),
        },
    ]
}
