//! The service: batches of commands over registers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, vec};

use bytes::Bytes;
use palco_service::services::resp::{Command, words};
use palco_service::{CallContext, Peer, Service};
use parking_lot::Mutex;

use super::act::Act;
use super::answer::Answer;
use super::client::{Client, Replies, Session};
use super::table::{self, Run, Spec};
use super::wave::Wave;
use super::{Batch, Reply, Settings, connection, looking, refused};
use crate::Registers;

/// Registers in the Redis protocol. One gateway serves all connections of a server.
pub struct Gateway {
    pub(super) registers: Arc<dyn Registers>,
    pub(super) settings: Settings,
    pub(super) counts: Counts,
    pub(super) since: Instant,
}

/// What a gateway has seen.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Connections so far.
    pub(super) connections: AtomicU64,
    /// Of them, those that are over.
    pub(super) gone: AtomicU64,
    /// Commands so far.
    pub(super) commands: AtomicU64,
}

/// Where a command is carried out that needs no registers.
pub(super) struct Here<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) cx: &'a CallContext<'a>,
}

impl Gateway {
    /// Over these registers.
    #[must_use]
    pub fn new(registers: Arc<dyn Registers>, settings: Settings) -> Self {
        Self { registers, settings, counts: Counts::default(), since: Instant::now() }
    }

    pub(super) fn has_password(&self) -> bool {
        self.settings.password.is_some()
    }

    /// Whether this is the password; whatever it is if there is none.
    pub(super) fn is_password(&self, said: &[u8]) -> bool {
        self.settings
            .password
            .as_ref()
            .is_none_or(|password| constant_time_eq::constant_time_eq(password.as_bytes(), said))
    }

    /// Answers the next commands of the batch: as many as can go together.
    async fn answer(&self, answers: &mut Answers, cx: &CallContext<'_>) {
        let first = answers.commands.as_slice().first();
        if let Some(Spec { run: Run::Alone(look), .. }) = first.and_then(spec_of) {
            return self.answer_alone(*look, answers, cx).await;
        }
        let mut portion = self.portion(answers, cx);
        self.finish(&mut portion.acts, &answers.client, cx).await;
        let mut acts = portion.acts.into_iter();
        let replies = portion.jobs.into_iter().map(|job| {
            let reply = job.answer.reply(acts.by_ref().take(job.acts));
            if job.is_silent { Reply::Nothing } else { reply }
        });
        answers.replies = replies.collect::<Vec<_>>().into_iter();
    }

    /// One command that looks at more than one key, and has nothing beside it.
    async fn answer_alone(&self, look: looking::Look, answers: &mut Answers, cx: &CallContext<'_>) {
        let Some(command) = answers.commands.next() else { return };
        let spec = spec_of(&command);
        let (refused, is_silent) = {
            let mut client = answers.client.lock();
            let is_silent = begin(&mut client) || client.replies == Replies::Off;
            (spec.and_then(|spec| refusal(spec, &client, &command)), is_silent)
        };
        self.counts.commands.fetch_add(1, Ordering::Relaxed);
        let reply = match refused {
            Some(refused) => refused,
            None => looking::look(self, look, &command, cx).await,
        };
        let reply = if is_silent { Reply::Nothing } else { reply };
        answers.replies = vec![reply].into_iter();
    }

    /// Takes commands while there is room, and carries out those that need no registers.
    fn portion(&self, answers: &mut Answers, cx: &CallContext<'_>) -> Portion {
        let mut portion = Portion::default();
        let mut client = answers.client.lock();
        let here = Here { gateway: self, cx };
        while let Some(command) = answers.commands.as_slice().first() {
            let spec = spec_of(command);
            if matches!(spec, Some(Spec { run: Run::Alone(_), .. })) {
                break;
            }
            let (begun, room) = (portion.acts.len(), self.settings.at_once_max.max(1));
            if portion.jobs.len() >= room || (begun > 0 && begun + command.len() > room) {
                break;
            }
            let skips = begin(&mut client);
            let answer = plan(&here, &mut client, spec, command, &mut portion.acts);
            let closes = matches!(&answer, Answer::Ready(reply) if reply.closes());
            let is_silent = skips || client.replies == Replies::Off;
            portion.jobs.push(Job { answer, acts: portion.acts.len() - begun, is_silent });
            answers.commands.next();
            if closes {
                // What comes behind the end is not for anybody.
                answers.commands = Vec::new().into_iter();
            }
        }
        self.counts.commands.fetch_add(portion.jobs.len() as u64, Ordering::Relaxed);
        portion
    }

