//! What is noted while somebody looks: causes, waits, steps, counts; and that nothing is while nobody does.

#![cfg(test)]

use std::time::Duration;

use palco_actors::{
    Actor, ActorRef, Caught, Closeness, Context, DropReason, Failure, Handler, LifeChange, Message,
    Place, Restart, Signal, SpawnOptions, System,
};
use palco_threads::block_on;

const LIMIT: Duration = Duration::from_secs(30);

/// Passes a question on, or answers it.
struct Link(Option<ActorRef<Link>>);

/// How many links there are from here on.
struct Count;

impl Message for Count {
    type Reply = usize;
}

/// Waits for ever.
struct Rest;

impl Message for Rest {
    type Reply = ();
}

/// Panics.
struct Fail;

impl Message for Fail {
    type Reply = ();
}

/// Starts a child that tells itself something.
struct Bear;

impl Message for Bear {
    type Reply = ();
}

struct Child;

impl Actor for Child {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(Duration::ZERO, Rest);
        Ok(())
    }
}

impl Handler<Rest> for Child {
    async fn handle(&mut self, _: Rest, cx: &mut Context<Self>) {
        cx.note(|| "reading");
        cx.note(|| "writing");
        cx.finish();
    }
}

impl Actor for Link {}

impl Handler<Count> for Link {
    async fn handle(&mut self, _: Count, _: &mut Context<Self>) -> usize {
        match &self.0 {
            Some(next) => 1 + next.ask(Count, LIMIT).await.unwrap(),
            None => 1,
        }
    }
}

impl Handler<Rest> for Link {
    async fn handle(&mut self, _: Rest, cx: &mut Context<Self>) {
        cx.note(|| "resting");
        match &self.0 {
            Some(next) => next.ask(Rest, LIMIT).await.unwrap(),
            None => std::future::pending().await,
        }
    }
}

impl Handler<Fail> for Link {
    async fn handle(&mut self, _: Fail, _: &mut Context<Self>) {
        panic!("deliberate");
    }
}

impl Handler<Bear> for Link {
    async fn handle(&mut self, _: Bear, cx: &mut Context<Self>) {
        cx.begin_trace();
        cx.spawn(SpawnOptions::new().name("child"), || Child).unwrap();
    }
}

fn chain(system: &System, place: Place, names: &[&str]) -> Vec<ActorRef<Link>> {
    let mut links: Vec<ActorRef<Link>> = Vec::new();
    for name in names.iter().rev() {
        let next = links.last().cloned();
        let options = SpawnOptions::new().name(*name).place(place).restart(Restart::OnFailure);
        links.push(system.spawn(options, move || Link(next.clone())).unwrap());
    }
    links.reverse();
    links
}

/// In tasks on two loops, and on threads.
fn everywhere(body: impl AsyncFn(&System, Place)) {
    for place in [Place::Task, Place::Thread] {
        let system = System::builder().event_loops(2).build().unwrap();
        block_on(async {
            body(&system, place).await;
            system.shutdown().await;
        });
    }
}

async fn until(what: &str, system: &System, mut look: impl FnMut() -> bool) {
    let looks = async {
        while !look() {
            system.clock().sleep(Duration::from_millis(1)).await; // not a wait: between two looks
        }
    };
    assert!(system.within(LIMIT, looks).await.is_some(), "{what}");
}

#[test]
fn nothing_is_noted_while_nobody_looks() {
    everywhere(async |system, place| {
        let links = chain(system, place, &["a", "b"]);
        links[0].ask(Count, LIMIT).await.unwrap();
        let notes = links[0].any().notes();
        assert!(notes.types.is_empty() && notes.messages.is_empty() && notes.waited.is_empty());
    });
}

#[test]
fn a_question_is_followed_through_all_that_it_causes() {
    everywhere(async |system, place| {
        let _observing = system.observe(Closeness::Everything);
        let links = chain(system, place, &["a", "b", "c"]);
        assert_eq!(links[0].ask(Count, LIMIT).await.unwrap(), 3);
        let notes = |at: usize| links[at].any().notes().messages.last().cloned();
        until("all is written down", system, || (0..3).all(|at| notes(at).is_some())).await;
        let [first, second, third] = [0, 1, 2].map(|at| notes(at).unwrap());
        assert_eq!((first.trace, first.cause, first.from), (first.id, None, None));
        assert_eq!((second.trace, second.cause), (first.id, Some(first.id)));
        assert_eq!((third.trace, third.cause), (first.id, Some(second.id)));
        assert_eq!((second.from, second.to), (Some(links[0].id()), links[1].id()));
        assert!(first.ask && !first.urgent && first.dropped.is_none());
        assert!(first.sent <= first.begun && first.begun <= second.sent);
        assert!(first.ended.unwrap() >= second.sent && second.ended.unwrap() >= second.begun);
        assert_eq!(links[1].any().notes().ran.iter().sum::<u64>(), 1);
    });
}

