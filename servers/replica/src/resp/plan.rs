//! What the commands on keys want done with each key.

use std::collections::HashSet;

use bytes::Bytes;
use palco_rambo::{
    CAS_VALUE_BYTES_MAX, Change, Class, Failure, KEY_BYTES_MAX, Key, Part, VALUE_BYTES_MAX,
};
use palco_service::services::resp::{Command, words};

use super::Reply;
use super::act::{Act, Condition, Deed};
use super::answer::{Answer, integer};
use crate::key_of;

/// Keys and values below this are copied out of the bytes that were read: what is small and stays must not keep all that
/// came with it in memory.
const COPIED_BYTES_MAX: usize = 16 * 1024;

/// A command's plan, or why it cannot have one.
pub(super) type Planned = Result<Answer, Reply>;

pub(super) fn get(acts: &mut Vec<Act>, command: &Command) -> Planned {
    read(acts, command, Answer::Value)
}

pub(super) fn strlen(acts: &mut Vec<Act>, command: &Command) -> Planned {
    read(acts, command, Answer::Length)
}

pub(super) fn type_of(acts: &mut Vec<Act>, command: &Command) -> Planned {
    read(acts, command, Answer::Type)
}

pub(super) fn ttl(acts: &mut Vec<Act>, command: &Command) -> Planned {
    read(acts, command, Answer::Expiry)
}

pub(super) fn mget(acts: &mut Vec<Act>, command: &Command) -> Planned {
    read_all(acts, command, Answer::Values)
}

pub(super) fn exists(acts: &mut Vec<Act>, command: &Command) -> Planned {
    read_all(acts, command, Answer::Present)
}

pub(super) fn tag(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = key(command, 1)?;
    if key.class == Class::Cas {
        return Err(wrong_class(command, &key, "has a version: PALCO.GETV tells it"));
    }
    acts.push(Act::new(key, Deed::Read));
    Ok(Answer::Tag)
}

/// `PALCO.GET key`: what orders the value, and the value.
pub(super) fn get_with_tag(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = key(command, 1)?;
    let answer = match key.class {
        Class::Register => Answer::Tagged,
        Class::Cas => Answer::Versioned,
    };
    acts.push(Act::new(key, Deed::Read));
    Ok(answer)
}

/// `PALCO.SET key value`: answers with what orders this value.
pub(super) fn set_with_tag(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = key(command, 1)?;
    let answer = match key.class {
        Class::Register => Answer::Tag,
        Class::Cas => Answer::NewVersion,
    };
    let value = value(command, 2, &key)?;
    acts.push(Act::new(key, Deed::Put(value)));
    Ok(answer)
}

pub(super) fn get_version(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = cas_key(command)?;
    acts.push(Act::new(key, Deed::Read));
    Ok(Answer::Versioned)
}

/// `PALCO.CASV key version value`.
pub(super) fn compare_and_swap(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = cas_key(command)?;
    let value = Some(value(command, 3, &key)?);
    if_version(acts, command, key, value, Answer::NewVersion)
}

/// `PALCO.DELV key version`.
pub(super) fn compare_and_delete(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = cas_key(command)?;
    if_version(acts, command, key, None, Answer::NewVersion)
}

fn if_version(
    acts: &mut Vec<Act>,
    command: &Command,
    key: Key,
    value: Option<Bytes>,
    answer: Answer,
) -> Planned {
    let expected = integer(command.argument(2).unwrap_or_default())?;
    let expected = u64::try_from(expected).map_err(|_| Reply::NOT_AN_INTEGER)?;
    let change = Change::CompareAndSwap { expected, value };
    acts.push(Act::new(key, Deed::Change(change)));
    Ok(answer)
}

/// What `SET` is asked to do beside setting.
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
                // Nothing has a time to live, so it is kept.
                b"KEEPTTL" => continue,
                b"EX" | b"PX" | b"EXAT" | b"PXAT" => {
                    let name = option.to_ascii_uppercase().escape_ascii().to_string();
                    return Err(Reply::refusal(format!(
                        "ERR option '{name}' of 'set' is not offered: expiry needs clocks that agree"
                    )));
                }
                _ => return Err(Reply::SYNTAX_ERROR),
            };
            if options.condition != Condition::Always && options.condition != condition {
                return Err(Reply::SYNTAX_ERROR);
            }
            options.condition = condition;
        }
        Ok(options)
    }
}

pub(super) fn set(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let options = SetOptions::parse(command)?;
    if options.condition == Condition::Always && !options.get {
        let key = key(command, 1)?;
        let value = value(command, 2, &key)?;
        acts.push(Act::new(key, Deed::Put(value)));
        return Ok(Answer::Done);
    }
    let answer = if options.get { Answer::Value } else { Answer::DoneOrNull };
    swap(acts, command, options.condition, answer)
}

pub(super) fn set_nx(acts: &mut Vec<Act>, command: &Command) -> Planned {
    swap(acts, command, Condition::IfAbsent, Answer::Flag)
}

pub(super) fn get_set(acts: &mut Vec<Act>, command: &Command) -> Planned {
    swap(acts, command, Condition::Always, Answer::Value)
}

pub(super) fn get_del(acts: &mut Vec<Act>, command: &Command) -> Planned {
    acts.push(Act::new(cas_key(command)?, Deed::Swap(Condition::IfPresent, None)));
    Ok(Answer::Value)
}