    /// Takes step after step until all acts have ended, or their time is over.
    async fn finish(&self, acts: &mut [Act], client: &Mutex<Client>, cx: &CallContext<'_>) {
        let begun = cx.elapsed();
        let mut done = 0;
        loop {
            done += acts[done..].iter().take_while(|act| act.has_ended()).count();
            if done == acts.len() {
                return;
            }
            let left = self.settings.within.saturating_sub(cx.elapsed().saturating_sub(begun));
            if left == Duration::ZERO {
                acts[done..].iter_mut().for_each(Act::give_up);
                return;
            }
            if acts.len() > self.settings.at_once_max
                && acts.iter().map(Act::value_bytes).sum::<usize>() > self.settings.answer_bytes_max
            {
                let refusal = self.too_much();
                acts[done..].iter_mut().for_each(|act| act.refuse(&refusal));
                return;
            }
            let id = || client.lock().next_change();
            let (commands, waiting) =
                Wave::gather(acts, done, self.settings.at_once_max, id).split();
            let outcomes = self.registers.run(commands, left).await;
            waiting.deal(&outcomes, acts);
            if acts[done..].iter().any(|act| !act.has_ended()) {
                // A long chain on one key is not to keep the others of an event loop waiting.
                cx.checkpoint().await;
            }
        }
    }

    fn too_much(&self) -> Bytes {
        let limit = self.settings.answer_bytes_max;
        format!("ERR the values of these keys take more than {limit} bytes: ask for fewer at once")
            .into()
    }
}

fn spec_of(command: &Command) -> Option<&'static Spec> {
    table::find(command.name())
}

/// Whether this is the command that the client wants no reply to.
fn begin(client: &mut Client) -> bool {
    let skips = client.replies == Replies::Skip;
    if skips {
        client.replies = Replies::On;
    }
    skips
}

/// What a command is refused for before it is looked at.
fn refusal(spec: &Spec, client: &Client, command: &Command) -> Option<Reply> {
    if !spec.takes(command.len()) {
        return Some(Reply::Error(words::wrong_arity(spec.name)));
    }
    if spec.for_everybody() { None } else { connection::refuse_unknown(client) }
}

/// The answer to a command that needs no registers, or the acts of one that does.
fn plan(
    here: &Here<'_>,
    client: &mut Client,
    spec: Option<&Spec>,
    command: &Command,
    acts: &mut Vec<Act>,
) -> Answer {
    let Some(spec) = spec else {
        let unknown = || Reply::Error(words::unknown_command(command));
        return Answer::Ready(refused::refusal(command.name()).unwrap_or_else(unknown));
    };
    if let Some(refused) = refusal(spec, client, command) {
        return Answer::Ready(refused);
    }
    match spec.run {
        Run::Here(run) => Answer::Ready(run(here, client, command)),
        Run::Keys(_) if spec.changes() && !client.can_change() => Answer::Ready(Reply::error(
            "ERR the system gave no random number to know this connection by: connect again",
        )),
        Run::Keys(plan) => plan(acts, command).unwrap_or_else(Answer::Ready),
        Run::Alone(_) => Answer::Ready(Reply::error("ERR this command runs alone")),
    }
}

/// Commands that are carried out together.
#[derive(Default)]
struct Portion {
    jobs: Vec<Job>,
    /// Of all jobs, in their order.
    acts: Vec<Act>,
}

struct Job {
    answer: Answer,
    /// How many of the acts are of this one.
    acts: usize,
    is_silent: bool,
}

/// The answers to a batch, as far as they are there.
#[derive(Debug)]
pub struct Answers {
    client: Arc<Mutex<Client>>,
    /// Not begun yet.
    commands: vec::IntoIter<Command>,
    /// Not written yet.
    replies: vec::IntoIter<Reply>,
}

impl Answers {
    pub(super) fn next_reply(&mut self) -> Option<Reply> {
        self.replies.next()
    }
}

impl Service for Gateway {
    type Request = Batch;
    type Response = Answers;
    type Session = Session;

    fn open(&self, peer: &Peer) -> Session {
        let id = self.counts.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Session(Arc::new(Mutex::new(Client::new(id, peer, !self.has_password()))))
    }

    /// A quorum may take its time.
    fn takes_time(&self, _batch: &Batch) -> bool {
        true
    }

    async fn call(&self, session: &mut Session, batch: Batch, cx: &CallContext<'_>) -> Answers {
        let mut answers = Answers {
            client: Arc::clone(&session.0),
            commands: batch.commands.into_iter(),
            replies: Vec::new().into_iter(),
        };
        self.answer(&mut answers, cx).await;
        answers
    }

    async fn more(&self, answers: &mut Answers, cx: &CallContext<'_>) -> bool {
        if answers.replies.len() == 0 {
            if answers.commands.len() == 0 {
                return false;
            }
            self.answer(answers, cx).await;
        }
        true
    }

    fn close(&self, session: Session) {
        self.counts.gone.fetch_add(1, Ordering::Relaxed);
        drop(session);
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("settings", &self.settings).finish_non_exhaustive()
    }
}
