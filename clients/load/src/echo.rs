//! Echo servers side by side: what a connection and a round trip cost under every model, beside servers written with
//! nothing but std's calls, and for processes in C.
//!
//! One client on one thread; the servers run in the same process and in processes that descend from it. A server's
//! processor time is that of all of them less that of the client's thread, so it includes what the kernel does on behalf
//! of the server's threads, the end of its processes, and everything the runtime does beside. All servers stand from the
//! start; rounds are interleaved, in an order that is rotated.
//!
//! * **Connection**: connect, send 64 bytes, read 64 bytes, close with a reset (so that ports do not run out).
//! * **Round trip**: 64 bytes there and back over one connection that stays.

mod bare;
mod bare_process;
mod client;
mod report;

use std::fmt;
use std::io;
use std::net::SocketAddr;

use palco_actors::{PlaceKind, System};
use palco_models::{
    AcceptBy, ModelKind, ProcessSettings, Server, ServerSettings, StartError, profile,
};
use palco_service::services::echo::EchoService;
use palco_threads::block_on;

use crate::machine::Machine;
use bare_process::BareProcess;
use client::Sample;
pub use report::{Cost, EchoReport, EchoRow};

/// What to measure and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often every server has its turn; ratios are paired round by round. At least 1, 7 by default.
    pub rounds: usize,
    /// Connections in a round, 1 000 by default.
    pub connections: usize,
    /// Round trips in a round, 10 000 by default.
    pub round_trips: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rounds: 7, connections: 1_000, round_trips: 10_000 }
    }
}

impl Settings {
    /// A tenth of the work: seconds, for a look and not for a record.
    #[must_use]
    pub fn quick() -> Self {
        Self { rounds: 5, connections: 200, round_trips: 2_000 }
    }
}

/// How far a run has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The server whose turn begins.
    pub server: String,
    /// The round, from 1.
    pub round: usize,
    /// Turns done so far.
    pub done: usize,
    /// Turns in the whole run.
    pub total: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} round {}: {}", self.done, self.total, self.round, self.server)
    }
}

/// Why there is no report.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A server of palco could not be started.
    #[error("cannot start `{server}`")]
    Start {
        /// Which.
        server: String,
        /// Why.
        #[source]
        source: StartError,
    },
    /// The actor system or a plain server could not be started.
    #[error("cannot start the servers")]
    Prepare(#[source] io::Error),
    /// A server did not do its work: the figures would mean nothing.
    #[error("`{server}` did not echo")]
    Echo {
        /// Which.
        server: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

/// A server to measure.
struct Contestant {
    name: String,
    setting: &'static str,
    /// The contestant it is compared with: the plain one of the same design.
    baseline: usize,
    address: SocketAddr,
    /// The server itself, if it is a program of its own.
    process: Option<BareProcess>,
    connections: Vec<Sample>,
    round_trips: Vec<Sample>,
}

/// Measures. Takes about half a minute by default and needs the machine for itself.
///
/// The program must have called [`palco_actors::enter`] with the [`palco_models::players`] of the echo service.
///
/// # Errors
/// [`Error`]; a server that answers wrongly ends the run.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> Result<EchoReport, Error> {
    let mut machine = Machine::look();
    let Stage { mut contestants, servers, system, notes } = start()?;
    let rounds = settings.rounds.max(1);
    let count = contestants.len();
    for round in 0..rounds {
        for turn in 0..count {
            let contestant = &mut contestants[(turn + round) % count];
            let done = round * count + turn;
            let server = contestant.name.clone();
            progress(Progress { server, round: round + 1, done, total: rounds * count });
            contestant.turn(settings)?;
        }
    }
    block_on(system.shutdown());
    drop(servers);
    machine.look_again();
    Ok(EchoReport::new(machine, rounds, &contestants, notes))
}

impl Contestant {
    fn new(name: String, setting: &'static str, baseline: usize, address: SocketAddr) -> Self {
        let (connections, round_trips) = (Vec::new(), Vec::new());
        let process = None;
        Self { name, setting, baseline, address, process, connections, round_trips }
    }

    fn turn(&mut self, settings: &Settings) -> Result<(), Error> {
        let failed = |source| Error::Echo { server: self.name.clone(), source };
        let process = self.process.as_mut();
        let mut server = client::Server { address: self.address, process };
        let connections = server.connections(settings.connections).map_err(failed)?;
        let round_trips = server.round_trips(settings.round_trips).map_err(failed)?;
        self.connections.push(connections);
        self.round_trips.push(round_trips);
        Ok(())
    }
}

/// All servers, standing.
struct Stage {
    contestants: Vec<Contestant>,
    servers: Vec<Server>,
    system: System,
    /// What is missing, and why.
    notes: Vec<String>,
}

/// The plain servers first, then all of palco's.
fn start() -> Result<Stage, Error> {
    let (mut contestants, mut notes) = (Vec::new(), Vec::new());
    for (index, design) in bare::Design::ALL.into_iter().enumerate() {
        let address = design.start().map_err(Error::Prepare)?;
        let name = format!("std {}", design.name());
        contestants.push(Contestant::new(name, design.sentence(), index, address));
    }
    let mut forking = Vec::new();
    for design in bare_process::Design::ALL {
        let (name, index) = (design.name().to_owned(), contestants.len());
        match BareProcess::start(design) {
            Ok((process, address)) => {
                let row = Contestant::new(name, design.sentence(), index, address);
                contestants.push(Contestant { process: Some(process), ..row });
                forking.push((design, index));
            }
            Err(error) => notes.push(format!("There is no row `{name}`: {error}.")),
        }
    }
    let system = System::new().map_err(|error| Error::Prepare(io::Error::other(error)))?;
    let mut servers = Vec::new();
    let cells = ModelKind::ALL.into_iter().flat_map(|model| {
        PlaceKind::OF_THIS_MACHINE.map(|place| (model, place, AcceptBy::Workers))
    });
    let passing = (ModelKind::Team, PlaceKind::Process, AcceptBy::Dispatcher);
    for (model, place, accept_by) in cells.chain([passing]) {
        let (mut name, mut process) = (format!("palco {model} × {place}"), None);
        if accept_by == AcceptBy::Dispatcher {
            name.push_str(", dispatcher");
            process = Some(ProcessSettings { accept_by, ..ProcessSettings::default() });
        }
        let tree_name = format!("{model}-{place}-{}", servers.len());
        let settings = ServerSettings { process, ..ServerSettings::new(tree_name, model, place) };
        let server = Server::launch::<EchoService>(&system, settings, ())
            .map_err(|source| Error::Start { server: name.clone(), source })?;
        let like = bare_process::Design::like(model).filter(|_| place == PlaceKind::Process);
        let like = forking.iter().find(|(design, _)| Some(*design) == like);
        let baseline = like.map_or(bare::Design::like(model) as usize, |(_, index)| *index);
        let setting = match accept_by {
            AcceptBy::Workers => profile(model, place).classic_name,
            AcceptBy::Dispatcher => "prefork, sockets passed",
            AcceptBy::OwnSockets => "own sockets",
        };
        contestants.push(Contestant::new(name, setting, baseline, server.address()));
        servers.push(server);
    }
    Ok(Stage { contestants, servers, system, notes })
}
