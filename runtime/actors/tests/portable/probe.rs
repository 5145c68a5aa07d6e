//! The actor under test: remembers what it was sent and does what it is told.

use std::borrow::Cow;
use std::future::pending;
use std::time::Duration;

use palco_actors::{
    Actor, Context, ExitReason, Failure, Grant, Handler, Luggage, Message, MessageTable, Portable,
    Wait,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a life is made from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) fault: Option<Fault>,
    /// A file that marks the lives: each life adds a line.
    pub(crate) diary: Option<String>,
    pub(crate) ballast: Vec<u8>,
}

/// What goes wrong at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fault {
    FailInMake,
    PanicInMake,
    FailInStart,
    PanicInStart,
    ExitInStart,
}

pub(crate) struct Probe {
    pushed: Vec<u32>,
    grant: Option<Grant>,
    plan: Plan,
}

/// Remembers a number; says how many it remembers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Push(pub(crate) u32);

impl Message for Push {
    type Reply = usize;
}

/// The numbers in the order in which they came.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pushed;

impl Message for Pushed {
    type Reply = Vec<u32>;
}

/// The process that handles this.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pid;

impl Message for Pid {
    type Reply = u32;
}

/// Gives back what it carries.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Carry(pub(crate) Vec<u8>);

impl Message for Carry {
    type Reply = Vec<u8>;
}

/// Does something that takes its time or its toll.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Do {
    /// Waits for ever at an await point.
    Wait,
    /// Waits in a blocking system call for ever, signals willing.
    Read,
    /// Computes for ever with checkpoints.
    Compute,
    /// Computes for so many milliseconds without any.
    Hog(u64),
    Panic,
    Fail,
    Finish,
    /// Has another life begin.
    Renew,
    Exit(i32),
    Abort,
    Segv,
    /// Allocates until there is no more.
    Allocate,
    /// Starts another program.
    Exec,
    /// A system call that nobody needs.
    Trace,
    /// Writes a file.
    Write,
}

impl Message for Do {
    type Reply = String;
}

/// Not in the table.
pub(crate) struct Secret;

impl Message for Secret {
    type Reply = ();
}

/// Asks the granted actor to push.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PushElsewhere(pub(crate) u32);

impl Message for PushElsewhere {
    type Reply = Result<usize, String>;
}

impl Portable for Probe {
    type Args = Plan;

    fn kind() -> Cow<'static, str> {
        "probe".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table
            .handles::<Push>()
            .handles::<Pushed>()
            .handles::<Pid>()
            .handles::<Carry>()
            .handles::<Do>()
            .handles::<PushElsewhere>();
    }

    fn make(plan: Plan, mut luggage: Luggage) -> Result<Self, Failure> {
        match plan.fault {
            Some(Fault::FailInMake) => return Err(Failure::new("no luck in make")),
            Some(Fault::PanicInMake) => panic!("deliberate, in make"),
            _ => {}
        }
        Ok(Self { pushed: Vec::new(), grant: luggage.take_grant().ok(), plan })
    }
}

impl Probe {
    fn note(&self, line: &str) {
        if let Some(path) = &self.plan.diary {
            let before = std::fs::read_to_string(path).unwrap_or_default();
            std::fs::write(path, before + line + "\n").unwrap();
        }
    }
}

impl Actor for Probe {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Failure> {
        self.note("started");
        match self.plan.fault {
            Some(Fault::FailInStart) => Err(Failure::new("no luck in start")),
            Some(Fault::PanicInStart) => panic!("deliberate, in started"),
            Some(Fault::ExitInStart) => std::process::exit(7),
            _ => Ok(()),
        }
    }

    async fn stopped(&mut self, reason: &ExitReason, _: &mut Context<Self>) {
        self.note(&format!("stopped: {reason}"));
    }

    fn state(&self) -> Value {
        json!({ "pushed": self.pushed })
    }
}

impl Handler<Push> for Probe {
    async fn handle(&mut self, message: Push, _: &mut Context<Self>) -> usize {
        self.pushed.push(message.0);
        self.pushed.len()
    }
}

impl Handler<Pushed> for Probe {
    async fn handle(&mut self, _: Pushed, _: &mut Context<Self>) -> Vec<u32> {
        self.pushed.clone()
    }
}

impl Handler<Pid> for Probe {
    async fn handle(&mut self, _: Pid, _: &mut Context<Self>) -> u32 {
        std::process::id()
    }
}

impl Handler<Carry> for Probe {
    async fn handle(&mut self, message: Carry, _: &mut Context<Self>) -> Vec<u8> {
        message.0
    }
}

impl Handler<Secret> for Probe {
    async fn handle(&mut self, _: Secret, _: &mut Context<Self>) {}
}

impl Handler<PushElsewhere> for Probe {
    async fn handle(
        &mut self,
        message: PushElsewhere,
        _: &mut Context<Self>,
    ) -> Result<usize, String> {
        let grant = self.grant.as_ref().ok_or("nobody granted")?;
        let other = grant.recipient::<Push>().map_err(|failure| failure.to_string())?;
        let asked = other.ask(Push(message.0), crate::stage::LIMIT).await;
        asked.map_err(|error| error.to_string())
    }
}

impl Handler<Do> for Probe {
    async fn handle(&mut self, message: Do, cx: &mut Context<Self>) -> String {
        cx.note(|| "as told");
        match message {
            Do::Wait => pending().await,
            Do::Read => {
                let (mut here, _there) = std::os::unix::net::UnixStream::pair().unwrap();
                let call = || std::io::Read::read(&mut here, &mut [0]);
                cx.blocking_call(Wait::UntilStop, call).await.map_or("stopped", |_| "read").into()
            }
            Do::Compute => loop {
                cx.checkpoint().await;
            },
            Do::Hog(ms) => {
                let begun = std::time::Instant::now();
                while begun.elapsed() < Duration::from_millis(ms) {
                    std::hint::spin_loop();
                }
                "hogged".into()
            }
            Do::Panic => panic!("deliberate, in a handler"),
            Do::Fail => {
                cx.fail(Failure::new("deliberate"));
                String::new()
            }
            Do::Finish => {
                cx.finish();
                String::new()
            }
            Do::Renew => {
                cx.renew();
                String::new()
            }
            Do::Exit(status) => std::process::exit(status),
            Do::Abort => std::process::abort(),
            Do::Segv => {
                nix::sys::signal::raise(nix::sys::signal::Signal::SIGSEGV).unwrap();
                String::new()
            }
            Do::Allocate => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(vec![1u8; 1 << 20]);
                }
            }
            Do::Exec => match std::process::Command::new("/bin/true").spawn() {
                Ok(_) => "executed".into(),
                Err(error) => error.kind().to_string(),
            },
            Do::Trace => format!("{:?}", nix::sys::ptrace::traceme()),
            Do::Write => {
                let path = std::env::temp_dir().join(format!("palco-{}", std::process::id()));
                match std::fs::write(&path, "written") {
                    Ok(()) => {
                        std::fs::remove_file(&path).unwrap();
                        "written".into()
                    }
                    Err(error) => error.kind().to_string(),
                }
            }
        }
    }
}
