//! RAMBO participants as actors: replicas that keep registers, and the gateways through which they are used.
//!
//! | file | what |
//! |---|---|
//! | `registers.rs` | [`Registers`]: what a gateway stands on |
//! | `classes.rs` | [`key_of`]: which names are of class cas |
//! | `standing.rs` | [`Standing`]: how a replica stands |
//! | `storage.rs` | [`storage`]: what a replica keeps on disk |
//! | `alone.rs` | [`Alone`]: a domain of one participant in this program's memory |
//! | `replica.rs` | [`Replica`]: a participant as an actor, in any place |
//! | `words.rs` | what replicas are told and what they say |
//! | `speech.rs`, `pack.rs` | what a replica has to say, collected and packed |
//! | `keeper.rs` | how a replica begins, and what keeps what it promises |
//! | `domain.rs` | [`Domain`]: registers through this node's replicas |
//! | `ensemble.rs` | [`Ensemble`]: several nodes in one program |
//! | `reconfigure.rs` | [`reconfigure`]: all shards, through one node |
//! | `cluster.rs` | [`Cluster`]: nodes by their names, and wishes for other members |
//! | `identity.rs` | [`Keeping`]: who a node is, and where it keeps what it promises |
//! | `member.rs` | [`RunningMember`]: a node among others, on other machines too |
//! | `book.rs`, `clerk.rs` | [`Book`]: who belongs to the cluster and where they are |
//! | `held.rs` | [`Holding`]: what a replica holds for a key |
//! | `timeline.rs` | [`Timeline`]: which configurations an observer has seen |
//! | `desk.rs`, `pending.rs`, `trails.rs` | where answers meet their requests, and letters their ways |
//! | `neighbours.rs` | nodes found on the local network |
//! | `http.rs` | [`http`]: the HTTP gateway |
//! | [`resp`] | registers in the Redis protocol |

#![forbid(unsafe_code)]

mod alone;
mod book;
mod classes;
mod clerk;
mod cluster;
mod desk;
mod domain;
mod ensemble;
mod held;
pub mod http;
mod identity;
mod keeper;
mod member;
mod neighbours;
mod pack;
mod pending;
mod reconfigure;
mod registers;
mod replica;
pub mod resp;
mod speech;
mod standing;
pub mod storage;
mod timeline;
mod trails;
pub mod words;

pub use alone::Alone;
pub use book::{Book, Entry, NAME_BYTES_MAX, NODES_MAX, node_of};
pub use classes::{CAS_PREFIXES, key_of};
pub use cluster::{
    Cluster, ClusterView, NodeHost, NodeView, QuorumWish, Replacement, Viewing, Wish, WishError,
};
pub use desk::Desk;
pub use domain::Domain;
pub use ensemble::{Ensemble, EnsembleError, EnsembleOptions, Node};
pub use held::{HELD_KEYS_MAX, Holding};
pub use identity::Keeping;
pub use member::{Beginning, Contact, MemberError, MemberOptions, RunningMember};
pub use reconfigure::{Change, Wanted, reconfigure};
pub use registers::{Looking, Page, Registers, Running, Scanning};
pub use replica::{Begin, Keep, Replica, ReplicaArgs};
pub use standing::Standing;
pub use timeline::{TIMELINE_MAX, Timeline, TimelineEntry, Took};
