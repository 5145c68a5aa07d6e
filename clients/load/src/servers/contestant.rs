//! Who is measured: every model of palco in every place, the same designs in C, and the servers people use.

use palco_actors::PlaceKind;
use palco_models::{ModelKind, profile};
use serde::{Deserialize, Serialize};

use super::floor::Design;
use super::incumbent::Incumbent;
use super::workload::Workload;

/// Workers of every team that is no team of event loops.
pub(super) const WORKERS: usize = 4;
/// Event loops of a team of them.
pub(super) const LOOPS: usize = 2;
/// Requests after which a worker is replaced, where workers are.
const REQUESTS_MAX: &str = "16";

/// Whose a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// palco's.
    Palco,
    /// A program in C, compiled for the run: nothing but the calls of its design.
    C,
    /// Somebody else's.
    Peer,
}

/// What a server speaks. Figures of different dialects are of different work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Bytes that come back, or lines that say what to do.
    Plain,
    /// HTTP/1.1.
    Http,
    /// RESP2.
    Resp,
}

impl Dialect {
    /// All, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Http, Self::Resp];

    /// As the report shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Http => "HTTP",
            Self::Resp => "RESP",
        }
    }
}

/// How a server is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// `palco serve`, with these options beside model and place.
    Palco { model: ModelKind, place: PlaceKind, more: Vec<&'static str> },
    /// `palco inetd`: its own echo, or a program for each connection.
    PalcoInetd { is_builtin: bool },
    /// A program in C.
    C(Design),
    /// Somebody else's.
    Peer(Incumbent),
}

/// A server to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contestant {
    pub(super) name: String,
    pub(super) dialect: Dialect,
    pub(super) make: Make,
    /// The C program of the same design.
    pub(super) floor: Option<Design>,
    /// Workers that are told apart by their threads; 1 where there is no choice.
    pub(super) workers: usize,
}

/// All, in the order of the report.
pub(super) fn all(peers: &[Incumbent]) -> Vec<Contestant> {
    let plain = ModelKind::ALL.into_iter().flat_map(|model| {
        PlaceKind::OF_THIS_MACHINE.map(|place| palco(model, place, Dialect::Plain, &[], ""))
    });
    let (team, process) = (ModelKind::Team, PlaceKind::Process);
    let teams = [
        (&["--accept-by", "dispatcher"][..], ", sockets passed", Some(Design::Dispatcher)),
        (&["--accept-by", "own-sockets"], ", own sockets", Some(Design::OwnSockets)),
        (&["--requests-max", REQUESTS_MAX], ", replaced", None),
    ];
    let teams = teams.map(|(more, suffix, floor)| Contestant {
        floor,
        ..palco(team, process, Dialect::Plain, more, suffix)
    });
    let inetd = [(true, "palco inetd, its own echo"), (false, "palco inetd, a program each")].map(
        |(is_builtin, name)| Contestant {
            name: name.to_owned(),
            dialect: Dialect::Plain,
            make: Make::PalcoInetd { is_builtin },
            floor: Some(if is_builtin { Design::Epoll } else { Design::Exec }),
            workers: 1,
        },
    );
    let c = Design::ALL.map(|design| Contestant {
        name: design.name().to_owned(),
        dialect: Dialect::Plain,
        make: Make::C(design),
        floor: None,
        workers: design.workers(),
    });
    let sensible = [
        (ModelKind::PerConnection, PlaceKind::Task),
        (ModelKind::PerConnection, PlaceKind::Thread),
        (team, PlaceKind::Task),
        (team, PlaceKind::Thread),
        (team, process),
    ];
    let http = sensible.map(|(model, place)| palco(model, place, Dialect::Http, &[], ""));
    let resp = [(ModelKind::PerConnection, PlaceKind::Task), (team, PlaceKind::Thread)]
        .map(|(model, place)| palco(model, place, Dialect::Resp, &[], ""));
    let peers = Incumbent::ALL.into_iter().filter(|peer| peers.contains(peer));
    let peers = peers.map(|peer| Contestant {
        name: peer.name().to_owned(),
        dialect: peer.dialect(),
        make: Make::Peer(peer),
        floor: (peer == Incumbent::OpenbsdInetd).then_some(Design::Exec),
        workers: if peer == Incumbent::Nginx { LOOPS } else { 1 },
    });
    plain.chain(teams).chain(inetd).chain(c).chain(http).chain(resp).chain(peers).collect()
}

