//! A node of a cluster on this stage, and its gateway.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use palco_actors::{PlaceKind, System};
use palco_dashboard::Token;
use palco_models::{Listen, ModelKind, Server};
use palco_rambo::NodeId;
use palco_replica::resp::{Gateway, RespCodec, Settings};
use palco_replica::{Cluster, MemberOptions, RunningMember, http};
use palco_transport::Peer;
use serde::{Deserialize, Serialize};

use super::registers::{answer_http, bind};
use super::{Port, ServerEntry, ServiceKind};

/// A node to be started.
#[derive(Clone, Debug)]
pub(crate) struct NodeEntry {
    pub(crate) options: MemberOptions,
    /// Where clients reach it in the Redis protocol.
    pub(crate) resp: SocketAddr,
    /// What they must say then; they reach it from this machine alone without one.
    pub(crate) password: Option<Token>,
    /// Where clients reach it over HTTP. From other machines whatever they ask needs the token.
    pub(crate) http: Port,
}

/// A node as it says itself when it has started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodeSaid {
    pub(crate) name: String,
    /// Its number in configurations.
    pub(crate) node: NodeId,
    pub(crate) peer: Peer,
    pub(crate) resp: SocketAddr,
    pub(crate) http: Option<SocketAddr>,
    /// What others join it by.
    pub(crate) join: Vec<String>,
    /// Whether it came back, and as whom.
    pub(crate) arrival: String,
}

/// What runs then.
pub(crate) struct Started {
    pub(crate) member: RunningMember,
    pub(crate) said: NodeSaid,
    pub(crate) gateway: (ServerEntry, Server),
    pub(crate) http: Option<http::Running>,
}

impl NodeEntry {
    pub(crate) fn start(&self, system: &System, token: &Token) -> Result<Started> {
        ensure!(
            self.resp.ip().is_loopback() || self.password.is_some(),
            "{} is reached from other machines, and whoever connects could write: give --password-file FILE, or listen on 127.0.0.1",
            self.resp
        );
        let socket = TcpListener::bind(self.resp).with_context(|| {
            format!("cannot listen on {} for clients: choose another with --resp", self.resp)
        })?;
        let resp = socket.local_addr()?;
        let web = self.http.address().map(bind).transpose()?;
        let http = web.as_ref().map(TcpListener::local_addr).transpose()?;
        let options = MemberOptions { resp: Some(resp), http, ..self.options.clone() };
        let name = options.name.clone();
        let member =
            RunningMember::start(system, options).with_context(|| format!("node {name}"))?;
        let entry = ServerEntry {
            name: Some("gateway".to_owned()),
            socket: Some(Listen::On(Arc::new(socket))),
            ..ServerEntry::new(
                ServiceKind::Registers,
                ModelKind::PerConnection,
                PlaceKind::Task,
                resp,
            )
        };
        let password = self.password.as_ref().map(|password| password.reveal().into());
        let settings = Settings { password, ..Settings::default() };
        let gateway = Gateway::new(Arc::new(member.domain()), settings);
        let server = Server::start(system, entry.settings(), Arc::new(gateway), RespCodec::new())?;
        let said = NodeSaid {
            name,
            node: member.node(),
            peer: member.peer(),
            resp,
            http,
            join: member.contacts(),
            arrival: member.arrival().to_string(),
        };
        let http = web.map(|web| answer_http(web, &member.domain(), token)).transpose()?;
        Ok(Started { member, said, gateway: (entry, server), http })
    }
}
