//! RAMBO: replicated atomic registers without a leader, whose members change without a pause, as a pure state machine.
//!
//! | file | what |
//! |---|---|
//! | `tag.rs` | [`Tag`] orders the values of a register, [`Ballot`] the attempts at a decision |
//! | `key.rs` | [`Key`], [`Class`], [`Value`], [`Tagged`] |
//! | `quorum.rs` | [`Quorums`]: which sets of members speak for all, and the proof that they meet |
//! | `configuration.rs` | [`Configuration`]: members and quorums |
//! | `configuration_map.rs` | [`ConfigurationMap`]: which of the sequence are removed, active, not known |
//! | `message.rs` | [`Message`], and its form as bytes |
//! | `event.rs`, `effect.rs` | [`Event`]: what happens to a participant; [`Effect`]: what it asks for |
//! | `participant.rs` | [`Participant`]: the protocol, one file for each of its parts |
//!
//! This room must never know an operating system, a clock, a socket, randomness or an async runtime.

#![forbid(unsafe_code)]

mod cas;
mod configuration;
mod configuration_map;
mod effect;
mod event;
mod flaw;
mod key;
mod message;
mod node_set;
mod participant;
mod quorum;
mod refusals;
mod settings;
mod store;
mod tag;
mod tally;

pub use cas::{Applied, CAS_VALUE_BYTES_MAX, CLIENTS_MAX, State};
pub use configuration::{Configuration, ConfigurationError, Index};
pub use configuration_map::{ACTIVE_MAX, ConfigurationMap, MapError, Version};
pub use effect::{Barrier, Effect, Failure, Outcome, Part, Reconfigured, Record, Versioned};
pub use event::{Change, Command, Event, OperationId, Target};
#[cfg(feature = "lab")]
pub use flaw::Flaw;
pub use flaw::Flaws;
pub use key::{Class, KEY_BYTES_MAX, Key, Tagged, VALUE_BYTES_MAX, Value};
pub use message::{
    Body, Cursor, Knowledge, MESSAGE_BYTES_MAX, Malformed, Message, PULL_BYTES_MAX, Phase, Want,
};
pub use node_set::{MEMBERS_MAX, NodeSet};
pub use participant::{
    FOLLOWED_MAX, Participant, ROUNDS_MAX, RestoreError, Round, Stage, Step, Trail,
};
pub use quorum::{EXPLICIT_MAX, Kind, Member, QuorumError, Quorums};
pub use refusals::Refusals;
pub use settings::{Mode, Settings, Storage};
pub use tag::{Ballot, Boot, NodeId, NotATag, Tag};