#[test]
fn of_messages_from_outside_some_are_sampled_and_all_are_counted() {
    everywhere(async |system, place| {
        let _observing = system.observe(Closeness::Sampled);
        let links = chain(system, place, &["a", "b"]);
        for _ in 0..160 {
            links[0].ask(Count, LIMIT).await.unwrap();
        }
        let sampled = |at: usize| links[at].any().notes().waited.iter().sum::<u64>();
        until("all are counted", system, || {
            links[0].any().notes().types.first().is_some_and(|(_, count)| *count == 160)
        })
        .await;
        assert_eq!((sampled(0), sampled(1)), (10, 10), "each with what it causes");
    });
}

#[test]
fn who_looks_at_one_actor_sees_all_its_messages() {
    everywhere(async |system, place| {
        let _observing = system.observe(Closeness::Attached);
        let links = chain(system, place, &["a"]);
        let look = links[0].any().look();
        for _ in 0..100 {
            links[0].ask(Count, LIMIT).await.unwrap();
        }
        until("all are noted", system, || links[0].any().notes().waited.iter().sum::<u64>() == 100)
            .await;
        assert_eq!(links[0].any().notes().messages.len(), 64, "the latest are kept");
        drop(look);
        links[0].ask(Count, LIMIT).await.unwrap();
        assert_eq!(links[0].any().notes().waited.iter().sum::<u64>(), 100);
    });
}

#[test]
fn who_waits_for_whom_is_known_as_long_as_it_waits() {
    everywhere(async |system, place| {
        let _observing = system.observe(Closeness::Attached);
        let links = chain(system, place, &["a", "b"]);
        links[0].try_tell(Rest).unwrap();
        until("it waits", system, || !system.waits().is_empty()).await;
        let waits = system.waits();
        assert_eq!((waits[0].from, waits[0].to), (links[0].id(), links[1].id()));
        assert!(waits[0].message.ends_with("Rest"));
        links[0].try_tell(Count).unwrap();
        until("it is queued", system, || !links[0].any().peek(10).is_empty()).await;
        links[0].any().signal(Signal::Interrupt);
        let rests = || system.waits().iter().any(|wait| wait.message.ends_with("Rest"));
        until("it waits no longer", system, || !rests()).await;
        links[1].any().signal(Signal::Kill);
        until("the question is answered", system, || system.waits().is_empty()).await;
    });
}

#[test]
fn what_is_dropped_and_why_lives_end_is_noted() {
    everywhere(async |system, place| {
        let _observing = system.observe(Closeness::Everything);
        let links = chain(system, place, &["a"]);
        links[0].try_tell(Fail).unwrap();
        let events = || system.life_events(0);
        until("it is noted", system, || !events().is_empty()).await;
        let event = &events()[0];
        assert_eq!((event.actor, event.change), (links[0].id(), LifeChange::Restarted));
        assert_eq!((&*event.path, event.reason.to_string()), ("a", "panicked: deliberate".into()));
        let noted = links[0].any().notes().messages;
        assert_eq!(noted[0].dropped, Some(DropReason::Panicked));
        assert!(system.life_events(event.number).is_empty());
    });
}

#[test]
fn a_child_belongs_to_what_its_parent_was_about() {
    everywhere(async |system, place| {
        system.begin_capture();
        let _observing = system.observe(Closeness::Everything);
        let links = chain(system, place, &["a"]);
        links[0].ask(Bear, LIMIT).await.unwrap();
        until("the child has ended", system, || links[0].any().children().is_empty()).await;
        let Caught { messages, steps, actors, lost } = system.end_capture();
        assert!(actors.values().any(|met| met.path == "a/child"), "though it has ended");
        let start = messages.iter().find(|note| note.message == "start").unwrap();
        assert_eq!((start.from, lost), (Some(links[0].id()), 0));
        let run = messages.iter().find(|note| note.to == start.to && note.id != start.id).unwrap();
        assert_eq!((run.trace, run.from), (start.trace, Some(start.to)));
        let of_child = steps.iter().filter(|step| step.actor == start.to);
        let words: Vec<_> = of_child.filter_map(|step| step.what.as_deref()).collect();
        assert_eq!(words, ["reading", "writing"]);
        assert!(steps.iter().all(|step| step.trace == start.trace || step.actor != start.to));
    });
}
