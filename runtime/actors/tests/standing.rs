//! An actor that stands for a process outside: what is seen of the process, and what it is told of holds.

#![cfg(test)]

use std::fs;
use std::io::PipeWriter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal as Unix, kill};
use nix::unistd::Pid;
use palco_actors::{
    Actor, ActorRef, Context, Effect, ExitReason, Failure, Handler, Message, PlaceKind, Restart,
    Signal, SpawnOptions, Status, Supervision, Supervisor, System,
};
use palco_processes::{Child, Launch, Spawner};
use palco_threads::block_on;

const LIMIT: Duration = Duration::from_secs(30);

/// What a hook was told, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<bool>>>);

impl Told {
    fn all(&self) -> Vec<bool> {
        self.0.lock().unwrap().clone()
    }
}

/// Has a program run and stands for it, in its first life.
struct Keeper {
    told: Told,
    stands: bool,
    /// The program, which waits for its input.
    program: Option<(Child, PipeWriter)>,
}

impl Keeper {
    fn new(told: &Told, stands: bool) -> Self {
        Self { told: told.clone(), stands, program: None }
    }
}

impl Actor for Keeper {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        if !self.stands {
            return Ok(());
        }
        let (input, hold) = std::io::pipe()?;
        let launch = Launch::new("/bin/cat").fd(0, input);
        let child = Spawner::new()?.spawn_blocking(launch)?;
        let pid = child.pid();
        cx.stands_for(pid, Some("not confined".to_owned()));
        let told = self.told.clone();
        cx.on_hold(move |is_held| {
            told.0.lock().unwrap().push(is_held);
            let signal = if is_held { Unix::SIGSTOP } else { Unix::SIGCONT };
            kill(Pid::from_raw(pid), signal).unwrap();
        });
        self.program = Some((child, hold));
        Ok(())
    }
}

/// Which process the keeper's program is.
struct Which;

impl Message for Which {
    type Reply = Option<i32>;
}

/// Fails.
struct Fail;

impl Message for Fail {
    type Reply = ();
}

/// Has a hook that panics.
struct HookBadly;

impl Message for HookBadly {
    type Reply = ();
}

impl Handler<Which> for Keeper {
    async fn handle(&mut self, _: Which, _: &mut Context<Self>) -> Option<i32> {
        self.program.as_ref().map(|(child, _)| child.pid())
    }
}

impl Handler<Fail> for Keeper {
    async fn handle(&mut self, _: Fail, cx: &mut Context<Self>) {
        cx.fail(Failure::new("as told"));
    }
}

impl Handler<HookBadly> for Keeper {
    async fn handle(&mut self, _: HookBadly, cx: &mut Context<Self>) {
        cx.on_hold(|is_held| assert!(!is_held, "a hold"));
    }
}

fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

/// How the kernel schedules the process, as `T` for stopped; none when it is gone.
fn state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

async fn send(actor: &ActorRef<Keeper>, signal: Signal) {
    assert_eq!(actor.any().signal_within(signal, LIMIT).await, Effect::Done, "{signal:?}");
}

/// In every place that is in this process, for a keeper and the process it stands for.
fn everywhere<F: Future<Output = ()>>(test: impl Fn(ActorRef<Keeper>, i32, Told) -> F) {
    for place in PlaceKind::OF_THIS_PROCESS {
        let system = System::new().unwrap();
        let told = Told::default();
        let keeper = told.clone();
        let options = SpawnOptions::new().place(place);
        let actor = system.spawn(options, move || Keeper::new(&keeper, true)).unwrap();
        block_on(async {
            let pid = actor.ask(Which, LIMIT).await.unwrap().unwrap();
            test(actor.clone(), pid, told).await;
            system.shutdown().await;
            until(|| state(pid).is_none());
        });
    }
}

