//! What clients want: few keys, some more than others, and values that no other write has.

use bytes::Bytes;
use palco_rambo::Command;

use super::keys::Keys;
use crate::history::{Asked, Change};
use crate::random::Random;
use crate::scenario::Scenario;

/// An appended value is set anew when it is longer: otherwise long runs would only copy.
const APPENDED_BYTES_MAX: usize = 200;

/// One of the keys; in half of the cases rather one of the first.
pub(super) fn key(random: &mut Random, keys: &Keys) -> u32 {
    let count = u64::from(keys.len());
    let one = random.below(count);
    (if random.percent(50) { one.min(random.below(count)) } else { one }) as u32
}

/// What a client asks of a key: `name` is unlike that of any other operation.
pub(super) fn asked(
    random: &mut Random,
    scenario: &Scenario,
    keys: &Keys,
    number: u32,
    name: impl FnOnce() -> String,
) -> Asked {
    if random.percent(scenario.read_percent) {
        return Asked::Read;
    }
    if keys.is_cas(number) {
        return Asked::Change(change(random, scenario, keys, number, name));
    }
    let deleted = random.percent(5);
    Asked::Write((!deleted).then(|| value(scenario, name())))
}

/// A third of the keys are for values with versions, a third for numbers, a third for texts that grow.
fn change(
    random: &mut Random,
    scenario: &Scenario,
    keys: &Keys,
    number: u32,
    name: impl FnOnce() -> String,
) -> Change {
    let seen = keys.seen[number as usize];
    match (number % 3, random.below(20)) {
        (0, 0) => Change::Delete,
        (0, 1..=4) => Change::Set(value(scenario, name())),
        (0, 5) => Change::Swap { expected: seen.version + 1, value: None },
        (0, _) => Change::Swap { expected: seen.version, value: Some(value(scenario, name())) },
        (1, 0) => Change::Set(Bytes::from_static(b"0")),
        (1, 1) => Change::Delete,
        (1, _) => Change::Add(random.below(1_000) as i64 - 400),
        (_, 0) => Change::Add(1),
        (_, _) if seen.bytes > APPENDED_BYTES_MAX => Change::Set(name().into()),
        (_, _) => Change::Append(format!("{},", name()).into()),
    }
}

/// As long as the scenario wants, if that is long enough to be unlike all others.
fn value(scenario: &Scenario, name: String) -> Bytes {
    let mut bytes = name.into_bytes();
    bytes.resize((scenario.value_bytes as usize).max(bytes.len()), b'.');
    bytes.into()
}

/// What is said to a participant.
pub(super) fn command(
    keys: &Keys,
    number: u32,
    asked: &Asked,
    id: palco_rambo::OperationId,
    repeat: Option<u64>,
) -> Command {
    let key = keys.key(number).clone();
    match asked {
        Asked::Read => Command::Read(key),
        Asked::Write(value) => Command::Write(key, value.clone()),
        Asked::Change(change) => {
            let change = match change.clone() {
                Change::Swap { expected, value } => {
                    palco_rambo::Change::CompareAndSwap { expected, value }
                }
                Change::Append(more) => palco_rambo::Change::Append(more),
                Change::Add(number) => palco_rambo::Change::Add(number),
                Change::Set(value) => palco_rambo::Change::Set(Some(value)),
                Change::Delete => palco_rambo::Change::Set(None),
            };
            match repeat {
                None => Command::Change(key, change, id),
                Some(tried) => Command::Repeat(key, change, id, tried),
            }
        }
    }
}
