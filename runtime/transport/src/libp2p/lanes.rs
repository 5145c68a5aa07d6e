//! A stream for each lane of every connection: whoever dialed opens them, and both sides are given them.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::iter::once;
use std::task::{Context, Poll};

use ::libp2p::core::transport::PortUse;
use ::libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use ::libp2p::core::{Endpoint, Multiaddr};
use ::libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use ::libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    ListenFailure, NetworkBehaviour, Stream, SubstreamProtocol, THandlerInEvent, ToSwarm,
};
use libp2p_identity::PeerId;

use crate::Lane;

/// Connections that have not proved yet who they are; more are not listened to.
const UNPROVED_MAX: usize = 256;

/// Reported of a connection.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: ConnectionId,
    pub(super) lane: Result<(Lane, Stream), String>,
}

/// Opens and takes the streams of all connections.
#[derive(Default)]
pub(super) struct Lanes {
    opened: VecDeque<Opened>,
    unproved: HashSet<ConnectionId>,
}

/// The streams of one connection.
pub(super) struct Opening {
    to_open: VecDeque<Lane>,
    is_open: [bool; 3],
    opened: VecDeque<Result<(Lane, Stream), String>>,
}

/// A lane, by the name that both sides know it by.
#[derive(Clone, Debug)]
pub(super) struct Named(Vec<Lane>);

/// The name of a lane's protocol.
#[derive(Clone, Debug)]
pub(super) struct Name(Lane);

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        match self.0 {
            Lane::Urgent => "/palco/frames/1/urgent",
            Lane::Normal => "/palco/frames/1/normal",
            Lane::Bulk => "/palco/frames/1/bulk",
        }
    }
}

impl UpgradeInfo for Named {
    type Info = Name;
    type InfoIter = std::iter::Map<std::vec::IntoIter<Lane>, fn(Lane) -> Name>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter().map(Name)
    }
}

impl InboundUpgrade<Stream> for Named {
    type Output = (Lane, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, stream)))
    }
}

impl OutboundUpgrade<Stream> for Named {
    type Output = (Lane, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, name: Name) -> Self::Future {
        ready(Ok((name.0, stream)))
    }
}

impl Opening {
    fn new(end: Endpoint) -> Self {
        let to_open = match end {
            Endpoint::Dialer => Lane::ALL.into(),
            Endpoint::Listener => VecDeque::new(),
        };
        Self { to_open, is_open: [false; 3], opened: VecDeque::new() }
    }

    /// A second stream of a lane is dropped, which closes it.
    fn opened(&mut self, lane: Lane, stream: Stream) {
        if !std::mem::replace(&mut self.is_open[lane.index()], true) {
            self.opened.push_back(Ok((lane, stream)));
        }
    }
}

impl ConnectionHandler for Opening {
    type FromBehaviour = Infallible;
    type ToBehaviour = Result<(Lane, Stream), String>;
    type InboundProtocol = Named;
    type OutboundProtocol = Named;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Named> {
        SubstreamProtocol::new(Named(Lane::ALL.to_vec()), ())
    }

    /// The node decides which connections are kept, and closes the others.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Named, (), Self::ToBehaviour>> {
        if let Some(opened) = self.opened.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(opened));
        }
        match self.to_open.pop_front() {
            Some(lane) => Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(Named(once(lane).collect()), ()),
            }),
            // Whatever changes this comes in on this very task.
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Named, Named>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (lane, stream),
                ..
            })
            | ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (lane, stream),
                ..
            }) => self.opened(lane, stream),
            ConnectionEvent::DialUpgradeError(failed) => {
                self.opened.push_back(Err(failed.error.to_string()));
            }
            // What else happens to a connection is no matter of streams.
            _ => {}
        }
    }
}

impl Lanes {
    fn opening(&mut self, connection: ConnectionId, end: Endpoint) -> Opening {
        self.unproved.remove(&connection);
        Opening::new(end)
    }
}

impl NetworkBehaviour for Lanes {
    type ConnectionHandler = Opening;
    type ToSwarm = Opened;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if self.unproved.len() >= UNPROVED_MAX {
            let why = format!("{UNPROVED_MAX} others have not proved yet who they are");
            return Err(ConnectionDenied::new(why));
        }
        self.unproved.insert(connection);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Opening, ConnectionDenied> {
        Ok(self.opening(connection, Endpoint::Listener))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Opening, ConnectionDenied> {
        Ok(self.opening(connection, Endpoint::Dialer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) = event {
            self.unproved.remove(&connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        connection: ConnectionId,
        lane: Result<(Lane, Stream), String>,
    ) {
        self.opened.push_back(Opened { connection, lane });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Opened, THandlerInEvent<Self>>> {
        // Filled by the swarm alone, which polls afterwards.
        self.opened
            .pop_front()
            .map_or(Poll::Pending, |opened| Poll::Ready(ToSwarm::GenerateEvent(opened)))
    }
}
