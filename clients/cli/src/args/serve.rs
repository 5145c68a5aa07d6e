//! The command line of `palco serve`.

mod crew;
mod deadlines;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use palco_actors::PlaceKind;
use palco_models::{AcceptBy, Action, ModelKind};

pub(crate) use deadlines::DeadlineArgs;

use super::named;
use crate::stage::{BasketArgs, DashboardArgs, FilesArgs, ServiceKind, State, UrgentArgs};
use crew::CrewArgs;

/// What says how connections are accepted and shared out.
const NOT_FOR_ONE_CONNECTION: [&str; 24] = [
    "model",
    "place",
    "workers",
    "state",
    "accept_by",
    "memory_max",
    "listen",
    "connections_max",
    "when_full",
    "idle_exit",
    "dashboard",
    "token_file",
    "urgent",
    "urgent_policy",
    "control",
    "header_within",
    "header_max",
    "body_within",
    "min_rate",
    "idle_within",
    "handler_within",
    "send_within",
    "worker_within",
    "shed_above",
];

#[derive(clap::Args, Debug)]
pub(crate) struct Serve {
    /// The service
    #[arg(value_parser = named::<ServiceKind>(ServiceKind::ALL.map(ServiceKind::name)))]
    pub(crate) service: ServiceKind,
    /// Who accepts and who serves
    #[arg(long, default_value = "per-connection", value_parser = named::<ModelKind>(ModelKind::ALL.map(ModelKind::name)))]
    pub(crate) model: ModelKind,
    /// Where: on event loops, on threads, on fibers, or in processes
    #[arg(long, default_value = "task", value_parser = named::<PlaceKind>(PlaceKind::OF_THIS_MACHINE.map(PlaceKind::name)))]
    pub(crate) place: PlaceKind,
    /// Workers of a team [default: 8 threads, fibers or processes, or one event loop per core]
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Whose the service's state is, in place process [default: local]
    ///
    /// local: each process has its own. shared: they share one, which an actor of the stage keeps.
    #[arg(long, value_name = "STATE", value_parser = named::<State>(State::ALL.map(State::name)))]
    pub(crate) state: Option<State>,
    /// Who accepts for a team [default: workers]
    ///
    /// workers: each of them, from one shared socket. own-sockets: each from a socket of its own, in one SO_REUSEPORT group.
    /// dispatcher, in place process: one actor, which passes open sockets to free workers.
    #[arg(long, value_name = "WHO", value_parser = named::<AcceptBy>(AcceptBy::ALL.map(AcceptBy::name)))]
    pub(crate) accept_by: Option<AcceptBy>,
    /// Address space of each process at most, in MiB, in place process [default: 1024]
    #[arg(long, value_name = "MIB")]
    pub(crate) memory_max: Option<u64>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:0, or the socket of an activator]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Connections held at once
    #[arg(long, default_value_t = 1024, value_name = "N")]
    pub(crate) connections_max: usize,
    /// What happens to one connection more
    #[arg(long, default_value = "defer", value_name = "ACTION", value_parser = named::<ActionName>(["defer", "drop", "close", "fail"]))]
    pub(crate) when_full: ActionName,
    /// How long requests may take to finish after Ctrl-C
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) drain_within: Duration,
    /// Take over from the server that runs with the same control socket: listen on its socket, then have it finish and end
    ///
    /// Nobody is refused and nobody's connection is lost meanwhile; what a service keeps in memory stays behind. A successor
    /// that cannot start changes nothing. SIGHUP has a server start one by itself, with its own arguments.
    #[arg(long, conflicts_with = "inetd")]
    pub(crate) take_over: bool,
    /// Drain and end when no connection has been open for this long
    ///
    /// An activator starts it again for the next client; who comes meanwhile waits, and is not lost.
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) idle_exit: Option<Duration>,
    /// Serve one connection and end: standard input, as from an inetd, or the one that an activator has accepted
    ///
    /// Nothing is printed. An error is, on standard error, unless that is the connection too.
    #[arg(long, conflicts_with_all = NOT_FOR_ONE_CONNECTION)]
    pub(crate) inetd: bool,
    /// The directory of services `http` and `files` [default for `http`: a page that explains the stage]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    #[command(flatten)]
    pub(crate) basket: BasketArgs,
    #[command(flatten)]
    pub(crate) deadlines: DeadlineArgs,
    #[command(flatten)]
    pub(crate) dashboard: DashboardArgs,
    #[command(flatten)]
    pub(crate) urgent: UrgentArgs,
    #[command(flatten)]
    pub(crate) crew: CrewArgs,
}

/// [`Action`] by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionName(pub Action);

impl std::str::FromStr for ActionName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "defer" => Ok(Self(Action::Defer)),
            "drop" => Ok(Self(Action::Drop)),
            "close" => Ok(Self(Action::Close)),
            "fail" => Ok(Self(Action::Fail)),
            _ => Err(format!("there is no action `{name}`; actions are: defer, drop, close, fail")),
        }
    }
}
