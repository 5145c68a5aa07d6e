//! A key-value store that speaks RESP2, as redis 7 speaks it to `redis-cli`, `redis-benchmark` and client libraries.
//!
//! Source: the Redis serialization protocol specification, and redis 7.0 (`networking.c`, `t_string.c`, `sds.c`) where
//! that is silent. Values are strings; there is one database; nothing expires and nothing is written to disk.
//! `kv/table.rs` lists the commands.
//!
//! | file | what |
//! |---|---|
//! | `codec.rs` | [`RespCodec`]: commands in, replies out; the bytes are [`resp`](super::resp)'s |
//! | `reply.rs` | [`Reply`] and its bytes; long arrays leave in parts |
//! | `shared.rs` | one state for several processes: whole commands as questions |
//! | `store.rs` | the sharded map and its limits |
//! | `table.rs` | every command: name, arity, documentation, function |
//! | `strings.rs`, `connection.rs`, `information.rs` | the functions |
//!
//! Limits are in [`Limits`]. Deviations from redis, beside those of [`resp`](super::resp):
//!
//! * `SET` takes `NX`, `XX` and `GET`; every other option is an error that names it.
//! * `redis_version` in `INFO` and `HELLO` is the protocol level that clients look for; `palco_version` is the truth.
//!
//! `PALCO.TICKET`, which redis does not have, answers with a bulk string such as `kv/17.2:key@address`: what gives its
//! client power, at the urgent port, over the next request of this connection. Requests of a connection are numbered from
//! 1; every command is one, also a wrong one, but not an empty line.
//!
//! A server in several processes has a store in each (`palco_state:local` in `INFO`), or one that they ask
//! (`palco_state:shared`); numbers of clients are those of the client's process.
//!
//! `MGET`, `MSET`, `DEL` and `EXISTS` are atomic: they lock every shard they need, in order. A command of the largest
//! size holds those locks, and its thread, for some milliseconds.

mod codec;
mod connection;
mod information;
mod reply;
mod shared;
mod store;
mod strings;
mod table;

use std::sync::atomic::{AtomicU64, Ordering};

pub use codec::RespCodec;
pub use reply::{Items, PART_BYTES, Reply};
pub use shared::{Answer, Question};

use serde::{Deserialize, Serialize};
use shared::Keeper;
use store::Store;
use table::Run;

use super::resp::words;
pub use super::resp::{Arguments, Command, write_command};
use super::ticket;
use crate::{CallContext, CannotRelaunch, Peer, Relaunch, Service};

/// The redis version whose protocol this is; clients choose their dialect by it.
const REDIS_VERSION: &str = "7.0.0";

/// What a [`KvService`] stores and a [`RespCodec`] accepts.
///
/// Give the service and its codec the same limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Arguments of one command, its name included; default 65 536.
    pub arguments_max: usize,
    /// Bytes of one argument, and of one stored value; default 512 KiB.
    pub value_bytes_max: usize,
    /// Bytes of one inline command; default 64 KiB, as in redis.
    pub inline_bytes_max: usize,
    /// Bytes of one command with its lengths; default 16 MiB, never above 4 GiB. This bounds a connection's memory.
    pub command_bytes_max: usize,
    /// Keys in the store; default 1 000 000.
    pub keys_max: usize,
    /// Bytes of all keys and values, with an estimated overhead per key; default 256 MiB.
    pub store_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            arguments_max: 65_536,
            value_bytes_max: 512 * 1024,
            inline_bytes_max: 64 * 1024,
            command_bytes_max: 16 * 1024 * 1024,
            keys_max: 1_000_000,
            store_bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// The store and its commands.
#[derive(Debug)]
pub struct KvService {
    store: Store,
    limits: Limits,
    sessions: AtomicU64,
    /// Who has the state, if it is somebody else: the own store stays empty then.
    keeper: Option<Keeper>,
}

impl KvService {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { store: Store::new(&limits), limits, sessions: AtomicU64::new(0), keeper: None }
    }
}

impl Relaunch for KvService {
    const NAME: &'static str = "kv";
    type Config = Limits;
    type Codec = RespCodec;

    fn relaunch(limits: &Limits) -> Result<(Self, RespCodec), CannotRelaunch> {
        Ok((Self::new(limits.clone()), RespCodec::new(limits.clone())))
    }
}

impl Default for KvService {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// What the store remembers about one client: what the client said about itself.
#[derive(Debug)]
pub struct KvSession {
    id: u64,
    peer: Peer,
    name: String,
    library_name: String,
    library_version: String,
}

impl Service for KvService {
    type Request = Command;
    type Response = Reply;
    type Session = KvSession;

    fn open(&self, peer: &Peer) -> KvSession {
        KvSession {
            id: self.sessions.fetch_add(1, Ordering::Relaxed) + 1,
            peer: peer.clone(),
            name: String::new(),
            library_name: String::new(),
            library_version: String::new(),
        }
    }

    async fn call(&self, session: &mut KvSession, request: Command, cx: &CallContext<'_>) -> Reply {
        let name = request.name();
        let Some(spec) = table::find(name) else {
            return Reply::Error(words::unknown_command(&request));
        };
        if !spec.takes(request.len()) {
            return reply::wrong_arity(spec.name);
        }
        if let Some(keeper) = self.keeper.as_ref().filter(|_| spec.needs_store()) {
            return keeper.ask(self, &request).await;
        }
        match spec.run {
            Run::Now(run) => run(self, session, &request),
            Run::Flush => {
                if let Err(refused) = strings::flush_mode(&request) {
                    return refused;
                }
                let removed = self.store.clear();
                // Freeing a million entries takes a while; the store is empty already.
                let _ = cx.block(move || drop(removed)).await;
                Reply::Status("OK")
            }
            Run::Ticket => match ticket::next(cx) {
                Ok(ticket) => Reply::text(ticket.to_string()),
                Err(why) => Reply::Error(format!("ERR {why}").into()),
            },
        }
    }

    async fn more(&self, response: &mut Reply, _cx: &CallContext<'_>) -> bool {
        response.has_more()
    }
}
