//! The stage's side: an actor that accepts, and one actor for each who asks, so that a slow answer holds up nobody.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use palco_actors::{
    Actor, AnyRef, Context, Failure, Handler, Message, PlaceKind, Restart, Signal, SpawnOptions,
    Wait,
};

use palco_replica::{Cluster, Wanted, Wish, key_of, reconfigure};

use super::protocol::{HeldView, InspectView, REQUEST_BYTES_MAX, Reply, Request, RequestsView};
use super::socket::ControlSocket;
use crate::inetd::{self, Installed};
use crate::stage::{self, Stage};

/// Who connects and then says nothing is hung up on.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);

/// How many requests of each server are listed.
const REQUESTS_MAX: usize = 100;

/// How many names an error lists.
const NAMES_SHOWN_MAX: usize = 12;

/// Starts answering on `socket`, as the actor `control`.
pub(crate) fn serve(stage: &Arc<Stage>, socket: &ControlSocket) -> Result<()> {
    let listener = Arc::new(socket.listener()?);
    let options =
        SpawnOptions::new().name("control").place(PlaceKind::Thread).restart(Restart::Always);
    // Weak: the stage holds the system, the system this actor.
    let stage = Arc::downgrade(stage);
    stage.upgrade().context("the stage has ended")?.system.spawn(options, move || Control {
        listener: Arc::clone(&listener),
        stage: stage.clone(),
    })?;
    Ok(())
}

struct Control {
    listener: Arc<UnixListener>,
    stage: std::sync::Weak<Stage>,
}

struct Run;

impl Message for Run {
    type Reply = ();
}

impl Actor for Control {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts();
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }
}

impl Handler<Run> for Control {
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        // std's accept begins again after EINTR and would never hear a signal: wait for readiness first.
        cx.note(|| "accepting");
        while let Some(ready) = cx.blocking_call(Wait::UntilStop, || readable(&self.listener)).await
        {
            let accepted = ready.and_then(|()| self.listener.accept());
            let (Ok((stream, _)), Some(stage)) = (accepted, self.stage.upgrade()) else { continue };
            let mut parts = Some((stream, stage));
            let made = cx.spawn(SpawnOptions::new().place(PlaceKind::Thread), move || {
                let (stream, stage) = parts.take().expect("never restarted");
                Asking { stream, stage }
            });
            match made {
                Ok(asking) => drop(asking.try_tell(Run)),
                Err(error) => tracing::warn!(%error, "cannot answer on the control socket"),
            }
        }
    }
}

fn readable(listener: &UnixListener) -> std::io::Result<()> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
    Ok(())
}

/// One who asks.
struct Asking {
    stream: UnixStream,
    stage: Arc<Stage>,
}

impl Actor for Asking {}

impl Handler<Run> for Asking {
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        cx.finish();
        cx.note(|| "answering");
        let reply = match self.read() {
            Ok(Request::TakeOver) => {
                let handed_over = match self.stage.superserver {
                    Some(_) => inetd::hand_over(&self.stage, &self.stream),
                    None => stage::hand_over(&self.stage, &self.stream),
                };
                if let Err(error) = handed_over {
                    tracing::error!("{error:#}");
                }
                return;
            }
            Ok(request) => answer(&self.stage, request).await,
            Err(error) => Reply::Error(format!("{error:#}")),
        };
        let Ok(mut line) = serde_json::to_string(&reply) else { return };
        line.push('\n');
        // Who asked may have gone.
        let _ = self.stream.write_all(line.as_bytes());
    }
}

impl Asking {
    fn read(&mut self) -> Result<Request> {
        self.stream.set_read_timeout(Some(REQUEST_WITHIN))?;
        self.stream.set_write_timeout(Some(REQUEST_WITHIN))?;
        let mut line = String::new();
        // A successor sends nothing more until it is answered: nothing is read beyond the line.
        BufReader::new((&self.stream).take(REQUEST_BYTES_MAX))
            .read_line(&mut line)
            .context("cannot read the request")?;
        serde_json::from_str(&line).context("the request is not understood")
    }
}

