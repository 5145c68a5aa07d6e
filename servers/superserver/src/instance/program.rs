//! An instance that is a program.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use palco_actors::{Actor, Context};
use palco_processes::{Child, Exit, Launch, LaunchError};
use socket2::Socket;

use super::attend::Running;
use super::beside::{Beside, Nothing};
use super::family::Family;
use super::idle::Unused;
use super::{Client, Instance};
use crate::access::{Extras, Judgement};
use crate::gate::Permit;
use crate::journal;
use crate::launch::{Besides, Given, launch};
use crate::service::{Counts, Definition, Service};
use crate::spec::{Account, Program, Run};
use crate::urgent::{Duplicate, Served};

/// What a shell of hosts_options(5) is.
const SHELL: &str = "/bin/sh";
/// How long a condition that is asked to end may take.
const CONDITION_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// What is started, and for which service.
pub(super) struct Of<'a> {
    pub(super) service: &'a Arc<Service>,
    pub(super) definition: &'a Definition,
    pub(super) program: &'a Program,
}

impl Instance {
    /// The client gets a program of its own.
    pub(super) async fn serve_by_program(
        &self,
        cx: &Context<Self>,
        of: Of<'_>,
        client: Client,
        extras: Extras,
        permit: Permit,
    ) {
        let from = client.name();
        run_in_background(of.service, &extras);
        let other = match instead(of.program, &extras) {
            Ok(other) => other,
            Err(reason) => return of.service.note_failure(reason, from),
        };
        let of = Of { program: other.as_ref().unwrap_or(of.program), ..of };
        tune(&client.socket, &extras);
        let besides =
            Besides { environment: extras.environment, nice: extras.nice, umask: extras.umask };
        let (duplicate, service) = (of.duplicate(&client), of.service);
        let given = Given::Connection { socket: client.socket, peer: client.peer };
        let made = launch(of.definition, of.program, given, besides);
        let listening = |pid, family: &Arc<Family>| {
            let served = Served { service, pid, family, actor: cx.actor_ref().any() };
            duplicate?.listen(service.house.exchange.get()?, served)
        };
        self.run(cx, of, made, from, listening).await;
        drop(permit);
    }

    /// What hosts_options(5) say about a client that is refused: a command in the background, or one instead of the program.
    pub(super) async fn follow_refusal(
        &self,
        cx: &Context<Self>,
        definition: &Definition,
        client: Client,
        extras: Extras,
    ) {
        let service = &self.service;
        run_in_background(service, &extras);
        let Run::Program(program) = &definition.spec.run else { return };
        let from = client.name();
        match instead(program, &extras) {
            Ok(Some(program)) if extras.twist.is_some() => {
                let given = Given::Connection { socket: client.socket, peer: client.peer };
                let made = launch(definition, &program, given, Besides::default());
                let of = Of { service, definition, program: &program };
                self.run(cx, of, made, from, |_, _| Nothing).await;
            }
            Ok(_) => {}
            Err(reason) => service.note_failure(reason, from),
        }
    }

    /// A program that accepts its clients itself.
    pub(super) async fn stand(&self, cx: &Context<Self>, sockets: &[Socket], permit: Permit) {
        let service = &self.service;
        let definition = &*service.definition();
        let Run::Program(program) = &definition.spec.run else { return };
        let made = launch(definition, program, Given::Sockets(sockets), Besides::default());
        let idle = definition.spec.limits.idle;
        let unused = |pid, _: &_| Unused::new(idle, pid, sockets);
        self.run(cx, Of { service, definition, program }, made, None, unused).await;
        drop(permit);
    }

