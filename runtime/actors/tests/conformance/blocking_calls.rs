//! Blocking system calls of actors that have a thread of their own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use palco_actors::{Clock, Effect, ExitReason, PlaceKind, Signal, Wait};

use crate::harness::{LIMIT, Stage, run, until};
use crate::probe::{Act, Subject, act};

fn on_a_thread(body: impl AsyncFnOnce(&Stage)) {
    run(PlaceKind::Thread, Clock::real(), body);
}

/// Reads one byte and writes down what came of it.
fn read(mut stream: impl Read + Send + 'static, wait: Wait) -> Act<()> {
    act(async move |probe, cx| {
        probe.log.push("reading");
        let mut byte = [0];
        match cx.blocking_call(wait, || stream.read(&mut byte)).await {
            None => probe.log.push("gave up"),
            Some(result) => probe.log.push(format!("read {} {byte:?}", result.unwrap())),
        }
    })
}

/// A probe that reads from the other end of the returned stream.
async fn reader(stage: &Stage, wait: Wait) -> (Subject, UnixStream) {
    let probe = stage.probe();
    let (here, there) = UnixStream::pair().unwrap();
    probe.actor.try_tell(read(there, wait)).unwrap();
    probe.log.until("reading", 1).await;
    (probe, here)
}

#[test]
fn a_stop_ends_a_call_that_waits_until_stop() {
    on_a_thread(async |stage| {
        let (probe, _here) = reader(stage, Wait::UntilStop).await;
        probe.actor.stop();
        assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
        assert_eq!(probe.log.count("gave up"), 1);
    });
}

#[test]
fn a_stop_leaves_a_call_alone_that_goes_through_stop() {
    on_a_thread(async |stage| {
        let (probe, mut here) = reader(stage, Wait::ThroughStop).await;
        probe.actor.stop();
        here.write_all(&[7]).unwrap();
        assert_eq!(probe.actor.exited().await, ExitReason::Stopped);
        assert_eq!(probe.log.count("read 1 [7]"), 1);
    });
}

#[test]
fn a_kill_ends_any_call() {
    on_a_thread(async |stage| {
        for wait in [Wait::UntilStop, Wait::ThroughStop] {
            let (probe, _here) = reader(stage, wait).await;
            probe.actor.any().signal(Signal::Kill);
            assert_eq!(probe.actor.exited().await, ExitReason::Killed);
            assert_eq!(probe.log.count("gave up"), 0);
        }
    });
}

#[test]
fn a_kill_ends_a_read_from_the_network() {
    on_a_thread(async |stage| {
        let probe = stage.probe();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        probe.actor.try_tell(read(stream, Wait::ThroughStop)).unwrap();
        probe.log.until("reading", 1).await;
        probe.actor.any().signal(Signal::Kill);
        assert_eq!(probe.actor.exited().await, ExitReason::Killed);
    });
}

#[test]
fn a_suspend_holds_a_call_and_a_resume_makes_it_again() {
    on_a_thread(async |stage| {
        let (probe, mut here) = reader(stage, Wait::UntilStop).await;
        let signal = async |signal| probe.actor.any().signal_within(signal, LIMIT).await;
        assert_eq!(signal(Signal::Suspend).await, Effect::Done);
        here.write_all(&[3]).unwrap();
        stage.probe().catch_up().await;
        assert_eq!(probe.log.entries().last().map(String::as_str), Some("reading"));
        assert_eq!(signal(Signal::Resume).await, Effect::Done);
        probe.log.until("read 1 [3]", 1).await;
    });
}

#[test]
fn an_interrupt_abandons_the_handler_or_is_caught_around_the_call() {
    on_a_thread(async |stage| {
        let (probe, _here) = reader(stage, Wait::UntilStop).await;
        let interrupt = async || {
            let effect = probe.actor.any().signal_within(Signal::Interrupt, LIMIT).await;
            assert_eq!(effect, Effect::Done);
        };
        interrupt().await;
        until(|| probe.dropped("interrupted") == 1).await;

        let (_kept, mut stream) = UnixStream::pair().unwrap();
        let message = act(async move |probe, cx| {
            probe.log.push("catching");
            let call = cx.blocking_call(Wait::UntilStop, || stream.read(&mut [0]));
            let caught = cx.catch_interrupt(call).await.is_none();
            probe.log.push(format!("caught: {caught}"));
        });
        probe.actor.try_tell(message).unwrap();
        probe.log.until("catching", 1).await;
        // Whether it reaches the call or comes just before `catch_interrupt`, the handler is freed by it.
        interrupt().await;
        probe.catch_up().await;
        assert!(probe.log.count("caught: true") == 1 || probe.dropped("interrupted") == 2);
    });
}

#[test]
fn a_call_that_panics_leaves_the_thread_in_peace() {
    on_a_thread(async |stage| {
        let probe = stage.probe();
        let message = act(async |_, cx| {
            let call: fn() -> std::io::Result<()> = || panic!("deliberate, in a call");
            cx.blocking_call(Wait::UntilStop, call).await.is_some()
        });
        probe.actor.try_tell(message).unwrap();
        assert!(matches!(probe.actor.exited().await, ExitReason::Panicked(_)));
    });
}

#[test]
fn a_blocked_thread_does_not_hold_up_virtual_time() {
    run(PlaceKind::Thread, Clock::virtual_time(), async |stage| {
        let (probe, mut here) = reader(stage, Wait::UntilStop).await;
        stage.system.advance(LIMIT).await;
        here.write_all(&[1]).unwrap();
        probe.log.until("read 1 [1]", 1).await;
    });
}

#[test]
fn a_blocking_call_on_an_event_loop_panics() {
    run(PlaceKind::Task, Clock::real(), async |stage| {
        let probe = stage.probe();
        let message = act(async |_, cx| {
            let outcome =
                std::panic::AssertUnwindSafe(cx.blocking_call(Wait::UntilStop, || Ok(())));
            futures_util::FutureExt::catch_unwind(outcome).await.is_err()
        });
        assert!(probe.ask(message).await);
    });
}
