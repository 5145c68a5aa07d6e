//! What an asker is told, whatever becomes of its question.

use std::time::Duration;

use palco_actors::{AskError, DropReason, Grant, Parcel, Signal};

use crate::probe::{Carry, Do, Plan, Probe, Push, PushElsewhere, Pushed, Secret};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    Column::ALL => [
        an_ask_whose_time_is_up_in_the_handler_has_an_unknown_outcome,
        an_ask_that_expires_in_the_queue_is_never_handled,
        an_ask_that_is_dropped_in_the_queue_is_never_handled,
        an_ask_of_an_actor_that_has_ended_gives_the_message_back,
        a_granted_actor_can_be_asked,
    ],
    Column::PROCESSES => [
        a_message_that_is_in_no_table_becomes_a_dead_letter,
        a_message_over_the_frame_limit_is_refused_and_nothing_else_suffers,
        a_reply_over_the_frame_limit_is_refused_and_nothing_else_suffers,
    ],
}

async fn an_ask_whose_time_is_up_in_the_handler_has_an_unknown_outcome(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(1), LIMIT).await.unwrap();
    let answer = probe.ask(Do::Wait, Duration::from_millis(50)).await;
    assert!(matches!(answer, Err(AskError::OutcomeUnknown)), "{answer:?}");
    probe.any().signal(Signal::Interrupt);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), [1]);
}

async fn busy(stage: &Stage) -> palco_actors::ActorRef<Probe> {
    let probe = stage.probe();
    probe.tell(Do::Wait).await.unwrap();
    until(|| probe.any().snapshot().note.is_some()).await;
    probe
}

async fn an_ask_that_expires_in_the_queue_is_never_handled(stage: &Stage) {
    let probe = busy(stage).await;
    let answer = probe.ask(Push(1), Duration::from_millis(20)).await;
    assert!(matches!(answer, Err(AskError::Expired)), "{answer:?}");
    probe.any().signal(Signal::Interrupt);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), Vec::<u32>::new());
}

async fn an_ask_that_is_dropped_in_the_queue_is_never_handled(stage: &Stage) {
    let probe = busy(stage).await;
    let mut ask = Box::pin(probe.ask(Push(1), LIMIT));
    let first = std::future::poll_fn(|task| std::task::Poll::Ready(ask.as_mut().poll(task))).await;
    assert!(first.is_pending());
    drop(ask);
    probe.any().signal(Signal::Interrupt);
    assert_eq!(probe.ask(Pushed, LIMIT).await.unwrap(), Vec::<u32>::new());
}

async fn an_ask_of_an_actor_that_has_ended_gives_the_message_back(stage: &Stage) {
    let probe = stage.probe();
    probe.stop();
    probe.exited().await;
    let answer = probe.ask(Push(7), LIMIT).await;
    assert!(matches!(answer, Err(AskError::Closed(Push(7)))), "{answer:?}");
}

async fn a_granted_actor_can_be_asked(stage: &Stage) {
    let keeper = stage.system.spawn_portable::<Probe>(palco_actors::SpawnOptions::new(), || {
        Ok(Parcel::new(Plan::default()))
    });
    let keeper = keeper.unwrap();
    let granted = keeper.clone();
    let pack = move || {
        let grant = Grant::of::<Push>(granted.recipient());
        Ok(Parcel::new(Plan::default()).with_grant(grant))
    };
    let probe = stage.system.spawn_portable::<Probe>(stage.options(), pack).unwrap();
    for number in 0..50 {
        let pushed = probe.ask(PushElsewhere(number), LIMIT).await.unwrap();
        assert_eq!(pushed, Ok(number as usize + 1));
    }
    assert_eq!(keeper.ask(Pushed, LIMIT).await.unwrap().len(), 50);
    keeper.stop();
    keeper.exited().await;
    let pushed = probe.ask(PushElsewhere(50), LIMIT).await.unwrap();
    assert_eq!(pushed, Err("actor has ended".to_owned()));
}

async fn a_message_that_is_in_no_table_becomes_a_dead_letter(stage: &Stage) {
    let probe = stage.probe();
    let answer = probe.ask(Secret, LIMIT).await;
    assert!(matches!(answer, Err(AskError::Dropped(DropReason::NotPortable))), "{answer:?}");
    probe.tell(Secret).await.unwrap();
    probe.ask(Push(1), LIMIT).await.unwrap();
    assert_eq!(probe.any().snapshot().dropped, [("not portable".to_owned(), 2)]);
}

async fn a_message_over_the_frame_limit_is_refused_and_nothing_else_suffers(stage: &Stage) {
    let probe = stage.probe();
    let answer = probe.ask(Carry(vec![0; 2 << 20]), LIMIT).await;
    assert!(matches!(answer, Err(AskError::Dropped(DropReason::TooLarge))), "{answer:?}");
    assert_eq!(probe.ask(Push(1), LIMIT).await.unwrap(), 1);
}

async fn a_reply_over_the_frame_limit_is_refused_and_nothing_else_suffers(stage: &Stage) {
    let options = stage.options().process(stage.process().frame_bytes_max(1_000));
    let probe = stage.probe_with(options, Plan::default());
    for number in 0..600 {
        probe.ask(Push(1_000_000 + number), LIMIT).await.unwrap();
    }
    let answer = probe.ask(Pushed, LIMIT).await;
    assert!(matches!(answer, Err(AskError::Dropped(DropReason::TooLarge))), "{answer:?}");
    assert_eq!(probe.ask(Push(1), LIMIT).await.unwrap(), 601);
}
