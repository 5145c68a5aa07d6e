//! Timers and sleeps, on a clock that the test moves.

use std::time::Duration;

use crate::harness::{Stage, in_every_place};
use crate::probe::{act, note};

in_every_place!(
    real: [a_real_timer_fires, timers_that_are_always_due_do_not_starve_the_mailbox],
    simulated: [
        timers_fire_in_the_order_of_their_times,
        timers_of_one_moment_fire_in_the_order_in_which_they_were_set,
        a_timer_that_is_due_while_a_handler_runs_waits_for_its_end,
        a_sleep_lasts_as_long_as_it_says,
        time_goes_on_while_messages_wait_behind_a_sleeping_handler,
        a_timer_belongs_to_the_account,
    ]
);

const SECOND: Duration = Duration::from_secs(1);

async fn a_real_timer_fires(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(act(async |_, cx| cx.tell_after(Duration::from_millis(5), note("fired")))).await;
    probe.log.until("fired", 1).await;
}

async fn timers_that_are_always_due_do_not_starve_the_mailbox(stage: &Stage) {
    fn again() -> crate::probe::Act<()> {
        act(async |_, cx| {
            cx.tell_after(Duration::ZERO, again());
            cx.tell_after(Duration::ZERO, act(async |_, _| ()));
        })
    }
    let probe = stage.probe();
    probe.ask(again()).await;
    for number in 0..100 {
        assert_eq!(probe.ask(act(async move |_, _| number)).await, number);
    }
}

async fn timers_fire_in_the_order_of_their_times(stage: &Stage) {
    let probe = stage.probe();
    probe
        .ask(act(async |_, cx| {
            for seconds in [3, 1, 2] {
                cx.tell_after(SECOND * seconds, note(format!("after {seconds}")));
            }
        }))
        .await;
    stage.system.advance(SECOND * 3 / 2).await;
    assert_eq!(probe.log.entries()[1..], ["after 1"]);
    stage.system.advance(SECOND * 2).await;
    assert_eq!(probe.log.entries()[1..], ["after 1", "after 2", "after 3"]);
}

async fn timers_of_one_moment_fire_in_the_order_in_which_they_were_set(stage: &Stage) {
    let probe = stage.probe();
    probe
        .ask(act(async |_, cx| {
            for number in 0..20 {
                cx.tell_after(SECOND, note(number.to_string()));
            }
        }))
        .await;
    stage.system.advance(SECOND).await;
    let numbers: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(probe.log.entries()[1..], numbers);
}

async fn a_timer_that_is_due_while_a_handler_runs_waits_for_its_end(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(act(async |_, cx| cx.tell_after(SECOND, note("timer")))).await;
    let held = probe.hold().await;
    stage.system.advance(SECOND * 2).await;
    assert_eq!(probe.log.count("timer"), 0);
    held.release(0);
    probe.log.until("timer", 1).await;
}

async fn a_sleep_lasts_as_long_as_it_says(stage: &Stage) {
    let probe = stage.probe();
    let message = act(async |probe, cx| {
        let begun = cx.system().clock().now();
        cx.sleep(SECOND).await;
        let slept = cx.system().clock().now() - begun;
        probe.log.push(format!("slept {} s", slept.as_secs_f64()));
    });
    probe.actor.try_tell(message).unwrap();
    stage.system.advance(SECOND * 10).await;
    assert_eq!(probe.log.count("slept 1 s"), 1);
}

async fn time_goes_on_while_messages_wait_behind_a_sleeping_handler(stage: &Stage) {
    let probe = stage.probe();
    probe.actor.try_tell(act(async |_, cx| cx.sleep(SECOND).await)).unwrap();
    probe.actor.try_tell(note("after the sleep")).unwrap();
    stage.system.advance(SECOND / 2).await;
    assert_eq!(probe.log.count("after the sleep"), 0);
    stage.system.advance(SECOND / 2).await;
    assert_eq!(probe.log.count("after the sleep"), 1);
}

async fn a_timer_belongs_to_the_account(stage: &Stage) {
    let probe = stage.probe();
    probe
        .ask(act(async |_, cx| {
            cx.tell_after(SECOND, note("fires"));
            cx.tell_after(SECOND * 100, note("never fires"));
        }))
        .await;
    stage.system.advance(SECOND).await;
    let snapshot = probe.actor.any().snapshot();
    assert_eq!((snapshot.sent, snapshot.handled), (2, 2), "the ask and the timer that fired");
}
