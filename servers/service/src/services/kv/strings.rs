//! The commands on keys and their values.

use bytes::Bytes;

use super::reply::{NOT_AN_INTEGER, SYNTAX_ERROR, wrong_arity};
use super::store::OutOfMemory;
use super::{Command, KvService, KvSession, Reply};
use crate::services::resp::{integer, words};

const OUT_OF_MEMORY: Reply =
    Reply::error("OOM command not allowed when used memory > 'maxmemory'.");
const TOO_LONG: Reply =
    Reply::error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
const OVERFLOW: Reply = Reply::error(words::OVERFLOW);
const OK: Reply = Reply::Status("OK");

/// The argument at `index`; the table has checked that it is there.
fn argument(command: &Command, index: usize) -> &[u8] {
    command.argument(index).unwrap_or_default()
}

fn or_out_of_memory(result: Result<Reply, OutOfMemory>) -> Reply {
    result.unwrap_or(OUT_OF_MEMORY)
}

pub(super) fn get(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    Reply::bulk_or_null(kv.store.value(argument(command, 1)))
}

/// When `SET` writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    IfAbsent,
    IfPresent,
}

struct SetOptions {
    condition: Condition,
    /// Answer with the old value.
    get: bool,
}

impl SetOptions {
    fn parse(command: &Command) -> Result<Self, Reply> {
        let mut options = Self { condition: Condition::Always, get: false };
        for option in command.arguments().skip(3) {
            let condition = match option.to_ascii_uppercase().as_slice() {
                b"NX" => Condition::IfAbsent,
                b"XX" => Condition::IfPresent,
                b"GET" => {
                    options.get = true;
                    continue;
                }
                b"EX" | b"PX" | b"EXAT" | b"PXAT" | b"KEEPTTL" => {
                    let name = option.to_ascii_uppercase().escape_ascii().to_string();
                    let text = format!("ERR option '{name}' of 'set' is not supported");
                    return Err(Reply::Error(text.into()));
                }
                _ => return Err(SYNTAX_ERROR),
            };
            if options.condition != Condition::Always && options.condition != condition {
                return Err(SYNTAX_ERROR);
            }
            options.condition = condition;
        }
        Ok(options)
    }

    /// The reply to a `SET` that found `old` and did or did not write.
    fn reply(&self, old: Option<&Bytes>, written: bool) -> Reply {
        match (self.get, written) {
            (true, _) => Reply::bulk_or_null(old.cloned()),
            (false, true) => OK,
            (false, false) => Reply::Null,
        }
    }
}

pub(super) fn set(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    let value = argument(command, 2);
    let options = match SetOptions::parse(command) {
        Ok(options) => options,
        Err(refused) => return refused,
    };
    if value.len() > kv.limits.value_bytes_max {
        return TOO_LONG;
    }
    // Copied before the lock is taken.
    let value = Bytes::copy_from_slice(value);
    or_out_of_memory(kv.store.update(argument(command, 1), |old| {
        let written = match options.condition {
            Condition::Always => true,
            Condition::IfAbsent => old.is_none(),
            Condition::IfPresent => old.is_some(),
        };
        (written.then_some(value), options.reply(old, written))
    }))
}

pub(super) fn append(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    let suffix = argument(command, 2);
    or_out_of_memory(kv.store.update(argument(command, 1), |old| {
        let old = old.map_or(&[][..], |old| old);
        let length = old.len() + suffix.len();
        if length > kv.limits.value_bytes_max {
            return (None, TOO_LONG);
        }
        let mut value = Vec::with_capacity(length);
        value.extend_from_slice(old);
        value.extend_from_slice(suffix);
        (Some(value.into()), Reply::count(length))
    }))
}

pub(super) fn strlen(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    Reply::count(kv.store.value(argument(command, 1)).map_or(0, |value| value.len()))
}

pub(super) fn incr(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    add(kv, command, 1)
}

pub(super) fn decr(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    add(kv, command, -1)
}

pub(super) fn incr_by(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    integer::parse(argument(command, 2)).map_or(NOT_AN_INTEGER, |amount| add(kv, command, amount))
}

fn add(kv: &KvService, command: &Command, amount: i64) -> Reply {
    or_out_of_memory(kv.store.update(argument(command, 1), |old| {
        let Some(old) = old.map_or(Some(0), |old| integer::parse(old)) else {
            return (None, NOT_AN_INTEGER);
        };
        let Some(sum) = old.checked_add(amount) else { return (None, OVERFLOW) };
        (Some(Bytes::copy_from_slice(integer::Text::new(sum).as_bytes())), Reply::Integer(sum))
    }))
}

pub(super) fn mget(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    let values = kv.store.values(command.rest());
    Reply::array(values.into_iter().map(Reply::bulk_or_null).collect())
}

pub(super) fn mset(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    if command.len().is_multiple_of(2) {
        return wrong_arity("mset");
    }
    let keys = command.rest().step_by(2);
    let values = command.rest().skip(1).step_by(2);
    if values.clone().any(|value| value.len() > kv.limits.value_bytes_max) {
        return TOO_LONG;
    }
    or_out_of_memory(kv.store.set_all(keys.zip(values)).map(|()| OK))
}

pub(super) fn del(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    Reply::count(kv.store.remove(command.rest()))
}

pub(super) fn exists(kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    Reply::count(kv.store.count(command.rest()))
}

/// `FLUSHALL [ASYNC|SYNC]`: both keep their promise, because the memory is freed before the answer, elsewhere.
pub(super) fn flush_mode(command: &Command) -> Result<(), Reply> {
    let valid = match command.argument(1) {
        None => true,
        Some(mode) => {
            command.len() == 2
                && [&b"SYNC"[..], b"ASYNC"].iter().any(|known| mode.eq_ignore_ascii_case(known))
        }
    };
    if valid { Ok(()) } else { Err(SYNTAX_ERROR) }
}
