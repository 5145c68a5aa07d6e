//! What an observer sees of a real system: changes, what looks wrong, who waits, what was captured.

#![cfg(test)]

use std::time::Duration;

use palco_actors::{
    Actor, ActorRef, Context, Effect, Failure, Handler, Message, Place, Restart, Signal,
    SpawnOptions, StateMark, Status, System, Wait,
};
use palco_observe::Observer;
use palco_observe::model::{Delta, LintKind, LogKind, Update};
use palco_threads::block_on;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(30);

/// Does what it is told.
#[derive(Default)]
struct Clerk {
    done: u32,
    colleague: Option<ActorRef<Clerk>>,
}

enum Do {
    Note,
    Fail,
    /// Keeps its place to itself until the flag is raised.
    Hog(std::sync::Arc<std::sync::atomic::AtomicBool>),
    /// Waits for something that never comes.
    Wait,
    /// Asks its colleague to do that.
    AskColleague,
    Meet(ActorRef<Clerk>),
    /// Stands for this very process, which is confined like this.
    StandFor(&'static str),
}

impl Message for Do {
    type Reply = ();
}

impl Actor for Clerk {
    fn state(&self) -> serde_json::Value {
        json!({ "done": self.done })
    }
}

impl Handler<Do> for Clerk {
    async fn handle(&mut self, what: Do, cx: &mut Context<Self>) {
        cx.note(|| "as told");
        match what {
            Do::Note => self.done += 1,
            Do::Fail => cx.fail(Failure::new("told to")),
            Do::Hog(enough) => {
                while !enough.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
            Do::Wait => {
                let (mut here, _there) = std::os::unix::net::UnixStream::pair().unwrap();
                let read = || std::io::Read::read(&mut here, &mut [0]);
                let _ = cx.blocking_call(Wait::UntilStop, read).await;
            }
            Do::AskColleague => {
                if let Some(colleague) = self.colleague.clone() {
                    let _ = colleague.ask(Do::AskColleague, LIMIT).await;
                }
            }
            Do::StandFor(confinement) => {
                let pid = i32::try_from(std::process::id()).unwrap();
                cx.stands_for(pid, Some(confinement.to_owned()));
            }
            Do::Meet(colleague) => self.colleague = Some(colleague),
        }
    }
}

fn clerk(system: &System, name: &str, place: Place) -> ActorRef<Clerk> {
    let options = SpawnOptions::new().name(name).place(place).restart(Restart::OnFailure);
    system.spawn(options, Clerk::default).unwrap()
}

fn on_stage(body: impl AsyncFnOnce(&System, &Observer)) {
    let system = System::builder().event_loops(2).build().unwrap();
    let observer = Observer::attach(&system);
    block_on(async {
        body(&system, &observer).await;
        system.shutdown().await;
    });
}

/// Looks until the answer is what is wanted.
async fn until(what: &str, observer: &Observer, mut look: impl FnMut() -> bool) {
    let clock = observer.system().clock();
    let looks = async {
        while !look() {
            clock.sleep(Duration::from_millis(20)).await; // not a wait: between two looks
        }
    };
    assert!(observer.system().within(LIMIT, looks).await.is_some(), "{what}");
}

fn has_lint(observer: &Observer, kind: LintKind, path: &str) -> bool {
    observer.snapshot().lints.iter().any(|lint| lint.kind == kind && lint.path == path)
}

#[test]
fn changes_come_and_complete_the_snapshot() {
    on_stage(async |system, observer| {
        let mut subscription = observer.subscribe();
        let before = observer.snapshot();
        let clerk = clerk(system, "clerk", Place::Task);
        clerk.ask(Do::Note, LIMIT).await.unwrap();
        let mut seen: Option<std::sync::Arc<Delta>> = None;
        let deltas = async {
            while seen.is_none() {
                // What the snapshot has seen already may come as well.
                if let Update::Delta(delta) = subscription.next().await
                    && delta.seq > before.seq
                {
                    let of_clerk = delta.changed.iter().find(|view| view.actor.path == "clerk");
                    if of_clerk.is_some_and(|view| view.actor.handled == 1) {
                        seen = Some(delta);
                    }
                }
            }
        };
        assert!(system.within(LIMIT, deltas).await.is_some(), "no delta");
        assert_eq!(seen.unwrap().totals.actors, 1);
        clerk.stop();
        clerk.exited().await;
        until("it is shown after its end", observer, || {
            let snapshot = observer.snapshot();
            let shown = snapshot.actors.iter().find(|view| view.actor.path == "clerk");
            shown.is_some_and(|view| view.actor.status == Status::Ended)
                && snapshot.totals.actors == 0
        })
        .await;
    });
}

#[test]
fn a_program_that_an_actor_stands_for_counts_and_is_as_confined_as_was_asked_for() {
    on_stage(async |system, observer| {
        let free = clerk(system, "free", Place::Task);
        free.ask(Do::StandFor("not confined"), LIMIT).await.unwrap();
        let loose = clerk(system, "loose", Place::Thread);
        let lacking = "seccomp; no memory limit: controller memory is not mounted";
        loose.ask(Do::StandFor(lacking), LIMIT).await.unwrap();
        until("what is missing is said", observer, || {
            has_lint(observer, LintKind::Unconfined, "loose")
        })
        .await;
        assert!(!has_lint(observer, LintKind::Unconfined, "free"));
        assert_eq!(observer.snapshot().totals.processes, 2);
    });
}

#[test]
fn who_is_too_slow_is_told_how_much_was_lost() {
    on_stage(async |system, observer| {
        let clerk = clerk(system, "clerk", Place::Task);
        let mut subscription = observer.subscribe();
        for round in 0..200 {
            let effect = Effect::Done;
            observer.note_action("a test", "poke", clerk.id(), &round.to_string(), &effect);
        }
        let Update::Lost(lost) = subscription.next().await else { panic!("nothing was lost") };
        assert!(lost >= 100, "{lost}");
        assert!(matches!(subscription.next().await, Update::Log(_) | Update::Delta(_)));
        assert_eq!(observer.log_since(0).len(), 200, "the log itself has lost nothing");
    });
}

#[test]
fn failures_and_actions_are_in_the_log() {
    on_stage(async |system, observer| {
        let clerk = clerk(system, "clerk", Place::Thread);
        clerk.tell(Do::Fail).await.unwrap();
        until("it is logged", observer, || !observer.log_since(0).is_empty()).await;
        observer.note_action("ann", "suspend", clerk.id(), "clerk", &Effect::Done);
        let log = observer.log_since(0);
        assert_eq!((log[0].kind, &*log[0].path), (LogKind::Restarted, "clerk"));
        assert!(log[0].text.contains("told to"), "{}", log[0].text);
        assert_eq!((log[1].kind, log[1].who.as_deref()), (LogKind::Action, Some("ann")));
        assert!(log[1].seq > log[0].seq);
        assert_eq!(observer.log_since(log[0].seq), log[1..]);
        let page = observer.inspect(clerk.id(), LIMIT).await.unwrap();
        assert!(page.exits[0].restarted && page.exits[0].text.contains("told to"));
    });
}

#[test]
fn a_page_shows_state_queue_and_who_waits() {
    on_stage(async |system, observer| {
        let busy = clerk(system, "busy", Place::Thread);
        busy.ask(Do::Note, LIMIT).await.unwrap();
        let page = observer.inspect(busy.id(), LIMIT).await.unwrap();
        assert_eq!((page.state, page.freshness), (json!({ "done": 1 }), StateMark::Live));
        busy.tell(Do::Wait).await.unwrap();
        until("it waits", observer, || busy.any().snapshot().message.is_some()).await;
        busy.tell(Do::Note).await.unwrap();
        let page = observer.inspect(busy.id(), Duration::from_millis(1)).await.unwrap();
        assert!(matches!(page.freshness, StateMark::Stale { .. }), "{:?}", page.freshness);
        assert_eq!((page.queue.len(), page.queue[0].waiting_us.is_some()), (1, true));
        assert!(page.queue[0].message.ends_with("Do"));
        busy.any().signal(Signal::Interrupt);
        until("the queue is empty", observer, || busy.any().snapshot().queued == 0).await;
        let page = observer.inspect(busy.id(), LIMIT).await.unwrap();
        assert!(page.types.iter().any(|count| count.message.ends_with("Do") && count.handled == 2));
        assert_eq!(page.messages.last().unwrap().outcome, "handled");
        assert!(observer.inspect(palco_actors::ActorId::new(9999), LIMIT).await.is_none());
    });
}

#[test]
fn a_circle_of_askers_is_a_deadlock() {
    on_stage(async |system, observer| {
        let (one, other) =
            (clerk(system, "one", Place::Task), clerk(system, "other", Place::Thread));
        one.tell(Do::Meet(other.clone())).await.unwrap();
        other.tell(Do::Meet(one.clone())).await.unwrap();
        one.tell(Do::AskColleague).await.unwrap();
        until("it is seen", observer, || has_lint(observer, LintKind::Deadlock, "one")).await;
        assert_eq!(observer.waits().cycles, [[one.id(), other.id()]]);
        other.any().signal(Signal::Kill);
        until("it is over", observer, || observer.waits().cycles.is_empty()).await;
        until("it is seen no more", observer, || !has_lint(observer, LintKind::Deadlock, "one"))
            .await;
    });
}

#[test]
fn who_asks_itself_is_told() {
    on_stage(async |system, observer| {
        let alone = clerk(system, "alone", Place::Task);
        alone.tell(Do::Meet(alone.clone())).await.unwrap();
        alone.tell(Do::AskColleague).await.unwrap();
        until("it is seen", observer, || has_lint(observer, LintKind::AsksItself, "alone")).await;
        alone.any().signal(Signal::Kill);
    });
}

#[test]
fn a_handler_that_keeps_its_loop_is_seen_and_one_that_waits_is_not() {
    on_stage(async |system, observer| {
        let enough = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let hog = clerk(system, "hog", Place::Loop(0));
        hog.tell(Do::Hog(std::sync::Arc::clone(&enough))).await.unwrap();
        until("it is seen", observer, || has_lint(observer, LintKind::SlowHandler, "hog")).await;
        enough.store(true, std::sync::atomic::Ordering::Relaxed);
        until("it is over", observer, || observer.snapshot().lints.is_empty()).await;
    });
}

#[test]
fn a_mailbox_that_grows_and_nothing_else_is_seen() {
    on_stage(async |system, observer| {
        let busy = clerk(system, "busy", Place::Thread);
        busy.tell(Do::Wait).await.unwrap();
        until("its mailbox grows", observer, || {
            let _ = busy.try_tell(Do::Note);
            has_lint(observer, LintKind::GrowingMailbox, "busy")
        })
        .await;
        let lint = observer.snapshot().lints[0].clone();
        assert!(lint.text.contains("\"as told\""), "{}", lint.text);
        busy.any().signal(Signal::Interrupt);
        until("it is over", observer, || observer.snapshot().lints.is_empty()).await;
    });
}

#[test]
fn many_restarts_are_a_storm() {
    on_stage(async |system, observer| {
        let clerk = clerk(system, "clerk", Place::Task);
        let _first = observer.snapshot();
        for round in 1..=3 {
            clerk.tell(Do::Fail).await.unwrap();
            until("it is back", observer, || clerk.any().snapshot().restarts == round).await;
        }
        until("it is seen", observer, || has_lint(observer, LintKind::RestartStorm, "clerk")).await;
    });
}

#[test]
fn a_capture_holds_who_sent_what_to_whom() {
    on_stage(async |system, observer| {
        let (one, other) =
            (clerk(system, "one", Place::Task), clerk(system, "other", Place::Thread));
        one.ask(Do::Meet(other.clone()), LIMIT).await.unwrap();
        other.ask(Do::Meet(other.clone()), LIMIT).await.unwrap();
        let asking = async {
            // The other one asks itself and waits: both are in flight at the end.
            one.tell(Do::AskColleague).await.unwrap();
            std::future::pending::<()>().await;
        };
        let capture = observer.capture(Duration::from_millis(300));
        let capture = futures_util::future::select(Box::pin(capture), Box::pin(asking)).await;
        let futures_util::future::Either::Left((capture, _)) = capture else { unreachable!() };
        let lanes: Vec<_> = capture.lifelines.iter().map(|line| &*line.path).collect();
        assert_eq!(lanes, ["one", "other"]);
        assert!(capture.lifelines[0].lane.starts_with("loop "), "{}", capture.lifelines[0].lane);
        let asked = capture.messages.iter().find(|note| note.to == other.id()).unwrap();
        assert_eq!((asked.from, asked.ask), (Some(one.id()), true));
        assert_eq!((&*asked.outcome, asked.ended_us), ("in flight", None));
        assert!(capture.steps.iter().any(|step| step.actor == one.id() && step.what == "as told"));
        assert_eq!(capture.lost, 0);
        one.any().signal(Signal::Kill);
        other.any().signal(Signal::Kill);
    });
}
