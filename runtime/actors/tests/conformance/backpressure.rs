//! A full mailbox: who is refused, who waits, who goes on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use palco_actors::{AskError, SendError};

use crate::harness::{LIMIT, Stage, in_every_place, poll_once, until};
use crate::probe::{Act, Subject, act, note};

in_every_place!(
    real: [
        a_refused_message_comes_back,
        full_and_closed_differ,
        tell_waits_for_room_and_goes_on,
        a_tell_dropped_while_it_waits_has_sent_nothing,
        every_free_place_wakes_one_waiting_sender,
        the_end_of_the_actor_wakes_who_waits_for_room,
    ],
    simulated: []
);

fn tiny(stage: &Stage, room: usize) -> Subject {
    stage.probe_with(stage.options().mailbox_messages_max(room), &[])
}

async fn a_refused_message_comes_back(stage: &Stage) {
    let probe = tiny(stage, 1);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    let refused = probe.actor.try_tell(note("refused")).unwrap_err();
    held.release(0);
    probe.actor.tell(refused.into_message()).await.unwrap();
    probe.log.until("refused", 1).await;
}

async fn full_and_closed_differ(stage: &Stage) {
    let probe = tiny(stage, 1);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    assert!(matches!(probe.actor.try_tell(note("")), Err(SendError::Full(_))));
    probe.actor.stop();
    assert!(matches!(probe.actor.try_tell(note("")), Err(SendError::Full(_))), "not yet ended");
    held.release(0);
    probe.actor.exited().await;
    assert!(matches!(probe.actor.try_tell(note("")), Err(SendError::Closed(_))));
    assert!(matches!(probe.actor.tell(note("")).await, Err(SendError::Closed(_))));
    assert!(matches!(probe.actor.ask(note(""), LIMIT).await, Err(AskError::Closed(_))));
}

async fn tell_waits_for_room_and_goes_on(stage: &Stage) {
    let probe = tiny(stage, 1);
    let held = probe.hold().await;
    probe.actor.try_tell(note("first")).unwrap();
    let mut second = Box::pin(probe.actor.tell(note("second")));
    assert!(poll_once(&mut second).await.is_pending());
    held.release(0);
    second.await.unwrap();
    probe.log.until("second", 1).await;
}

async fn a_tell_dropped_while_it_waits_has_sent_nothing(stage: &Stage) {
    let probe = tiny(stage, 1);
    let held = probe.hold().await;
    probe.actor.try_tell(note("first")).unwrap();
    let mut second = Box::pin(probe.actor.tell(note("second")));
    let mut third = Box::pin(probe.actor.tell(note("third")));
    assert!(poll_once(&mut second).await.is_pending() && poll_once(&mut third).await.is_pending());
    drop(second);
    held.release(0);
    third.await.unwrap();
    probe.catch_up().await;
    assert_eq!(probe.log.count("second"), 0);
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

type Telling<'a> = Pin<Box<dyn Future<Output = Result<(), SendError<Act<()>>>> + 'a>>;

async fn every_free_place_wakes_one_waiting_sender(stage: &Stage) {
    let probe = tiny(stage, 3);
    let held = probe.hold().await;
    for _ in 0..3 {
        probe.actor.try_tell(note("queued")).unwrap();
    }
    let mut waiting: Vec<(Telling<'_>, Arc<Woken>)> =
        (0..3).map(|_| (Box::pin(probe.actor.tell(note("waited"))) as _, Arc::default())).collect();
    for (tell, woken) in &mut waiting {
        let waker = Waker::from(Arc::clone(woken));
        assert!(tell.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    held.release(0);
    // None of the three moves on its own: whether a place is used must not depend on who was woken first.
    until(|| waiting.iter().all(|(_, woken)| woken.0.load(Ordering::SeqCst))).await;
    for (tell, _) in waiting {
        tell.await.unwrap();
    }
    probe.log.until("waited", 3).await;
}

async fn the_end_of_the_actor_wakes_who_waits_for_room(stage: &Stage) {
    let probe = tiny(stage, 1);
    let held = probe.hold().await;
    probe.actor.try_tell(note("queued")).unwrap();
    let mut telling = Box::pin(probe.actor.tell(note("waits")));
    let mut asking = Box::pin(probe.actor.ask(act(async |_, _| 7), LIMIT));
    assert!(
        poll_once(&mut telling).await.is_pending() && poll_once(&mut asking).await.is_pending()
    );
    probe.actor.stop();
    held.release(0);
    // The stop comes before anything else is begun, so no place becomes free before the end.
    assert!(matches!(telling.await, Err(SendError::Closed(_))));
    assert!(matches!(asking.await, Err(AskError::Closed(_))));
    probe.actor.exited().await;
    assert_eq!(probe.log.count("waits"), 0);
}
