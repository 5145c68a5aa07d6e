//! Something to find on the dashboard: a stage where one actor is stuck, and everybody waits for it.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use palco_actors::{
    Actor, ActorRef, Context, Failure, Handler, Message, Place, Restart, SpawnOptions, System, Wait,
};
use serde_json::{Value, json};

/// What is wrong on the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    /// A handler waits for a letter that never comes.
    Stuck,
}

/// How often somebody wants something of the archive.
const EVERY: Duration = Duration::from_millis(100);

/// How long a clerk waits for a file.
const PATIENCE: Duration = Duration::from_secs(20);

impl Demo {
    pub(crate) const ALL: [Self; 1] = [Self::Stuck];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
        }
    }

    /// What a person is to do with it.
    pub(crate) const fn task(self) -> &'static str {
        match self {
            Self::Stuck => {
                "Demo: one of these actors is stuck, and others wait for it. Find it, see why, and free it."
            }
        }
    }

    /// Starts the actors of this demo beside those of the stage.
    pub(crate) fn start(self, system: &System) -> Result<()> {
        match self {
            Self::Stuck => stuck(system).context("cannot start the demo"),
        }
    }
}

impl FromStr for Demo {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|demo| demo.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no demo `{name}`; demos are: {names}")
        })
    }
}

/// An archive on a thread of its own, a messenger that brings it letters, and clerks that ask it for files. The first
/// thing that the archive does is to wait for a letter from a friend who has none: interrupted, it goes on.
fn stuck(system: &System) -> Result<()> {
    let options = |name: &str| SpawnOptions::new().name(name).restart(Restart::OnFailure);
    let (friend, letterbox) = UnixStream::pair()?;
    let mut ends = Some((friend, letterbox));
    let archive = system.spawn(options("archive").place(Place::Thread), move || Archive {
        friend: ends.take(),
        letters: 0,
        files: 0,
    })?;
    archive.try_tell(WaitForFriend).map_err(|error| anyhow::anyhow!("{error}"))?;
    let of_messenger = archive.clone();
    system.spawn(options("messenger"), move || Messenger(of_messenger.clone()))?;
    for number in 1..=4 {
        let archive = archive.clone();
        system.spawn(options(&format!("clerk-{number}")), move || Clerk {
            archive: archive.clone(),
            files: 0,
        })?;
    }
    Ok(())
}

struct Archive {
    /// Both ends: nobody will ever write.
    friend: Option<(UnixStream, UnixStream)>,
    letters: u64,
    files: u64,
}

struct WaitForFriend;
struct Letter;
struct Fetch;
struct Again;

impl Message for WaitForFriend {
    type Reply = ();
}

impl Message for Letter {
    type Reply = ();
}

impl Message for Fetch {
    type Reply = u64;
}

impl Message for Again {
    type Reply = ();
}

impl Actor for Archive {
    fn state(&self) -> Value {
        json!({ "letters": self.letters, "files_fetched": self.files, "waits_for_friend": self.friend.is_some() })
    }
}

impl Handler<WaitForFriend> for Archive {
    async fn handle(&mut self, _: WaitForFriend, cx: &mut Context<Self>) {
        cx.note(|| "waiting for a letter from a friend");
        if let Some((mut letterbox, _friend)) = self.friend.take() {
            let _ = cx.blocking_call(Wait::UntilStop, || letterbox.read(&mut [0])).await;
        }
    }
}

impl Handler<Letter> for Archive {
    async fn handle(&mut self, _: Letter, _: &mut Context<Self>) {
        self.letters += 1;
    }
}

impl Handler<Fetch> for Archive {
    async fn handle(&mut self, _: Fetch, _: &mut Context<Self>) -> u64 {
        self.files += 1;
        self.files
    }
}

/// Brings a letter now and then, unless there is no room for it.
struct Messenger(ActorRef<Archive>);

impl Actor for Messenger {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(EVERY, Again);
        Ok(())
    }
}

impl Handler<Again> for Messenger {
    async fn handle(&mut self, _: Again, cx: &mut Context<Self>) {
        let _full = self.0.try_tell(Letter);
        cx.tell_after(EVERY, Again);
    }
}

/// Asks for a file now and then, and waits for it.
struct Clerk {
    archive: ActorRef<Archive>,
    files: u64,
}

impl Actor for Clerk {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(EVERY, Again);
        Ok(())
    }

    fn state(&self) -> Value {
        json!({ "files": self.files })
    }
}

impl Handler<Again> for Clerk {
    async fn handle(&mut self, _: Again, cx: &mut Context<Self>) {
        cx.note(|| "waiting for a file from the archive");
        if self.archive.ask(Fetch, PATIENCE).await.is_ok() {
            self.files += 1;
        }
        cx.tell_after(EVERY, Again);
    }
}
