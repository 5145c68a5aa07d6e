//! What all routes share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use palco_actors::{ActorId, AnyRef, System};
use palco_replica::http::Token;

use crate::events::Hub;
use crate::guards::host::Names;
use crate::guards::token::cookie_name;
use crate::house::{House, Served, Services};
use crate::loads::Loads;
use crate::refusal::Refusal;
use crate::registers::Registers;
use crate::views::{ServerView, StageInfo, StageView};

/// What all routes share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) house: House,
    pub(crate) token: Token,
    /// The name of the cookie that holds it.
    pub(crate) cookie: String,
    pub(crate) names: Names,
    pub(crate) is_loopback: bool,
    pub(crate) loads: Loads,
    pub(crate) hub: Hub,
    registers: Option<Registers>,
    ending: Arc<AtomicBool>,
    started_at: SystemTime,
}

impl Shared {
    pub(crate) fn new(
        house: House,
        token: Token,
        address: SocketAddr,
        also_called: &[String],
        ending: Arc<AtomicBool>,
    ) -> Self {
        let started_at = SystemTime::now().checked_sub(uptime(house.observer.system()));
        Self {
            token,
            cookie: cookie_name(address.port()),
            names: Names::new(address, also_called),
            is_loopback: address.ip().is_loopback(),
            loads: Loads::default(),
            hub: Hub::new(),
            registers: house.registers.clone().map(Registers::new),
            ending,
            started_at: started_at.unwrap_or(SystemTime::UNIX_EPOCH),
            house,
        }
    }

    pub(crate) fn system(&self) -> &System {
        self.house.observer.system()
    }

    /// Refuses what would begin something while everything ends.
    pub(crate) fn not_ending(&self) -> Result<(), Refusal> {
        let over = || self.system().ended().now_or_never().is_some();
        if self.ending.load(Ordering::Acquire) || over() { Err(Refusal::ending()) } else { Ok(()) }
    }

    /// The living actor with this id.
    pub(crate) fn actor(&self, id: ActorId) -> Result<AnyRef, Refusal> {
        self.system().find(&id.to_string()).ok_or_else(|| unknown_actor(id))
    }

    pub(crate) fn info(&self, can_act: bool) -> StageInfo {
        StageInfo {
            version: self.house.version.clone(),
            pid: std::process::id(),
            uptime_s: uptime(self.system()).as_secs(),
            started_at: humantime::format_rfc3339_seconds(self.started_at).to_string(),
            event_loops: self.house.event_loops,
            can_act,
            superserver: self.house.services.is_some(),
            registers: self.house.registers.is_some(),
            demo: self.house.demo.clone(),
        }
    }

    /// Everything that the overview shows.
    pub(crate) fn view(&self, can_act: bool) -> StageView {
        let observed = self.house.observer.snapshot();
        StageView { stage: self.info(can_act), observed, servers: self.servers() }
    }

    pub(crate) fn servers(&self) -> Vec<ServerView> {
        self.house.servers.iter().map(|served| self.server(served)).collect()
    }

    pub(crate) fn server(&self, served: &Served) -> ServerView {
        ServerView::new(served, self.loads.latency(&served.name))
    }

    /// For how long the system has been running.
    pub(crate) fn uptime(&self) -> Duration {
        uptime(self.system())
    }

    pub(crate) fn services(&self) -> Result<&Services, Refusal> {
        self.house.services.as_ref().ok_or_else(|| {
            Refusal::unknown(
                "this stage has no superserver",
                "`palco inetd` runs a stage that has one",
            )
        })
    }

    pub(crate) fn registers(&self) -> Result<&Registers, Refusal> {
        self.registers.as_ref().ok_or_else(|| {
            Refusal::unknown(
                "this stage keeps no registers",
                "`palco up` runs a stage that does, and `palco node` a node of a cluster",
            )
        })
    }

    pub(crate) fn find_server(&self, name: &str) -> Result<&Served, Refusal> {
        let found = self.house.servers.iter().find(|served| served.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = self.house.servers.iter().map(|served| &*served.name).collect();
            let hint = format!("servers are: {}", names.join(", "));
            Refusal::unknown(format!("there is no server `{name}`"), hint)
        })
    }
}

pub(crate) fn unknown_actor(id: ActorId) -> Refusal {
    Refusal::unknown(
        format!("there is no actor {id}"),
        "GET /api/actors lists all; one that has ended cannot be acted on",
    )
}

fn uptime(system: &System) -> Duration {
    Duration::from_nanos(system.clock().now().as_nanos())
}
