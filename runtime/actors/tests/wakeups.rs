//! No wake-up is lost: a reader that goes to sleep and a sender that comes at the same moment always meet.
//!
//! Each round ends in a rest on both sides, so every round is a chance to sleep through a wake. The moments are spread
//! by yields and spins that differ from round to round; a lost wake-up hangs and is reported as such.

#![cfg(test)]

use std::hint;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use palco_actors::{
    Actor, ActorRef, Clock, Context, Effect, Handler, Message, PlaceKind, Signal, SpawnOptions,
    System, UrgentRef,
};
use palco_threads::block_on;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

const LIMIT: Duration = Duration::from_secs(30);

/// Measures [`LIMIT`].
static WATCH: LazyLock<Clock> = LazyLock::new(Clock::real);

/// Says its number, after a moment.
struct Ping(u64);

impl Message for Ping {
    type Reply = u64;
}

/// Passes the message on until none is left.
struct Pass {
    left: u64,
    done: std::sync::mpsc::Sender<()>,
}

impl Message for Pass {
    type Reply = ();
}

#[derive(Default)]
struct Player {
    peer: Option<ActorRef<Player>>,
    moments: Moments,
}

/// Moments of different length.
#[derive(Default)]
struct Moments(u64);

impl Moments {
    fn pass(&mut self) {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match self.0 >> 60 {
            0 => thread::yield_now(),
            1..8 => (0..(self.0 >> 50) & 0xff).for_each(|_| hint::spin_loop()),
            _ => {}
        }
    }
}

impl Actor for Player {}

impl Handler<Ping> for Player {
    async fn handle(&mut self, Ping(number): Ping, _: &mut Context<Self>) -> u64 {
        self.moments.pass();
        number
    }
}

impl Handler<Pass> for Player {
    async fn handle(&mut self, Pass { left, done }: Pass, _: &mut Context<Self>) {
        self.moments.pass();
        match &self.peer {
            Some(peer) if left > 0 => peer.tell(Pass { left: left - 1, done }).await.unwrap(),
            _ => done.send(()).unwrap(),
        }
    }
}

struct Introduce(ActorRef<Player>);

impl Message for Introduce {
    type Reply = ();
}

impl Handler<Introduce> for Player {
    async fn handle(&mut self, Introduce(peer): Introduce, _: &mut Context<Self>) {
        self.peer = Some(peer);
    }
}

struct Trust;

impl Message for Trust {
    type Reply = UrgentRef<Player>;
}

impl Handler<Trust> for Player {
    async fn handle(&mut self, _: Trust, cx: &mut Context<Self>) -> UrgentRef<Player> {
        cx.urgent_ref()
    }
}

fn on_a_system(body: impl AsyncFnOnce(&System)) {
    block_on(async {
        let system = System::builder().event_loops(2).build().unwrap();
        match select(Box::pin(body(&system)), WATCH.sleep(LIMIT)).await {
            Either::Left(_) => {}
            Either::Right(_) => panic!("a wake-up was lost: {:#?}", system.snapshot()),
        }
        system.shutdown().await;
        assert!(system.ledger().is_balanced());
    });
}

fn player(system: &System, place: PlaceKind) -> ActorRef<Player> {
    let options = SpawnOptions::new().place(place).mailbox_messages_max(2);
    system.spawn(options, Player::default).unwrap()
}

#[test]
fn askers_and_an_actor_always_meet() {
    for place in PlaceKind::OF_THIS_PROCESS {
        on_a_system(async |system| {
            let actor = player(system, place);
            let askers = (0..4_u64).map(|asker| {
                let actor = actor.clone();
                async_thread(move || {
                    let mut moments = Moments(asker);
                    for number in 0..2_000 {
                        moments.pass();
                        assert_eq!(block_on(actor.ask(Ping(number), LIMIT)).unwrap(), number);
                    }
                })
            });
            join_all(askers.collect::<Vec<_>>()).await;
        });
    }
}

#[test]
fn urgent_and_normal_senders_always_meet_the_actor() {
    for place in PlaceKind::OF_THIS_PROCESS {
        on_a_system(async |system| {
            let actor = player(system, place);
            let urgent = actor.ask(Trust, LIMIT).await.unwrap();
            let askers = (0..4_u64).map(|asker| {
                let (actor, urgent) = (actor.clone(), urgent.clone());
                async_thread(move || {
                    for number in 0..1_000 {
                        let reply = if asker % 2 == 0 {
                            block_on(actor.ask(Ping(number), LIMIT))
                        } else {
                            block_on(urgent.ask(Ping(number), LIMIT))
                        };
                        assert_eq!(reply.unwrap(), number);
                    }
                })
            });
            join_all(askers.collect::<Vec<_>>()).await;
        });
    }
}

#[test]
fn signals_always_meet_the_actor() {
    for place in PlaceKind::OF_THIS_PROCESS {
        on_a_system(async |system| {
            let actor = player(system, place);
            let pinging = async_thread({
                let actor = actor.clone();
                move || {
                    for number in 0..2_000 {
                        // An interrupt may abandon it; it must be answered in any case.
                        let _ = block_on(actor.ask(Ping(number), LIMIT));
                    }
                }
            });
            for round in 0..500 {
                for signal in [Signal::Suspend, Signal::Resume, Signal::Interrupt, Signal::Inspect]
                {
                    let effect = actor.any().signal_within(signal, LIMIT).await;
                    assert_eq!(effect, Effect::Done, "{signal:?} in round {round}");
                }
            }
            pinging.await;
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However many balls fly, between whatever places: all of them come down.
    #[test]
    fn actors_that_pass_messages_on_always_meet(
        threads in any::<[bool; 2]>(), balls in 1_u64..4, passes in 0_u64..400, seeds in any::<[u64; 2]>(),
    ) {
        let mut landed = 0;
        on_a_system(async |system| {
            let [first, second] = [0, 1].map(|side: usize| {
                let place = if threads[side] { PlaceKind::Thread } else { PlaceKind::Task };
                let options = SpawnOptions::new().place(place).mailbox_messages_max(8);
                let moments = move || Player { peer: None, moments: Moments(seeds[side]) };
                system.spawn(options, moments).unwrap()
            });
            first.ask(Introduce(second.clone()), LIMIT).await.unwrap();
            second.ask(Introduce(first.clone()), LIMIT).await.unwrap();
            let (done, landing) = std::sync::mpsc::channel();
            for _ in 0..balls {
                first.tell(Pass { left: passes, done: done.clone() }).await.unwrap();
            }
            landed = async_thread(move || {
                (0..balls).filter(|_| landing.recv_timeout(LIMIT).is_ok()).count() as u64
            })
            .await;
        });
        prop_assert_eq!(landed, balls);
    }
}

/// Runs `work` on a thread of its own at once.
fn async_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let _ = sender.send(work());
    });
    async { receiver.await.expect("the work did not panic") }
}
