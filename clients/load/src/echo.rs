//! Echo servers side by side: what a connection and a round trip cost under every model, beside servers written with
//! nothing but std's calls.
//!
//! One client on one thread; the servers run in the same process. A server's processor time is that of the process
//! less that of the client's thread, so it includes what the kernel does on behalf of the server's threads, and
//! everything the runtime does beside. All servers stand from the start; rounds are interleaved, in an order that is
//! rotated.
//!
//! * **Connection**: connect, send 64 bytes, read 64 bytes, close with a reset (so that ports do not run out).
//! * **Round trip**: 64 bytes there and back over one connection that stays.

mod bare;
mod client;
mod report;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use palco_actors::{PlaceKind, System};
use palco_models::{ModelKind, Server, ServerSettings, StartError, profile};
use palco_service::services::echo::{EchoCodec, EchoService};
use palco_threads::block_on;

use crate::machine::Machine;
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
    connections: Vec<Sample>,
    round_trips: Vec<Sample>,
}

/// Measures. Takes about twenty seconds by default and needs the machine for itself.
///
/// # Errors
/// [`Error`]; a server that answers wrongly ends the run.
pub fn run(settings: &Settings, mut progress: impl FnMut(Progress)) -> Result<EchoReport, Error> {
    let mut machine = Machine::look();
    let (mut contestants, _servers, system) = start()?;
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
    machine.look_again();
    Ok(EchoReport::new(machine, rounds, &contestants))
}

impl Contestant {
    fn new(name: String, setting: &'static str, baseline: usize, address: SocketAddr) -> Self {
        let (connections, round_trips) = (Vec::new(), Vec::new());
        Self { name, setting, baseline, address, connections, round_trips }
    }

    fn turn(&mut self, settings: &Settings) -> Result<(), Error> {
        let failed = |source| Error::Echo { server: self.name.clone(), source };
        // A warm-up of a tenth, not counted.
        client::connections(self.address, settings.connections / 10).map_err(failed)?;
        let connections =
            client::connections(self.address, settings.connections).map_err(failed)?;
        client::round_trips(self.address, settings.round_trips / 10).map_err(failed)?;
        let round_trips =
            client::round_trips(self.address, settings.round_trips).map_err(failed)?;
        self.connections.push(connections);
        self.round_trips.push(round_trips);
        Ok(())
    }
}

/// The plain servers first, then all of palco's.
fn start() -> Result<(Vec<Contestant>, Vec<Server>, System), Error> {
    let mut contestants = Vec::new();
    for (index, design) in bare::Design::ALL.into_iter().enumerate() {
        let address = design.start().map_err(Error::Prepare)?;
        let name = format!("std {}", design.name());
        contestants.push(Contestant::new(name, design.sentence(), index, address));
    }
    let system = System::new().map_err(|error| Error::Prepare(io::Error::other(error)))?;
    let mut servers = Vec::new();
    for model in ModelKind::ALL {
        for place in PlaceKind::ALL {
            let name = format!("palco {model} × {place}");
            let settings = ServerSettings::new(format!("{model}-{place}"), model, place);
            let server = Server::start(&system, settings, Arc::new(EchoService), EchoCodec)
                .map_err(|source| Error::Start { server: name.clone(), source })?;
            let baseline = bare::Design::like(model) as usize;
            let setting = profile(model, place).classic_name;
            contestants.push(Contestant::new(name, setting, baseline, server.address()));
            servers.push(server);
        }
    }
    Ok((contestants, servers, system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_its_row_and_both_costs() {
        let settings = Settings { rounds: 2, connections: 10, round_trips: 20 };
        let mut turns = 0;
        let report = run(&settings, |_| turns += 1).unwrap();
        assert_eq!(report.rows.len(), 3 + ModelKind::ALL.len() * PlaceKind::ALL.len());
        assert_eq!(turns, 2 * report.rows.len());
        for row in &report.rows {
            assert!(row.connection.p50_us > 0.0 && row.round_trip.p50_us > 0.0, "{}", row.name);
        }
        assert!(report.to_markdown().contains("palco team × thread"));
    }
}
