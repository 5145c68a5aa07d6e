//! One state for several processes: a worker decodes a command and asks the keeper, whose store it is, with all of it.
//!
//! What concerns only the connection (`PING`, `CLIENT`, `HELLO` …) is answered where the connection is.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::reply::Reply;
use super::table::{self, Run};
use super::{Command, KvService, KvSession, RespCodec, information};
use crate::{Ask, CannotRelaunch, EXCHANGE_BYTES_MAX, Peer, SharedState};

/// What the lengths of one exchange take at most, beside its bytes: 1/8.
const PAYLOAD_BYTES_MAX: usize = EXCHANGE_BYTES_MAX / 8 * 7;
/// What the length of each part counts for.
const PART_BYTES: usize = 5;

/// One command: its name and arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question(Vec<Bytes>);

/// One reply of a command that needs the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// `+OK`; these commands have no other status.
    Ok,
    /// An error with its code.
    Error(Bytes),
    /// An integer.
    Integer(i64),
    /// A bulk string.
    Bulk(Bytes),
    /// The null bulk string.
    Null,
    /// The null array.
    NullArray,
    /// An array.
    Array(Vec<Answer>),
}

/// Who keeps the state, as a worker sees it.
pub(super) struct Keeper(Ask<KvService>);

impl Keeper {
    /// The keeper's reply to a command.
    pub(super) async fn ask(&self, kv: &KvService, command: &Command) -> Reply {
        let bytes: usize = command.arguments().map(|part| part.len() + PART_BYTES).sum();
        if bytes > PAYLOAD_BYTES_MAX {
            return too_large("a command");
        }
        let parts = (0..command.len()).filter_map(|index| command.shared_argument(index));
        match (self.0)(Question(parts.collect())).await {
            Some(Answer::Bulk(contents)) if command.name().eq_ignore_ascii_case(b"info") => {
                Reply::text(information::about(kv, command, &String::from_utf8_lossy(&contents)))
            }
            Some(answer) => answer.into(),
            None => Reply::error("ERR no answer from the keeper of the state; it may have acted"),
        }
    }
}

impl SharedState for KvService {
    type Question = Question;
    type Answer = Answer;

    fn answer(&self, question: Question) -> Answer {
        let command = Command::from_arguments(question.0.iter().map(|part| &part[..]));
        let spec = table::find(command.name()).filter(|spec| spec.takes(command.len()));
        let reply = match spec {
            None => not_a_question(),
            Some(spec) if spec.name == "info" => Reply::text(information::contents(self, &command)),
            Some(spec) => match spec.run {
                // No command that needs the store looks at the client.
                Run::Now(run) => run(self, &mut nobody(), &command),
                Run::Flush => match super::strings::flush_mode(&command) {
                    Err(refused) => refused,
                    Ok(_) => {
                        drop(self.store.clear());
                        Reply::Status("OK")
                    }
                },
                // It is of a connection, and the keeper has none.
                Run::Ticket => not_a_question(),
            },
        };
        if reply.bytes_within(PAYLOAD_BYTES_MAX).is_some() {
            reply.into()
        } else {
            too_large("a reply").into()
        }
    }

    fn asking(limits: &super::Limits, ask: Ask<Self>) -> Result<(Self, RespCodec), CannotRelaunch> {
        let service = Self { keeper: Some(Keeper(ask)), ..Self::new(limits.clone()) };
        Ok((service, RespCodec::new(limits.clone())))
    }
}

fn nobody() -> KvSession {
    KvSession {
        id: 0,
        peer: Peer::new(""),
        name: String::new(),
        library_name: String::new(),
        library_version: String::new(),
    }
}

fn not_a_question() -> Reply {
    Reply::error("ERR not a question for the keeper of the state")
}

fn too_large(what: &str) -> Reply {
    Reply::Error(
        format!("ERR {what} of more than {PAYLOAD_BYTES_MAX} bytes does not reach a shared state")
            .into(),
    )
}

impl Reply {
    /// What is left of `room` when this has taken its bytes; none if it is too large. Looks no further than that.
    fn bytes_within(&self, room: usize) -> Option<usize> {
        let bytes = match self {
            Self::Error(bytes) | Self::Bulk(bytes) => bytes.len(),
            Self::Array(items) => {
                let left = room.checked_sub(PART_BYTES)?;
                return items
                    .as_slice()
                    .iter()
                    .try_fold(left, |left, item| item.bytes_within(left));
            }
            Self::Status(_)
            | Self::Closing(_)
            | Self::Integer(_)
            | Self::Null
            | Self::NullArray => PART_BYTES,
        };
        room.checked_sub(bytes + PART_BYTES)
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Status(_) | Reply::Closing(_) => Self::Ok,
            Reply::Error(text) => Self::Error(text),
            Reply::Integer(value) => Self::Integer(value),
            Reply::Bulk(bytes) => Self::Bulk(bytes),
            Reply::Null => Self::Null,
            Reply::NullArray => Self::NullArray,
            Reply::Array(items) => Self::Array(items.map(Self::from).collect()),
        }
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Ok => Self::Status("OK"),
            Answer::Error(text) => Self::Error(text),
            Answer::Integer(value) => Self::Integer(value),
            Answer::Bulk(bytes) => Self::Bulk(bytes),
            Answer::Null => Self::Null,
            Answer::NullArray => Self::NullArray,
            Answer::Array(items) => Self::array(items.into_iter().map(Self::from).collect()),
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}
