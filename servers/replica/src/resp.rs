//! Registers in the Redis protocol: what `redis-cli`, `redis-benchmark` and client libraries ask for, as far as registers
//! can keep what Redis promises; what they cannot is refused by name, with the reason. `docs/REGISTERS.md` is for users.
//!
//! | file | what |
//! |---|---|
//! | `codec.rs` | [`RespCodec`]: all commands that have come are one [`Batch`] |
//! | `gateway.rs` | [`Gateway`]: the service; a batch is answered in portions, each with as few trips as its keys allow |
//! | `plan.rs` | what the commands on keys want done with each key |
//! | `act.rs` | one key, step by step: read, write, change, or compare and swap until it fits |
//! | `wave.rs` | the steps that can be taken at the same time |
//! | `answer.rs` | from what became of the keys to a [`Reply`] |
//! | `reply.rs` | [`Reply`], in RESP2 and RESP3 |
//! | `client.rs`, `connection.rs` | who is asking, and the commands about that |
//! | `looking.rs`, `information.rs` | the commands about this node and about commands |
//! | `table.rs`, `refused.rs` | every command that is offered, and those known ones that are not |
//!
//! How a batch runs. Its commands are taken in portions of at most [`Settings::at_once_max`] keys. Of a portion, everything
//! runs at the same time, but on one key only in the order of the commands: what has to wait for another command on its
//! key goes with the next trip. Reads of a key that have nothing between them share one. `SCAN`, `DBSIZE` and `INFO` look
//! at more than one key and run alone.
//!
//! Deviations from redis, beside those of the [`parser`](palco_service::services::resp):
//!
//! * A number in a key of class cas may have a plus sign or leading zeros.
//! * `redis_version` in `INFO` and `HELLO` is the protocol level that clients look for; `palco_version` is the truth.

mod act;
mod answer;
mod client;
mod codec;
mod connection;
mod gateway;
mod information;
mod looking;
mod plan;
mod refused;
mod reply;
mod table;
mod wave;

use std::fmt;
use std::time::Duration;

pub use client::Session;
pub use codec::{Batch, RespCodec};
pub use gateway::{Answers, Gateway};
pub use reply::{Protocol, Reply};

/// The redis version whose protocol this is; clients choose their dialect by it.
const REDIS_VERSION: &str = "7.0.0";

/// What a [`Gateway`] allows.
#[derive(Clone)]
pub struct Settings {
    /// What a client has to say in `AUTH` or `HELLO` before anything else; nothing by default.
    pub password: Option<Box<str>>,
    /// How long a command may take, waiting for earlier ones on the same key included; default 5 s.
    pub within: Duration,
    /// Keys that one connection's commands work on at the same time, and values of them that are in memory; default 256.
    pub at_once_max: usize,
    /// Bytes of values in the answer to one command on many keys, more or less; default 64 MiB.
    pub answer_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            password: None,
            within: Duration::from_secs(5),
            at_once_max: 256,
            answer_bytes_max: 64 << 20,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { password, within, at_once_max, answer_bytes_max } = self;
        f.debug_struct("Settings")
            .field("password", &password.as_ref().map(|_| "…"))
            .field("within", within)
            .field("at_once_max", at_once_max)
            .field("answer_bytes_max", answer_bytes_max)
            .finish()
    }
}
