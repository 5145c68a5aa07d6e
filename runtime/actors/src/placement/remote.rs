//! Placement `remote`: on another node.
//!
//! As with a process: the mailbox, the address and everything that a supervisor sees stay here; a life takes place there.
//! The same channels also lead to actors that live on another node on their own, which *stand-ins* are the addresses of.
//! In the order of one message's way:
//!
//! | file | where | what |
//! |---|---|---|
//! | `net.rs`, `peers.rs` | both | [`Net`]: a system's node, its peers and their connections |
//! | `options.rs` | here | how to talk to an actor there |
//! | `stand_in.rs` | here | the address of an actor of another node |
//! | `hosted.rs`, `start.rs` | here | the lives of an actor of this node, there |
//! | `../window.rs` | here | what was handed over and is not dealt with |
//! | `tie.rs`, `inbox.rs` | here | the near end of a channel |
//! | `session.rs`, `wire.rs` | both | one connection: channels, frames, what waits to be sent |
//! | `export.rs`, `host.rs` | there | whom a channel leads to: an exported actor, or a life that begins |
//! | `inlet.rs`, `dock.rs`, `owed.rs` | there | the far end: into a mailbox, and what became of each message |
//! | `home.rs` | there | the way of a life back to those it may talk to |

mod dock;
mod export;
mod home;
mod host;
mod hosted;
mod inbox;
mod inlet;
mod net;
mod options;
mod owed;
mod peers;
mod session;
mod stand_in;
mod start;
mod tie;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use palco_transport::{Lane, Peer};

pub(crate) use host::{Hosting, host};
pub(crate) use net::Shared;
pub use net::{JoinError, Net};
pub use options::{Disconnected, RemoteOptions};
pub(crate) use owed::Owed;
pub use peers::{PeerChange, PeerView, Watch};
pub(crate) use wire::{Role, digest};

use super::PlaceKind;
use super::process::repertoire;
use crate::life::EndGuard;
use crate::vitals::Cell;
use crate::{Failure, Parcel, Portable, SpawnError, SpawnOptions, System};
use inbox::Came;
use inlet::Serves;
use session::{Session, Their};
use wire::{Frame, Nonsense, decode, lane_of};

/// What a place on another node is when none is named.
pub(super) const NOBODY: Peer = Peer::from_key([0; 32]);

/// Which program this is, so that nodes mean the same by the same bytes: for the introduction of a carrier. The version and
/// all actors and messages of the repertoire that was [entered](crate::enter).
#[must_use]
pub fn build() -> String {
    let kinds = repertoire().map_or(0, |repertoire| repertoire.digest());
    format!("palco {} kinds {kinds:016x}", env!("CARGO_PKG_VERSION"))
}

/// Whether an `A` can live on that node, as far as this one knows.
pub(super) fn check<A: Portable>(
    system: &System,
    peer: Peer,
    options: &SpawnOptions,
) -> Result<Arc<Shared>, SpawnError> {
    let no = |why: String| Err(SpawnError::NoNode(why.into()));
    if peer == NOBODY {
        return no("`remote` alone names none: say which, with `Place::Remote`".to_owned());
    }
    if system.clock().is_virtual() {
        return Err(SpawnError::VirtualTime);
    }
    let Some(net) = system.net() else {
        return no("this system has joined no others: see `System::join`".to_owned());
    };
    if peer == net.me() {
        return no(format!("{peer} is this node"));
    }
    let place = options.remote.place_there;
    if !PlaceKind::OF_THIS_PROCESS.contains(&place) {
        return no(format!("a life there cannot be placed as `{place}`"));
    }
    match repertoire() {
        None => Err(SpawnError::NotEntered),
        Some(known) if !known.knows(&A::kind()) => Err(SpawnError::UnknownKind(A::kind().into())),
        Some(_) => Ok(net.shared),
    }
}

/// Starts an actor whose lives take place on that node.
pub(super) fn start<A: Portable>(
    system: &System,
    net: Arc<Shared>,
    peer: Peer,
    options: &SpawnOptions,
    cell: Arc<Cell<A>>,
    pack: impl FnMut() -> Result<Parcel<A>, Failure> + Send + 'static,
) -> Result<(), SpawnError> {
    cell.vitals.set_node(|node| node.peer = Some(peer));
    if let Some(carrier) = net.carrier()
        && let Err(text) = carrier.seek(peer, &[])
    {
        tracing::warn!(%peer, text, "is not sought");
    }
    let (end, options) = (EndGuard::new(cell), options.remote.clone());
    system.loops()?.start_near(move || hosted::run(end, net, peer, options, pack))
}

impl Shared {
    /// Takes in a frame of a peer, on the carrier's loop: nothing here waits.
    fn take(
        self: &Arc<Self>,
        session: &Arc<Session>,
        lane: Lane,
        bytes: &Bytes,
    ) -> Result<(), Nonsense> {
        let lane = lane_of(lane)?;
        let (head, body) = decode(bytes)?;
        match head {
            Frame::Find { channel, role, name } => self.find(session, channel, role, &name),
            Frame::Start { channel, role, name, place, grants } => {
                let hosting = Hosting::new(session, channel, name, place, grants, body);
                self.begin_life(hosting, &role)
            }
            Frame::Message { channel, number, is_ask, urgent_before } => {
                match session.their(channel)? {
                    Some(Their::Open(inlet)) => {
                        inlet.message(lane, number, is_ask, urgent_before, body)
                    }
                    Some(Their::Finding { .. } | Their::Starting) => EARLY,
                    None => Ok(()),
                }
            }
            Frame::Signals { channel, raised, cleared, handed } => match session.their(channel)? {
                Some(Their::Open(inlet)) => inlet.signals(raised, cleared, handed),
                Some(Their::Finding { .. } | Their::Starting) => EARLY,
                None => Ok(()),
            },
            Frame::Answer { channel, call, outcome } => match session.their(channel)? {
                Some(Their::Open(inlet)) => match &inlet.serves {
                    Serves::Life(home) if home.answered(call, outcome, &body) => Ok(()),
                    Serves::Life(_) | Serves::Exported => {
                        Err(Nonsense::OutOfTurn("an answer to no call"))
                    }
                },
                Some(Their::Finding { .. } | Their::Starting) => EARLY,
                None => Ok(()),
            },
            Frame::Close { channel } => {
                session.their(channel)?;
                if let Some(Their::Open(inlet)) = session.drop_their(channel) {
                    inlet.close();
                }
                Ok(())
            }
            Frame::Unknown { channel }
            | Frame::Opened { channel, .. }
            | Frame::Refused { channel, .. }
            | Frame::Started { channel }
            | Frame::Progress { channel, .. }
            | Frame::Dropped { channel, .. }
            | Frame::Reply { channel, .. }
            | Frame::Held { channel, .. }
            | Frame::Taken { channel, .. }
            | Frame::Doing { channel, .. }
            | Frame::State { channel }
            | Frame::Call { channel, .. }
            | Frame::Ended { channel, .. }
            | Frame::Gone { channel } => match session.inbox(channel)? {
                Some(inbox) => inbox.put(Came { lane, head, body }),
                None => Ok(()),
            },
        }
    }
}

/// Who opens a channel waits until it is open.
const EARLY: Result<(), Nonsense> =
    Err(Nonsense::OutOfTurn("a frame of a channel that is not open"));