async fn answer(stage: &Stage, request: Request) -> Reply {
    match request {
        Request::Stage => Reply::Stage(stage.view()),
        Request::Actors => Reply::Actors { stage: stage.view(), actors: stage.system.snapshot() },
        Request::Superserver => match installed(stage) {
            Ok(installed) => Reply::Superserver(Box::new(installed.superserver.status())),
            Err(text) => Reply::Error(text),
        },
        Request::Registers => match keepers(stage) {
            Ok(keepers) => Reply::Registers(keepers.view().await),
            Err(text) => Reply::Error(text),
        },
        Request::Tags { keys } => match keepers(stage) {
            Ok(keepers) => Reply::Tags(held(keepers, keys).await),
            Err(text) => Reply::Error(text),
        },
        Request::Reconfigure { wish, within_ms } => {
            let within = Duration::from_millis(within_ms);
            match keepers(stage) {
                Ok(keepers) => reconfigured(keepers, &wish, within).await,
                Err(text) => Reply::Error(text),
            }
        }
        Request::Allow { peer } => match keepers(stage).and_then(|keepers| keepers.allow(peer)) {
            Ok(()) => Reply::Allowed,
            Err(text) => Reply::Error(text),
        },
        Request::Reload => match installed(stage).and_then(Installed::reload) {
            Ok(changes) => Reply::Reloaded(changes),
            Err(text) => Reply::Error(text),
        },
        Request::Status => {
            Reply::Status { uptime_s: stage.uptime().as_secs(), servers: stage.statuses() }
        }
        Request::Requests => Reply::Requests(RequestsView {
            urgent: stage.urgent.as_ref().map(|urgent| urgent.status()),
            requests: stage.requests(REQUESTS_MAX),
        }),
        Request::Act { request, verb } => match stage.act(&request, verb).await {
            Ok(answer) => Reply::Acted { request, answer },
            Err(text) => Reply::Error(text),
        },
        Request::TakeOver => Reply::Error("no other request on this connection".to_owned()),
        Request::Inspect { name, within_ms } => match find(stage, &name) {
            Ok(actor) => {
                let inspection = actor.inspect(Duration::from_millis(within_ms)).await;
                let server = stage.view().servers.into_iter().find(|server| server.name == name);
                Reply::Inspection(Box::new(InspectView { inspection, server }))
            }
            Err(text) => Reply::Error(text),
        },
        Request::Signal { name, signal, within_ms } => match (stage.server(&name), signal) {
            (Some(server), Signal::Stop) => Reply::Drained { report: server.drain().await, name },
            _ => match find(stage, &name) {
                Ok(actor) if signal == Signal::Restart && !actor.can_be_restarted() => {
                    Reply::Error(format!(
                        "nobody would start `{name}` again: it has no supervisor, or is never restarted"
                    ))
                }
                Ok(actor) => {
                    let effect =
                        actor.signal_within(signal, Duration::from_millis(within_ms)).await;
                    Reply::Effect { name: actor.path(), effect }
                }
                Err(text) => Reply::Error(text),
            },
        },
    }
}

fn keepers(stage: &Stage) -> Result<&dyn Cluster, String> {
    stage.registers.as_deref().ok_or_else(|| {
        "nothing here keeps registers: start `palco up`, whose stage has a section [registers], or `palco node`"
            .to_owned()
    })
}

/// What each node of this stage that can answer holds.
async fn held(keepers: &dyn Cluster, keys: Vec<String>) -> Vec<HeldView> {
    let keys: Vec<_> = keys.into_iter().map(|key| key_of(key.into())).collect();
    let view = keepers.view().await;
    let mut held = Vec::new();
    for (node, domain) in keepers.answering() {
        held.push(HeldView { node: view.name(node), holdings: domain.held(&keys).await });
    }
    held
}

async fn reconfigured(keepers: &dyn Cluster, wish: &Wish, within: Duration) -> Reply {
    let view = keepers.view().await;
    match wish.resolve(&view) {
        Ok((members, quorums)) => {
            let wanted = Wanted { expected: view.newest_indices(), members, quorums };
            Reply::Reconfigured(reconfigure(&keepers.domain(), &wanted, within).await)
        }
        Err(error) => Reply::Error(error.to_string()),
    }
}

fn installed(stage: &Stage) -> Result<&Installed, String> {
    let advice = "this stage has no superserver; one is started by `palco inetd`";
    stage.superserver.as_ref().ok_or_else(|| advice.to_owned())
}

fn find(stage: &Stage, name: &str) -> Result<AnyRef, String> {
    stage.system.find(name).ok_or_else(|| {
        let mut names: Vec<_> =
            stage.system.snapshot().into_iter().map(|actor| actor.path).collect();
        let similar: Vec<_> = names.iter().filter(|path| path.contains(name)).cloned().collect();
        if !similar.is_empty() {
            names = similar;
        }
        let more = names.len().saturating_sub(NAMES_SHOWN_MAX);
        names.truncate(NAMES_SHOWN_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("there is no actor `{name}`; there are: {}{more}", names.join(", "))
    })
}
