//! Superservers side by side: what one program per connection costs palco and the inetds that are there.
//!
//! All of them stand from the start, each with the same programs on ports of 127.0.0.1, and without a limit that could
//! act. In each round each has its turn with each program, in an order that is rotated: a client that connects, is
//! served to the end and connects again, then several of them at once. Processor time is the superserver's own and that
//! of the programs it starts, never the client's.

mod client;
mod programs;
mod report;
mod server;
mod subject;

use std::time::Duration;

use super::{Progress, Settings};
use crate::account::{self, Account};
use crate::actors::{Refusal, Round};
use crate::family;
use client::Asked;
use programs::Program;
pub use report::{SuperserverRow, SuperserverTable, Superservers};
use server::Server;
use subject::Subject;

/// Clients at once.
const CLIENTS: usize = 8;

/// How often more connections they open together than one alone.
const CONCURRENT_FACTOR: usize = 2;

/// One turn of one superserver with one program.
#[derive(Clone, Debug)]
struct Turn {
    sequential: Round,
    concurrent: Round,
    failures: u64,
    /// The first of them.
    failure: Option<String>,
}

/// The turns of one superserver with one program, or why there are none.
type Played = Result<Vec<Turn>, String>;

/// Measures; what is not on this machine has rows that say so.
pub(super) fn run(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Superservers {
    let (programs, notes) = programs::all();
    let mut stage = stage(settings, &programs);
    let mut played: Vec<Vec<Played>> = programs.iter().map(|_| turns_of(&stage)).collect();
    let rounds = settings.rounds.max(1);
    let total = rounds * programs.len() * stage.len();
    let mut done = 0;
    for round in 0..rounds {
        for (index, program) in programs.iter().enumerate() {
            for turn in 0..stage.len() {
                let at = (turn + round) % stage.len();
                let (subject, server) = &mut stage[at];
                let what = format!("{}, {}", subject.name(), program.name);
                progress(Progress { what, round: round + 1, done, total });
                done += 1;
                if let (Ok(server), Ok(turns)) = (server, &mut played[index][at]) {
                    match take_turn(server, index, program, settings) {
                        Ok(turn) => turns.push(turn),
                        Err(refusal) => played[index][at] = Err(refusal.to_string()),
                    }
                }
            }
        }
    }
    let accounting = account::sentence(
        stage.iter().filter_map(|(_, server)| Some(server.as_ref().ok()?.account())),
    );
    let subjects: Vec<Subject> = stage.iter().map(|(subject, _)| subject.clone()).collect();
    // Ended before the report is made, not after.
    drop(stage);
    Superservers::new(accounting, &programs, &subjects, &played, notes)
}

/// All that are there, standing; the others with the reason why not.
fn stage(settings: &Settings, programs: &[Program]) -> Vec<(Subject, Result<Server, Refusal>)> {
    let start = |subject: Subject| {
        let server = Server::start(&subject, programs);
        (subject, server)
    };
    subject::all(settings).into_iter().map(start).collect()
}

fn turns_of(stage: &[(Subject, Result<Server, Refusal>)]) -> Vec<Played> {
    let turns = |(_, server): &(_, Result<Server, Refusal>)| match server {
        Ok(_) => Ok(Vec::new()),
        Err(refusal) => Err(refusal.to_string()),
    };
    stage.iter().map(turns).collect()
}

fn take_turn(
    server: &Server,
    service: usize,
    program: &Program,
    settings: &Settings,
) -> Result<Turn, Refusal> {
    let (address, exchange) = (server.address(service), program.exchange);
    let sequential = settings.connections.max(1);
    let concurrent = sequential * CONCURRENT_FACTOR;
    let ask = |clients: usize, count: usize, within: Duration| {
        client::ask(address, exchange, clients, count, within)
    };
    // A tenth to warm up, and no longer than a tenth of the time: a superserver that stalls is to stall where it counts.
    ask(1, sequential.div_ceil(10), settings.patience / 10);
    let account = server.account();
    let sequential = measured(account, || ask(1, sequential, settings.patience))?;
    let concurrent = measured(account, || ask(CLIENTS, concurrent, settings.patience))?;
    Ok(Turn {
        failures: sequential.1.failures + concurrent.1.failures,
        failure: sequential.1.failure.or(concurrent.1.failure),
        sequential: sequential.0,
        concurrent: concurrent.0,
    })
}

/// With the processor time that the server and its programs used meanwhile, to the end of the last program.
fn measured(account: &Account, ask: impl FnOnce() -> Asked) -> Result<(Round, Asked), Refusal> {
    family::settle();
    let before = account.nanos().map_err(Refusal::failed)?;
    let mut asked = ask();
    family::settle();
    let cpu_nanos = account.nanos().map_err(Refusal::failed)?.saturating_sub(before);
    let samples = std::mem::take(&mut asked.nanos);
    if samples.is_empty() {
        let why = asked.failure.unwrap_or_default();
        return Err(Refusal::failed(format_args!("no connection was served: {why}")));
    }
    let ops = samples.len() as u64;
    let round = Round { samples, ops, ops_per_sample: 1, wall_nanos: asked.wall_nanos, cpu_nanos };
    Ok((round, asked))
}