    /// Starts it and stays until it has ended.
    async fn run<B: Beside>(
        &self,
        cx: &Context<Self>,
        of: Of<'_>,
        made: Result<Launch, LaunchError>,
        from: Option<String>,
        beside: impl FnOnce(i32, &Arc<Family>) -> B,
    ) {
        let Of { service, definition, program } = of;
        let begin = Instant::now();
        let house = &service.house;
        cx.note(|| "starting");
        let started = made.and_then(|launch| house.spawner.spawn_blocking(launch));
        self.has_started();
        let child = match started {
            Ok(child) => child,
            Err(error) => return service.note_failure(format!("fork: {error}"), from),
        };
        let pid = child.pid();
        self.presence.begin(pid, self.source, self.is_single);
        let obtained = definition.fence.as_ref().map(|fence| fence.obtained().to_string());
        cx.stands_for(pid, obtained);
        service.note_start(Some(pid), from);
        let outcome = match Running::new(child, program.new_session, house) {
            Ok(running) => {
                let family = running.family();
                let beside = beside(pid, &family);
                let line = beside.line();
                cx.on_hold(move |held| {
                    family.signal(if held { Signal::SIGSTOP } else { Signal::SIGCONT });
                    if let Some(line) = &line {
                        line.note_rest(held);
                    }
                });
                cx.note(|| "running");
                running.attend(cx, definition.spec.limits.end_within, beside).await
            }
            Err(error) => Some(Err(error)),
        };
        match outcome {
            Some(Ok(exit)) => {
                self.presence.end(pid, exit, begin.elapsed());
                service.note_end(Some(pid), &journal::how(exit), begin.elapsed());
            }
            Some(Err(error)) => {
                service.note_end(Some(pid), &format!("unknown ({error})"), begin.elapsed());
            }
            None => {}
        }
    }
}

impl Of<'_> {
    /// Of the client's connection, if it is to be listened to.
    fn duplicate(&self, client: &Client) -> Option<Duplicate> {
        let is_on = self.program.deaf().is_none() && self.service.house.exchange.get().is_some();
        Duplicate::of(&client.socket, client.peer.filter(|_| is_on)?)
    }
}

impl Service {
    pub(crate) fn note_start(&self, pid: Option<i32>, from: Option<String>) {
        Counts::add(&self.counts.started);
        self.house.journal.note(&self.id, journal::Event::Start { pid, from });
    }
}

/// What is started instead of the program, if access control says so: it as another user, or a command.
fn instead(program: &Program, extras: &Extras) -> Result<Option<Program>, String> {
    if extras.user.is_none() && extras.twist.is_none() {
        return Ok(None);
    }
    let mut other = program.clone();
    if let Some(user) = &extras.user {
        other.account = Some(Account::look_up(user, extras.group.as_deref())?);
    }
    Ok(Some(match &extras.twist {
        Some(command) => shell_program(&other, command),
        None => other,
    }))
}

/// `command` for a shell in place of the program, with the same state otherwise.
fn shell_program(program: &Program, command: &str) -> Program {
    let mut shell = Program { path: SHELL.into(), arg0: "sh".into(), ..program.clone() };
    shell.args = vec!["-c".into(), command.into()];
    shell
}

/// What hosts_options(5) set on the connection.
fn tune(socket: &Socket, extras: &Extras) {
    let tuned = match extras.keepalive {
        true => socket.set_keepalive(true),
        false => Ok(()),
    };
    let tuned = tuned.and_then(|()| match extras.linger {
        Some(time) => socket.set_linger(Some(time)),
        None => Ok(()),
    });
    if let Err(error) = tuned {
        tracing::debug!(%error, "options of a connection");
    }
}

/// `spawn` of hosts_options(5): nobody waits for it.
fn run_in_background(service: &Service, extras: &Extras) {
    for command in &extras.spawn {
        match start_shell(service, command) {
            Ok(child) => child.leave(),
            Err(error) => service.note_failure(format!("spawn: {error}"), None),
        }
    }
}

/// `aclexec` of hosts_options(5): who is granted anything is granted it only if all these commands end well.
pub(super) async fn under_conditions<A: Actor>(
    cx: &Context<A>,
    service: &Service,
    extras: Extras,
) -> Judgement {
    for command in &extras.conditions {
        cx.note(|| "waiting for a condition of hosts.allow");
        let ended = match start_shell(service, command) {
            Ok(child) => match Running::new(child, true, &service.house) {
                Ok(running) => running.attend(cx, CONDITION_ENDS_WITHIN, Nothing).await,
                Err(error) => Some(Err(error)),
            },
            Err(error) => Some(Err(std::io::Error::other(error))),
        };
        if !matches!(ended, Some(Ok(Exit::Exited(0)))) {
            let reason = format!("libwrap: the condition `{command}` does not hold");
            return Judgement::Refused { reason, extras };
        }
    }
    Judgement::Granted(extras)
}

/// A command with standard input, output and error on the null device.
fn start_shell(service: &Service, command: &str) -> Result<Child, LaunchError> {
    let null = || File::options().read(true).write(true).open("/dev/null");
    let mut launch = Launch::new(SHELL).arg0("sh").arg("-c").arg(command).inherit_env();
    for number in 0..=2 {
        launch = launch.fd(number, null().map_err(LaunchError::Socket)?);
    }
    service.house.spawner.spawn_blocking(launch.new_session())
}