fn palco(
    model: ModelKind,
    place: PlaceKind,
    dialect: Dialect,
    more: &[&'static str],
    suffix: &str,
) -> Contestant {
    let protocol = match dialect {
        Dialect::Plain => "",
        Dialect::Http => " http",
        Dialect::Resp => " kv",
    };
    let floor = match (model, place) {
        (ModelKind::Iterative, _) => Design::Iterative,
        (ModelKind::PerConnection, PlaceKind::Thread) => Design::Thread,
        (ModelKind::PerConnection, PlaceKind::Process) => Design::Fork,
        (ModelKind::PerConnection, _) => Design::Epoll,
        (ModelKind::Team, PlaceKind::Task) => Design::EpollTeam,
        (ModelKind::Team, PlaceKind::Process) => Design::Prefork,
        (ModelKind::Team, PlaceKind::Thread) => Design::Prethread,
        (ModelKind::Team, _) => Design::Epoll,
    };
    let workers = match (model, place) {
        (ModelKind::Team, PlaceKind::Task) => LOOPS,
        (ModelKind::Team, PlaceKind::Thread | PlaceKind::Process) => WORKERS,
        _ => 1,
    };
    Contestant {
        name: format!("palco{protocol} {model} × {place}{suffix}"),
        dialect,
        make: Make::Palco { model, place, more: more.to_vec() },
        floor: (dialect == Dialect::Plain).then_some(floor),
        workers,
    }
}

impl Contestant {
    pub(super) fn origin(&self) -> Origin {
        match self.make {
            Make::Palco { .. } | Make::PalcoInetd { .. } => Origin::Palco,
            Make::C(_) => Origin::C,
            Make::Peer(_) => Origin::Peer,
        }
    }

    /// Whether it serves one connection after the other, with nothing to control.
    pub(super) fn is_iterative(&self) -> bool {
        matches!(
            self.make,
            Make::Palco { model: ModelKind::Iterative, .. } | Make::C(Design::Iterative)
        )
    }

    /// What the textbooks call it.
    pub(super) fn classic(&self) -> &'static str {
        match &self.make {
            Make::Palco { model, place, .. } => profile(*model, *place).classic_name,
            Make::PalcoInetd { .. } => "superserver",
            Make::C(design) => design.classic(),
            Make::Peer(peer) => peer.classic(),
        }
    }

    /// Whether it can do this work; else why not.
    pub(super) fn check(&self, workload: Workload) -> Result<(), &'static str> {
        let echoes_only = match self.make {
            Make::PalcoInetd { .. } | Make::C(Design::Exec) => true,
            Make::Peer(peer) => peer == Incumbent::OpenbsdInetd,
            Make::Palco { .. } | Make::C(_) => false,
        };
        match workload {
            Workload::Short | Workload::PingPong | Workload::Idle => Ok(()),
            Workload::Crash if self.dialect != Dialect::Resp => Ok(()),
            Workload::Cpu | Workload::Block | Workload::Slowloris | Workload::Leak
                if echoes_only =>
            {
                Err("it echoes, and does no other work")
            }
            Workload::Cpu | Workload::Block | Workload::Leak if self.dialect != Dialect::Plain => {
                Err("asked in the plain dialect only")
            }
            Workload::Slowloris if self.dialect == Dialect::Resp => {
                Err("asked in the plain dialect and over HTTP only")
            }
            Workload::Large if self.dialect != Dialect::Http => Err("asked over HTTP only"),
            Workload::Crash => Err("there is one process only"),
            Workload::Cpu
            | Workload::Block
            | Workload::Slowloris
            | Workload::Leak
            | Workload::Large => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_different_and_floors_are_there() {
        let all = all(&Incumbent::ALL);
        let names: BTreeSet<_> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for contestant in &all {
            assert!(contestant.floor.is_none_or(|floor| names.contains(floor.name())));
        }
    }

    #[test]
    fn every_workload_has_somebody_of_palco_and_every_peer_something_to_do() {
        let all = all(&Incumbent::ALL);
        for workload in Workload::ALL {
            let does = |one: &&Contestant| one.check(workload).is_ok();
            let who: Vec<_> = all.iter().filter(does).map(Contestant::origin).collect();
            assert!(who.contains(&Origin::Palco), "{workload}");
        }
        for contestant in &all {
            assert!(Workload::ALL.iter().any(|workload| contestant.check(*workload).is_ok()));
        }
    }

    #[test]
    fn who_is_not_asked_for_is_not_there() {
        assert!(all(&[]).iter().all(|one| one.origin() != Origin::Peer));
    }
}
