//! Frames between nodes, whatever carries them.
//!
//! | file | what |
//! |---|---|
//! | `peer.rs` | [`Peer`]: who a node is, which is its public key |
//! | `carrier.rs` | [`Carrier`]: what every carrier can do; [`Event`]: what it says |
//! | `outbox.rs` | [`Outbox`]: what waits to be sent to one peer, bounded, a queue for each [`Lane`] |
//! | `memory.rs`, `memory/` | [`memory::Hub`]: a network inside one program |
//! | `libp2p.rs`, `libp2p/` | [`libp2p::Libp2p`]: between machines, with feature `libp2p` |
//! | `mdns.rs` | [`mdns::Mdns`]: nodes of the local network, with feature `mdns` |
//! | `faulty.rs`, `faulty/` | [`faulty::Faulty`]: breaks connections of another carrier, by a seeded plan |
//! | `event_loop.rs` | [`Host`]: an event loop that a carrier can live on as a guest |
//! | `lots.rs`, `refusal.rs` | what carriers share: seeded numbers, words |
//!
//! This room must never know actors, servers, or what is in a frame.

#![forbid(unsafe_code)]

mod carrier;
mod event_loop;
pub mod faulty;
#[cfg(feature = "libp2p")]
pub mod libp2p;
mod lots;
#[cfg(feature = "mdns")]
pub mod mdns;
pub mod memory;
mod outbox;
mod peer;
mod refusal;

pub use carrier::{Carrier, Event, Hear, Introduction, Session};
pub use event_loop::{Guest, Host};
pub use outbox::{Drain, LANE_BYTES_DEFAULT, Lane, Outbox, PushError};
pub use peer::{NodeKey, NotAPeer, Peer};
pub use refusal::FRAME_BYTES_MAX_DEFAULT;
use refusal::{other_key, too_large};
