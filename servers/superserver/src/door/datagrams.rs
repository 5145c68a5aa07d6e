//! A door that answers datagrams itself.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram};

use palco_actors::Context;
use socket2::Socket;
use tokio::io::Interest;

use super::{Door, Turn};
use crate::access::{Caller, Judgement};
use crate::builtins::is_loop;
use crate::service::{Counts, Definition};
use crate::spec::{Address, Run};
use crate::watched::watch;

/// The longest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// After so many datagrams the others on the loop get their turn.
const BUDGET_DATAGRAMS: u32 = 64;

impl Door {
    /// Answers until a stop or a change.
    pub(super) async fn answer_datagrams(
        &self,
        cx: &Context<Self>,
        definition: &Definition,
    ) -> io::Result<Turn> {
        let Some((endpoint, socket)) = self.way.copies()?.pop() else { return Ok(Turn::Again) };
        let Run::Builtin(builtin) = &definition.spec.run else { return Ok(Turn::Again) };
        socket.set_nonblocking(true)?;
        let socket = Datagrams::new(socket, &endpoint.address);
        let socket = watch(socket)?;
        let mut request = vec![0; DATAGRAM_BYTES_MAX];
        let mut answer = Vec::new();
        let mut budget = BUDGET_DATAGRAMS;
        loop {
            cx.note(|| "waiting for datagrams");
            let receiving =
                socket.async_io(Interest::READABLE, |socket| socket.receive(&mut request));
            let (length, peer) = match self.unless_changed(cx, receiving).await {
                None => return Ok(Turn::Stop),
                Some(None) => return Ok(Turn::Again),
                Some(Some(Ok(received))) => received,
                // An answer before this one found nobody: the kernel says so now.
                Some(Some(Err(error))) => {
                    tracing::debug!(service = %self.service.id, %error, "a datagram");
                    continue;
                }
            };
            Counts::add(&self.service.counts.accepted);
            if self.is_welcome(cx, definition, peer.internet()).await {
                answer.clear();
                if builtin.answer(&request[..length], &mut answer) {
                    // A full buffer drops it, as any network may.
                    let _sent = socket.get_ref().send(&answer, &peer);
                }
            }
            budget -= 1;
            if budget == 0 {
                budget = BUDGET_DATAGRAMS;
                cx.checkpoint().await;
            }
        }
    }

    /// Whether this client is to be answered.
    async fn is_welcome(
        &self,
        cx: &Context<Self>,
        definition: &Definition,
        from: Option<SocketAddr>,
    ) -> bool {
        let house = &self.service.house;
        let name = || from.map(|from| from.to_string());
        if let Some(peer) = from
            && is_loop(peer, &house.echoing_ports())
        {
            Counts::add(&self.service.counts.refused);
            house.journal.fail(&self.service.id, "loop: a service answers from this port", name());
            return false;
        }
        let rules = &definition.spec.access;
        if rules.is_open() {
            return true;
        }
        let caller = Caller { peer: from, local: None };
        match cx.unless_stopped(rules.judge(&caller, &house.names)).await {
            Some(Judgement::Granted(_)) => true,
            Some(Judgement::Refused { reason, .. }) => {
                Counts::add(&self.service.counts.refused);
                house.journal.fail(&self.service.id, reason, name());
                false
            }
            None => false,
        }
    }
}

/// A socket for datagrams.
enum Datagrams {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

/// Who has sent one.
enum Peer {
    Udp(SocketAddr),
    Unix(UnixAddress),
}

impl Peer {
    fn internet(&self) -> Option<SocketAddr> {
        match self {
            Self::Udp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl Datagrams {
    fn new(socket: Socket, address: &Address) -> Self {
        match address.socket() {
            Some(_) => Self::Udp(socket.into()),
            None => Self::Unix(socket.into()),
        }
    }

    fn receive(&self, bytes: &mut [u8]) -> io::Result<(usize, Peer)> {
        match self {
            Self::Udp(socket) => {
                socket.recv_from(bytes).map(|(length, peer)| (length, Peer::Udp(peer)))
            }
            Self::Unix(socket) => {
                socket.recv_from(bytes).map(|(length, peer)| (length, Peer::Unix(peer)))
            }
        }
    }

    /// To nobody, if the peer has no address.
    fn send(&self, bytes: &[u8], peer: &Peer) -> io::Result<usize> {
        match (self, peer) {
            (Self::Udp(socket), Peer::Udp(peer)) => socket.send_to(bytes, peer),
            (Self::Unix(socket), Peer::Unix(peer)) => socket.send_to_addr(bytes, peer),
            (Self::Udp(_), Peer::Unix(_)) | (Self::Unix(_), Peer::Udp(_)) => Ok(0),
        }
    }
}

impl AsRawFd for Datagrams {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Udp(socket) => socket.as_raw_fd(),
            Self::Unix(socket) => socket.as_raw_fd(),
        }
    }
}