pub(super) fn mset(acts: &mut Vec<Act>, command: &Command) -> Planned {
    if command.len().is_multiple_of(2) {
        return Err(Reply::Error(words::wrong_arity("mset")));
    }
    let (begin, mut named) = (acts.len(), HashSet::new());
    // Of several values for one key the last counts, and only that is written.
    for place in (1..command.len()).step_by(2).rev() {
        let put = key(command, place)
            .and_then(|key| Ok(Act::new(key.clone(), Deed::Put(value(command, place + 1, &key)?))));
        push_or_take_back(acts, begin, put)?;
        keep_first(acts, &mut named);
    }
    acts[begin..].reverse();
    Ok(Answer::Done)
}

pub(super) fn del(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let (begin, mut named) = (acts.len(), HashSet::new());
    for place in 1..command.len() {
        let erase = key(command, place).map(|key| {
            let deed = match key.class {
                Class::Register => Deed::Erase,
                Class::Cas => Deed::Swap(Condition::IfPresent, None),
            };
            Act::new(key, deed)
        });
        push_or_take_back(acts, begin, erase)?;
        keep_first(acts, &mut named);
    }
    Ok(Answer::Changed)
}

/// Drops the last act if its key is named already: one command on one key twice would wait for itself.
fn keep_first(acts: &mut Vec<Act>, named: &mut HashSet<Bytes>) {
    if acts.last().is_some_and(|act| !named.insert(act.key().name.clone())) {
        acts.pop();
    }
}

pub(super) fn incr(acts: &mut Vec<Act>, command: &Command) -> Planned {
    add(acts, command, 1)
}

pub(super) fn decr(acts: &mut Vec<Act>, command: &Command) -> Planned {
    add(acts, command, -1)
}

pub(super) fn incr_by(acts: &mut Vec<Act>, command: &Command) -> Planned {
    add(acts, command, integer(command.argument(2).unwrap_or_default())?)
}

pub(super) fn decr_by(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let amount = integer(command.argument(2).unwrap_or_default())?;
    let amount = amount.checked_neg().ok_or(Reply::error("ERR decrement would overflow"))?;
    add(acts, command, amount)
}

fn add(acts: &mut Vec<Act>, command: &Command, amount: i64) -> Planned {
    acts.push(Act::new(cas_key(command)?, Deed::Change(Change::Add(amount))));
    Ok(Answer::Number)
}

pub(super) fn append(acts: &mut Vec<Act>, command: &Command) -> Planned {
    let key = cas_key(command)?;
    let more = value(command, 2, &key)?;
    acts.push(Act::new(key, Deed::Change(Change::Append(more))));
    Ok(Answer::Number)
}

fn read(acts: &mut Vec<Act>, command: &Command, answer: Answer) -> Planned {
    acts.push(Act::new(key(command, 1)?, Deed::Read));
    Ok(answer)
}

fn read_all(acts: &mut Vec<Act>, command: &Command, answer: Answer) -> Planned {
    let begin = acts.len();
    for place in 1..command.len() {
        let read = key(command, place).map(|key| Act::new(key, Deed::Read));
        push_or_take_back(acts, begin, read)?;
    }
    Ok(answer)
}

fn swap(acts: &mut Vec<Act>, command: &Command, condition: Condition, answer: Answer) -> Planned {
    let key = cas_key(command)?;
    let value = Some(value(command, 2, &key)?);
    acts.push(Act::new(key, Deed::Swap(condition, value)));
    Ok(answer)
}

/// A command that cannot be done as a whole is not begun.
fn push_or_take_back(
    acts: &mut Vec<Act>,
    begin: usize,
    act: Result<Act, Reply>,
) -> Result<(), Reply> {
    match act {
        Ok(act) => {
            acts.push(act);
            Ok(())
        }
        Err(refused) => {
            acts.truncate(begin);
            Err(refused)
        }
    }
}

/// The key at this place among the arguments; the table has checked that there is one.
fn key(command: &Command, place: usize) -> Result<Key, Reply> {
    Ok(key_of(bounded(command, place, Part::Key, KEY_BYTES_MAX)?))
}

/// A value for this key.
fn value(command: &Command, place: usize, key: &Key) -> Result<Bytes, Reply> {
    let limit = match key.class {
        Class::Register => VALUE_BYTES_MAX,
        Class::Cas => CAS_VALUE_BYTES_MAX,
    };
    bounded(command, place, Part::Value, limit)
}

fn bounded(command: &Command, place: usize, what: Part, limit: usize) -> Result<Bytes, Reply> {
    let argument = command.argument(place).unwrap_or_default();
    let bytes = argument.len();
    if bytes > limit {
        let failure = Failure::Oversized { what, bytes, limit };
        return Err(Reply::refusal(format!("ERR {failure}")));
    }
    let copied = || Bytes::copy_from_slice(argument);
    Ok(if bytes < COPIED_BYTES_MAX {
        copied()
    } else {
        command.shared_argument(place).unwrap_or_else(copied)
    })
}

/// The first argument of a command that only keys of class cas can have.
fn cas_key(command: &Command) -> Result<Key, Reply> {
    let key = key(command, 1)?;
    if key.class == Class::Cas {
        return Ok(key);
    }
    let advice = "is a plain register, and this needs agreement: use a name that begins with cas: or counter:";
    Err(wrong_class(command, &key, advice))
}

/// Bytes of a key that an error repeats.
const QUOTED_BYTES_MAX: usize = 128;

fn wrong_class(command: &Command, key: &Key, advice: &str) -> Reply {
    let name = command.name().escape_ascii();
    let quoted = key.name[..key.name.len().min(QUOTED_BYTES_MAX)].escape_ascii();
    Reply::refusal(format!("WRONGTYPE {name}: '{quoted}' {advice}"))
}