#[test]
fn the_process_is_seen_as_the_actors_own() {
    everywhere(|actor, pid, _| async move {
        let look = || actor.any().snapshot().process.unwrap();
        // A program that has just begun has no memory yet.
        until(|| look().rss_bytes.unwrap() > 0);
        let process = look();
        assert_eq!(process.pid, Some(pid));
        assert!(process.cpu_ms.is_some(), "{process:?}");
        assert!(process.age_ms.is_some());
        assert_eq!(process.confinement.as_deref(), Some("not confined"));
        assert_eq!(process.recycled, 0);
    });
}

#[test]
fn a_hold_is_passed_on_once() {
    everywhere(|actor, pid, told| async move {
        send(&actor, Signal::Suspend).await;
        send(&actor, Signal::Suspend).await;
        until(|| state(pid) == Some('T'));
        assert_eq!(told.all(), [true]);
        send(&actor, Signal::Resume).await;
        send(&actor, Signal::Resume).await;
        until(|| state(pid) == Some('S'));
        assert_eq!(told.all(), [true, false]);
        assert_eq!(actor.ask(Which, LIMIT).await.unwrap(), Some(pid));
        assert_eq!(told.all(), [true, false]);
    });
}

#[test]
fn a_step_goes_on_and_rests_again() {
    everywhere(|actor, _, told| async move {
        send(&actor, Signal::Suspend).await;
        let answer = actor.ask(Which, LIMIT);
        let step = async {
            until(|| actor.any().snapshot().queued == 1);
            send(&actor, Signal::Step).await;
        };
        let mut answer = std::pin::pin!(answer);
        // The question is on its way before the step.
        let first = std::future::poll_fn(|task| std::task::Poll::Ready(answer.as_mut().poll(task)));
        assert!(first.await.is_pending());
        step.await;
        answer.await.unwrap();
        until(|| actor.any().snapshot().status == Status::Suspended);
        assert_eq!(told.all(), [true, false, true]);
    });
}

#[test]
fn a_held_actor_that_is_killed_leaves_nothing() {
    everywhere(|actor, pid, told| async move {
        send(&actor, Signal::Suspend).await;
        actor.any().signal(Signal::Kill);
        until(|| actor.any().snapshot().status == Status::Ended);
        assert_eq!(actor.any().snapshot().last_exit, Some(ExitReason::Killed));
        assert_eq!(actor.any().snapshot().process, None);
        until(|| state(pid).is_none());
        assert_eq!(told.all(), [true, false]);
        // The hook is gone with its life.
        assert_eq!(Arc::strong_count(&told.0), 1);
    });
}

#[test]
fn the_next_life_stands_for_nothing_until_it_says_so() {
    let system = System::new().unwrap();
    let told = Told::default();
    let guard =
        system.spawn(SpawnOptions::new(), || Supervisor::new(Supervision::default())).unwrap();
    block_on(async {
        let keeper = told.clone();
        let mut lives = 0;
        let make = move || {
            lives += 1;
            Keeper::new(&keeper, lives == 1)
        };
        let options = SpawnOptions::new().restart(Restart::Always);
        let actor = guard.supervise(options, make).unwrap();
        let pid = actor.ask(Which, LIMIT).await.unwrap().unwrap();
        actor.tell(Fail).await.unwrap();
        assert_eq!(actor.ask(Which, LIMIT).await.unwrap(), None);
        assert_eq!(actor.any().snapshot().process, None);
        until(|| state(pid).is_none());
        send(&actor, Signal::Suspend).await;
        assert!(told.all().is_empty());
        system.shutdown().await;
    });
}

#[test]
fn a_hook_that_panics_harms_nobody() {
    everywhere(|actor, pid, told| async move {
        actor.ask(HookBadly, LIMIT).await.unwrap();
        send(&actor, Signal::Suspend).await;
        assert_eq!(actor.any().snapshot().status, Status::Suspended);
        send(&actor, Signal::Resume).await;
        assert_eq!(actor.ask(Which, LIMIT).await.unwrap(), Some(pid));
        assert!(told.all().is_empty(), "the later hook has taken the place of the first");
    });
}
