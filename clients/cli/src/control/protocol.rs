//! What is said on the control socket.

use palco_actors::{ActorSnapshot, Effect, Inspection, Signal};
use palco_core::{Answer, RequestId, Verb};
use palco_models::{DrainReport, RequestView, ServerStatus, UrgentStatus};
use palco_replica::{Change, ClusterView, Holding, Wish};
use palco_superserver::{Changes, Status};
use palco_transport::Peer;
use serde::{Deserialize, Serialize};

use crate::stage::{ServerView, StageView};

/// The longest line, in bytes: a request is short, and at most some keys of registers are in it.
pub(crate) const REQUEST_BYTES_MAX: u64 = 64 << 10;
/// The longest answer, in bytes: some ten thousand actors.
pub(crate) const REPLY_BYTES_MAX: u64 = 64 << 20;

/// What a client wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub(crate) enum Request {
    /// The servers, the ledger, the latest dead letters.
    Stage,
    /// The stage and all its actors.
    Actors,
    /// One actor with its state.
    Inspect { name: String, within_ms: u64 },
    /// A signal to one actor; a stop of a server drains it.
    Signal { name: String, signal: Signal, within_ms: u64 },
    /// How each server is doing.
    Status,
    /// The requests that are being served, and the urgent port.
    Requests,
    /// Something about one of them.
    Act { request: RequestId, verb: Verb },
    /// The superserver, its services and their instances.
    Superserver,
    /// The superserver's files are read again.
    Reload,
    /// The nodes that keep registers.
    Registers,
    /// What each of them that is here holds for these keys.
    Tags { keys: Vec<String> },
    /// Others shall keep them.
    Reconfigure { wish: Wish, within_ms: u64 },
    /// A node of another machine may join those that keep registers.
    Allow { peer: Peer },
    /// All sockets change hands; what follows is in `inetd/succession.rs` for a superserver, in `stage/succession.rs` for
    /// servers.
    TakeOver,
}

/// What the stage answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub(crate) enum Reply {
    Stage(StageView),
    Actors { stage: StageView, actors: Vec<ActorSnapshot> },
    Inspection(Box<InspectView>),
    Effect { name: String, effect: Effect },
    Drained { name: String, report: DrainReport },
    Status { uptime_s: u64, servers: Vec<ServerStatus> },
    Requests(RequestsView),
    Acted { request: RequestId, answer: Answer },
    Superserver(Box<Status>),
    Reloaded(Changes),
    Registers(ClusterView),
    Tags(Vec<HeldView>),
    Reconfigured(Vec<Change>),
    Allowed,
    Error(String),
}

/// The requests that are being served.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RequestsView {
    pub(crate) urgent: Option<UrgentStatus>,
    pub(crate) requests: Vec<RequestView>,
}

/// One actor, and the server it is the top of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InspectView {
    #[serde(flatten)]
    pub(crate) inspection: Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<ServerView>,
}

/// What a node holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HeldView {
    pub(crate) node: String,
    /// For each key that was asked for, in their order; nothing if its replica does not answer.
    pub(crate) holdings: Vec<Option<Holding>>,
}
