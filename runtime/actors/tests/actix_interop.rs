//! Tasks and actix actors on one loop: each sends to the other.
//!
//! The only test that names actix; everywhere else it is a detail of placement `task`.

#![cfg(test)]

use std::sync::mpsc;
use std::time::Duration;

use actix::prelude::{Actor as _, Addr};
use palco_actors::{
    ActixMessage, Actor, ActorRef, Context, Handler, Message, Place, PlaceKind, SendError,
    SpawnOptions, System, actix_recipient,
};
use palco_threads::block_on;

const LIMIT: Duration = Duration::from_secs(30);

/// A number to add.
#[derive(Debug)]
struct Add(u32);

impl Message for Add {
    type Reply = u32;
}

/// Adds up.
#[derive(Default)]
struct Sum(u32);

impl Actor for Sum {}

impl Handler<Add> for Sum {
    async fn handle(&mut self, Add(number): Add, _: &mut Context<Self>) -> u32 {
        self.0 += number;
        self.0
    }
}

/// Blocks its thread until told to go on.
struct Block(mpsc::Receiver<()>);

impl Message for Block {
    type Reply = ();
}

impl Handler<Block> for Sum {
    async fn handle(&mut self, Block(go): Block, _: &mut Context<Self>) {
        let _ = go.recv_timeout(LIMIT);
    }
}

/// An actor of actix, as found in the wild.
struct Doubler;

impl actix::Actor for Doubler {
    type Context = actix::Context<Self>;
}

struct Double(u32);

impl actix::Message for Double {
    type Result = u32;
}

impl actix::Handler<Double> for Doubler {
    type Result = u32;

    fn handle(&mut self, Double(number): Double, _: &mut Self::Context) -> u32 {
        number * 2
    }
}

/// A task of ours beside actors of actix.
#[derive(Default)]
struct Bridge {
    doubler: Option<Addr<Doubler>>,
}

impl Actor for Bridge {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), palco_actors::Failure> {
        self.doubler = Some(Doubler.start());
        Ok(())
    }
}

/// Asks the actix actor to double a number.
struct Forward(u32);

impl Message for Forward {
    type Reply = u32;
}

impl Handler<Forward> for Bridge {
    async fn handle(&mut self, Forward(number): Forward, _: &mut Context<Self>) -> u32 {
        let doubler = self.doubler.as_ref().expect("started with the actor");
        doubler.send(Double(number)).await.expect("it lives as long as its address")
    }
}

/// Has actix code send these numbers to an actor of ours, in this order; replies with the answers.
struct Send(ActorRef<Sum>, Vec<u32>);

impl Message for Send {
    type Reply = Vec<Result<(), SendError<Add>>>;
}

impl Handler<Send> for Bridge {
    async fn handle(
        &mut self,
        Send(target, numbers): Send,
        _: &mut Context<Self>,
    ) -> Vec<Result<(), SendError<Add>>> {
        let recipient = actix_recipient::<Sum, Add>(&target);
        let mut answers = Vec::new();
        for number in numbers {
            answers.push(recipient.send(ActixMessage(Add(number))).await.expect("the gate lives"));
        }
        answers
    }
}

fn on_a_system(body: impl AsyncFnOnce(&System)) {
    block_on(async {
        let system = System::builder().event_loops(1).build().unwrap();
        body(&system).await;
        system.shutdown().await;
        assert!(system.ledger().is_balanced());
    });
}

#[test]
fn a_task_asks_an_actix_actor_on_its_own_loop() {
    on_a_system(async |system| {
        let bridge = system.spawn(SpawnOptions::new(), Bridge::default).unwrap();
        for number in 0..100 {
            assert_eq!(bridge.ask(Forward(number), LIMIT).await.unwrap(), number * 2);
        }
    });
}

#[test]
fn actix_code_sends_to_an_actor_in_any_place_of_its_process() {
    on_a_system(async |system| {
        let bridge = system.spawn(SpawnOptions::new(), Bridge::default).unwrap();
        for place in PlaceKind::OF_THIS_PROCESS {
            let sum = system.spawn(SpawnOptions::new().place(place), Sum::default).unwrap();
            let answers = bridge.ask(Send(sum.clone(), (1..=100).collect()), LIMIT).await.unwrap();
            assert!(answers.iter().all(Result::is_ok));
            assert_eq!(sum.ask(Add(0), LIMIT).await.unwrap(), 5_050);
        }
    });
}

#[test]
fn actix_code_is_told_of_a_full_and_of_a_closed_mailbox() {
    on_a_system(async |system| {
        let bridge = system.spawn(SpawnOptions::new(), Bridge::default).unwrap();
        let options = SpawnOptions::new().place(Place::Thread).mailbox_messages_max(1);
        let sum = system.spawn(options, Sum::default).unwrap();
        let (go, gate) = mpsc::channel();
        sum.tell(Block(gate)).await.unwrap();
        // The first has room once the block is with its handler; the last has none.
        sum.tell(Add(1)).await.unwrap();
        let answers = bridge.ask(Send(sum.clone(), vec![2]), LIMIT).await.unwrap();
        assert!(matches!(answers[..], [Err(SendError::Full(Add(2)))]), "{answers:?}");
        go.send(()).unwrap();
        sum.stop();
        sum.exited().await;
        let answers = bridge.ask(Send(sum, vec![3]), LIMIT).await.unwrap();
        assert!(matches!(answers[..], [Err(SendError::Closed(Add(3)))]), "{answers:?}");
    });
}
