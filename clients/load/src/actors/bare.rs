//! Nothing but a queue and a thread: what remains when everything that makes an actor is taken away.

use std::future::ready;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use palco_threads::block_on;

use super::Question;
use super::contest::{Contestant, Load, Outcome, Refusal};
use super::memory::{Held, Holder};
use super::pace;
use super::question::MAILBOX_MESSAGES;

/// A number to add, and whether the count is asked for.
struct Add(u64, bool);

/// What is sent.
#[derive(Clone, Copy)]
enum Traffic {
    Asks,
    Tells,
}

/// Plays `traffic` with two closures that never wait for anything but the other thread.
fn play(
    load: Load,
    traffic: Traffic,
    tell: impl Fn(u64) -> Result<(), Refusal>,
    mut ask: impl FnMut(u64) -> Result<u64, Refusal>,
) -> Outcome {
    match traffic {
        Traffic::Asks => block_on(pace::asks(load, |number| ready(ask(number)))),
        Traffic::Tells => {
            block_on(pace::tells(load, |number| ready(tell(number)), || ready(ask(0))))
        }
    }
}

/// One thread that is sender and handler in turn: the floor, with nothing to schedule.
fn alone(load: Load, traffic: Traffic) -> Outcome {
    let (sender, receiver) = mpsc::sync_channel(MAILBOX_MESSAGES);
    let (reply, replies) = mpsc::sync_channel(1);
    let mut count = 0;
    let tell = |number| sender.try_send(Add(number, false)).map_err(Refusal::failed);
    let ask = |number| {
        sender.try_send(Add(number, true)).map_err(Refusal::failed)?;
        for Add(number, asked) in receiver.try_iter() {
            count += number;
            if asked {
                reply.try_send(count).map_err(Refusal::failed)?;
            }
        }
        replies.try_recv().map_err(Refusal::failed)
    };
    play(load, traffic, tell, ask)
}

/// Two threads and two channels of the standard library.
fn std_pair(load: Load, traffic: Traffic) -> Outcome {
    let (sender, receiver) = mpsc::sync_channel(MAILBOX_MESSAGES);
    let (reply, replies) = mpsc::sync_channel(1);
    let counter = thread::spawn(move || {
        load.place_actor();
        count(receiver, |count| reply.send(count).is_ok());
    });
    load.place_asker();
    let tell = |number| sender.send(Add(number, false)).map_err(Refusal::failed);
    let ask = |number| {
        sender.send(Add(number, true)).map_err(Refusal::failed)?;
        replies.recv().map_err(Refusal::failed)
    };
    let outcome = play(load, traffic, tell, ask);
    drop(sender);
    join(counter, outcome)
}

/// Two threads and two channels of crossbeam, which spins a while before it sleeps.
fn crossbeam_pair(load: Load, traffic: Traffic) -> Outcome {
    let (sender, receiver) = crossbeam::channel::bounded(MAILBOX_MESSAGES);
    let (reply, replies) = crossbeam::channel::bounded(1);
    let counter = thread::spawn(move || {
        load.place_actor();
        count(receiver, |count| reply.send(count).is_ok());
    });
    load.place_asker();
    let tell = |number| sender.send(Add(number, false)).map_err(Refusal::failed);
    let ask = |number| {
        sender.send(Add(number, true)).map_err(Refusal::failed)?;
        replies.recv().map_err(Refusal::failed)
    };
    let outcome = play(load, traffic, tell, ask);
    drop(sender);
    join(counter, outcome)
}

/// The handler: until all senders, or all who want replies, have gone.
fn count(messages: impl IntoIterator<Item = Add>, reply: impl Fn(u64) -> bool) {
    let mut count = 0;
    for Add(number, asked) in messages {
        count += number;
        if asked && !reply(count) {
            break;
        }
    }
}

fn join<T>(counter: JoinHandle<()>, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
    counter.join().map_err(|_| Refusal::Panicked)?;
    outcome
}

/// A counter that has replied once.
fn start() -> Result<(mpsc::SyncSender<Add>, JoinHandle<()>), Refusal> {
    let (sender, receiver) = mpsc::sync_channel(MAILBOX_MESSAGES);
    let (reply, replies) = mpsc::sync_channel(1);
    let body = move || count(receiver, |count| reply.send(count).is_ok());
    let thread = thread::Builder::new().spawn(body).map_err(Refusal::failed)?;
    sender.send(Add(1, true)).map_err(Refusal::failed)?;
    Refusal::unless_equal(1, replies.recv().map_err(Refusal::failed)?)?;
    Ok((sender, thread))
}

/// Starts, asks once, ends.
fn live() -> Result<u64, Refusal> {
    let (sender, thread) = start()?;
    drop(sender);
    join(thread, Ok(1))
}

fn hold(actors: usize) -> Result<Held, Refusal> {
    let threads = (0..actors).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(move || {
        for (sender, thread) in threads {
            drop(sender);
            let _ = thread.join();
        }
    }))
}

pub(crate) fn contestants() -> Vec<Contestant> {
    use Question::{AskOtherThread, AskSameLoop, LifeThread, TellOtherThread, TellSameLoop};
    use Traffic::{Asks, Tells};
    let (std, crossbeam) = ("bare std mpsc", "bare crossbeam");
    let one = "one thread, sender and handler in turn: no scheduler at all; room for 1024";
    let two = "two threads; room for 1024";
    let two_spin = "two threads, which spin a while before they sleep; room for 1024";
    vec![
        Contestant::new(AskSameLoop, std, one, |load| alone(load, Asks)),
        Contestant::new(AskOtherThread, std, two, |load| std_pair(load, Asks)),
        Contestant::new(AskOtherThread, crossbeam, two_spin, |load| crossbeam_pair(load, Asks)),
        Contestant::new(TellSameLoop, std, one, |load| alone(load, Tells)),
        Contestant::new(TellOtherThread, std, two, |load| std_pair(load, Tells)),
        Contestant::new(TellOtherThread, crossbeam, two_spin, |load| crossbeam_pair(load, Tells)),
        Contestant::new(
            LifeThread,
            "bare std thread",
            "spawned and joined by a plain thread",
            |load| block_on(pace::lives(load, || ready(live()))),
        ),
    ]
}

pub(crate) fn holders() -> Vec<Holder> {
    vec![Holder {
        question: Question::MemoryThread,
        name: "bare std thread",
        setting: "a thread and a channel, room for 1024",
        hold,
    }]
}
