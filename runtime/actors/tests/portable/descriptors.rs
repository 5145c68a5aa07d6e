//! Open files and sockets inside messages: they arrive, in their order, once, and nobody else is left holding them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, PipeReader, Read, Write};

use palco_actors::{
    Actor, ActorRef, AskError, Context, Descriptor, DropReason, ExitReason, Failure, Handler,
    Luggage, Message, MessageTable, Parcel, Portable, Restart,
};
use serde::{Deserialize, Serialize};

use crate::stage::{Column, LIMIT, Stage, trials};

trials! {
    Column::OF_THIS_MACHINE => [
        what_a_message_holds_open_arrives_with_it,
        urgent_and_normal_ones_are_not_mixed_up,
        a_flood_of_them_arrives_whole_and_in_order,
        what_was_dealt_with_is_closed,
    ],
    Column::PROCESSES => [
        what_was_not_begun_survives_a_crash,
        too_many_in_one_message_are_refused,
        a_reply_cannot_hold_one,
        a_process_that_may_have_no_more_open_says_so,
    ],
}

/// Writes and keeps what it is given.
pub(crate) struct Clerk {
    kept: Vec<Descriptor>,
}

/// Writes a number into a file.
#[derive(Debug, Serialize, Deserialize)]
struct Sign(u32, Descriptor);

impl Message for Sign {
    type Reply = ();
}

/// Keeps them open.
#[derive(Debug, Serialize, Deserialize)]
struct Keep(Vec<Descriptor>);

impl Message for Keep {
    type Reply = usize;
}

/// Asks one back.
#[derive(Debug, Serialize, Deserialize)]
struct Lend;

impl Message for Lend {
    type Reply = Descriptor;
}

/// Ends the process, the first time.
#[derive(Debug, Serialize, Deserialize)]
struct Crash;

impl Message for Crash {
    type Reply = ();
}

impl Portable for Clerk {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "clerk".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Sign>().handles::<Keep>().handles::<Lend>().handles::<Crash>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self { kept: Vec::new() })
    }
}

impl Actor for Clerk {}

impl Handler<Sign> for Clerk {
    async fn handle(&mut self, Sign(number, file): Sign, _: &mut Context<Self>) {
        let mut file = File::from(file.into_owned().unwrap());
        file.write_all(&number.to_le_bytes()).unwrap();
    }
}

impl Handler<Keep> for Clerk {
    async fn handle(&mut self, Keep(files): Keep, _: &mut Context<Self>) -> usize {
        self.kept.extend(files);
        self.kept.len()
    }
}

impl Handler<Lend> for Clerk {
    async fn handle(&mut self, _: Lend, _: &mut Context<Self>) -> Descriptor {
        Descriptor::new(io::pipe().unwrap().0)
    }
}

impl Handler<Crash> for Clerk {
    async fn handle(&mut self, _: Crash, _: &mut Context<Self>) {
        std::process::abort()
    }
}

fn clerk(stage: &Stage) -> ActorRef<Clerk> {
    let options = stage.options().restart(Restart::OnFailure);
    stage.system.spawn_portable(options, || Ok(Parcel::new(()))).unwrap()
}

fn pipe() -> (PipeReader, Descriptor) {
    let (reader, writer) = io::pipe().unwrap();
    (reader, Descriptor::new(writer))
}

/// What was signed, in order; ends when nobody holds a writing end any more.
fn signed(mut reader: PipeReader) -> Vec<u32> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes.chunks(4).map(|chunk| u32::from_le_bytes(chunk.try_into().unwrap())).collect()
}

async fn what_a_message_holds_open_arrives_with_it(stage: &Stage) {
    let clerk = clerk(stage);
    let (reader, writer) = pipe();
    clerk.ask(Sign(7, writer), LIMIT).await.unwrap();
    assert_eq!(signed(reader), [7]);
}

async fn urgent_and_normal_ones_are_not_mixed_up(stage: &Stage) {
    let clerk = clerk(stage);
    let urgent = stage.system.urgent_ref(&clerk).unwrap();
    let (normal_reader, normal) = io::pipe().unwrap();
    let (urgent_reader, other) = io::pipe().unwrap();
    for number in 0..100 {
        clerk.tell(Sign(number, Descriptor::new(normal.try_clone().unwrap()))).await.unwrap();
        urgent.tell(Sign(number, Descriptor::new(other.try_clone().unwrap()))).await.unwrap();
    }
    drop((normal, other));
    let numbers: Vec<u32> = (0..100).collect();
    assert_eq!(signed(normal_reader), numbers);
    assert_eq!(signed(urgent_reader), numbers);
}

async fn a_flood_of_them_arrives_whole_and_in_order(stage: &Stage) {
    let clerk = clerk(stage);
    let (reader, writer) = io::pipe().unwrap();
    for number in 0..1000 {
        clerk.tell(Sign(number, Descriptor::new(writer.try_clone().unwrap()))).await.unwrap();
    }
    drop(writer);
    assert_eq!(signed(reader), (0..1000).collect::<Vec<u32>>());
}

/// Else a connection would not be closed with its last user: `signed` ends only when that is so.
async fn what_was_dealt_with_is_closed(stage: &Stage) {
    let clerk = clerk(stage);
    let (reader, writer) = pipe();
    let (kept_reader, kept) = pipe();
    clerk.ask(Keep(vec![kept]), LIMIT).await.unwrap();
    clerk.ask(Sign(1, writer), LIMIT).await.unwrap();
    assert_eq!(signed(reader), [1]);
    clerk.stop();
    assert_eq!(clerk.exited().await, ExitReason::Stopped);
    assert!(signed(kept_reader).is_empty());
}

async fn what_was_not_begun_survives_a_crash(stage: &Stage) {
    let clerk = clerk(stage);
    let (reader, writer) = io::pipe().unwrap();
    clerk.tell(Crash).await.unwrap();
    for number in 0..40 {
        clerk.tell(Sign(number, Descriptor::new(writer.try_clone().unwrap()))).await.unwrap();
    }
    drop(writer);
    assert_eq!(signed(reader), (0..40).collect::<Vec<u32>>());
    assert_eq!(clerk.any().snapshot().restarts, 1);
}

async fn too_many_in_one_message_are_refused(stage: &Stage) {
    let clerk = clerk(stage);
    let of = |count| (0..count).map(|_| pipe().1).collect();
    let most = Descriptor::PER_MESSAGE_MAX;
    assert_eq!(clerk.ask(Keep(of(most)), LIMIT).await.unwrap(), most);
    let refused = clerk.ask(Keep(of(most + 1)), LIMIT).await;
    assert!(matches!(refused, Err(AskError::Dropped(DropReason::NotPortable))), "{refused:?}");
}

async fn a_reply_cannot_hold_one(stage: &Stage) {
    let clerk = clerk(stage);
    let refused = clerk.ask(Lend, LIMIT).await;
    assert!(matches!(refused, Err(AskError::Dropped(DropReason::NotPortable))), "{refused:?}");
    assert_eq!(clerk.ask(Keep(Vec::new()), LIMIT).await.unwrap(), 0, "and goes on");
}

async fn a_process_that_may_have_no_more_open_says_so(stage: &Stage) {
    let options = stage.options();
    let clerk: ActorRef<Clerk> =
        stage.system.spawn_portable(options, || Ok(Parcel::new(()))).unwrap();
    for _ in 0..10 {
        let files = (0..10).map(|_| pipe().1).collect();
        if clerk.ask(Keep(files), LIMIT).await.is_err() {
            break;
        }
    }
    let reason = clerk.exited().await.to_string();
    assert!(reason.contains("may not have so many open"), "{reason}");
}
