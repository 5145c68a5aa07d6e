//! Changes of keys of class cas: their conditions, and what makes that one sent twice is applied once.

use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use palco_rambo::{Change, Class, Command, Key, OperationId, Outcome, Value, Versioned};
use tokio::time::Instant;

use super::etag::{Etag, Strength, Tags};
use super::identities::{IDEMPOTENCY_KEY_BYTES_MAX, named};
use super::kind::Kind;
use super::problem::Problem;
use super::shared::{Found, Shared};

/// Names a change, so that it is applied once however often it is sent (the IETF draft "The Idempotency-Key HTTP Header
/// Field", without its quotes being needed).
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// An entity tag that the register had when the change was first sent, or earlier.
pub(crate) const IDEMPOTENCY_SINCE: HeaderName = HeaderName::from_static("idempotency-since");

/// A version that no key has: a comparison with it never holds, but what was applied before is still found.
const NEVER: u64 = u64::MAX;

/// What a request says beside key and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    condition: Condition,
    /// The name of the change, and since when it may have been tried.
    id: Option<(OperationId, Option<u64>)>,
}

/// When a change is made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// `If-None-Match: *`: the register holds nothing. A deleted one holds nothing.
    Absent,
    /// `If-Match` with one version.
    Version(u64),
    /// Any other `If-Match`.
    Matches(Tags),
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) etag: Etag,
    pub(crate) novelty: Novelty,
}

/// Whether there was something before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    Created,
    Changed,
}

impl Terms {
    /// What these headers say about this key.
    pub(crate) fn of(headers: &HeaderMap, key: &Key) -> Result<Self, Problem> {
        let tags = |name: HeaderName| {
            Tags::parse(headers.get_all(&name).map(|value| value.as_bytes()))
                .map_err(|why| Problem::new(Kind::BadHeader, format!("{name}: {why}")))
        };
        let condition = match (tags(IF_MATCH)?, tags(IF_NONE_MATCH)?) {
            (None, None) => Condition::Always,
            (None, Some(Tags::Any)) => Condition::Absent,
            (Some(tags), None) => {
                one_version(&tags).map_or(Condition::Matches(tags), Condition::Version)
            }
            (None, Some(Tags::Listed(_))) => {
                let why =
                    "if-none-match: a change takes `*` alone, which means: if it holds nothing";
                return Err(Problem::new(Kind::BadHeader, why));
            }
            (Some(_), Some(_)) => {
                let why = "if-match and if-none-match: one of them at a time";
                return Err(Problem::new(Kind::BadHeader, why));
            }
        };
        let id = id_of(headers, key)?;
        if key.class == Class::Register && (id.is_some() || condition != Condition::Always) {
            let why = format!(
                "{key} is a plain register, which knows no conditions and no idempotency keys"
            );
            return Err(Problem::new(Kind::NotCas, why));
        }
        Ok(Self { condition, id })
    }
}

/// The version, if one strong tag of that form is all there is.
fn one_version(tags: &Tags) -> Option<u64> {
    let Tags::Listed(listed) = tags else { return None };
    let [one] = &listed[..] else { return None };
    (one.strength == Strength::Strong).then(|| version_of(&one.opaque)).flatten()
}

/// A version in the one form in which it is written.
fn version_of(opaque: &[u8]) -> Option<u64> {
    let text = str::from_utf8(opaque).ok()?;
    text.parse().ok().filter(|version: &u64| *version != NEVER && version.to_string() == text)
}

fn id_of(headers: &HeaderMap, key: &Key) -> Result<Option<(OperationId, Option<u64>)>, Problem> {
    let bad = |why: String| Problem::new(Kind::BadHeader, why);
    let one = |name: &HeaderName| {
        let mut values = headers.get_all(name);
        let value = values.next();
        if values.next().is_some() { Err(bad(format!("{name}: more than one"))) } else { Ok(value) }
    };
    let since = match one(&IDEMPOTENCY_SINCE)? {
        None => None,
        Some(value) => {
            let tags = Tags::parse([value.as_bytes()]).ok().flatten();
            let version = tags.as_ref().and_then(one_version);
            let why = || bad(format!("{IDEMPOTENCY_SINCE}: one entity tag of this register"));
            Some(version.ok_or_else(why)?)
        }
    };
    let Some(value) = one(&IDEMPOTENCY_KEY)? else {
        return if since.is_none() {
            Ok(None)
        } else {
            Err(bad(format!("{IDEMPOTENCY_SINCE} stands beside {IDEMPOTENCY_KEY}")))
        };
    };
    let text = value.as_bytes();
    let is_plain = text.iter().all(|byte| matches!(byte, 0x21..=0x7e));
    if text.is_empty() || text.len() > IDEMPOTENCY_KEY_BYTES_MAX || !is_plain {
        let why = format!(
            "{IDEMPOTENCY_KEY}: 1 to {IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters without spaces"
        );
        return Err(bad(why));
    }
    Ok(Some((named(key, text), since)))
}

/// Makes the change, if its condition holds.
pub(crate) async fn make(
    shared: &Shared,
    key: &Key,
    value: Value,
    terms: Terms,
) -> Result<Made, Problem> {
    let Terms { condition, id } = terms;
    let deadline = Instant::now() + shared.settings.answer_within;
    let lent = match id {
        Some(_) => None,
        None => Some(shared.identities.lend().map_err(|error| {
            Problem::new(Kind::Unavailable, format!("no random number can be had: {error}"))
        })?),
    };
    let is_named = id.is_some();
    let (id, since) = id.unwrap_or_else(|| (lent.as_ref().expect("lent above").id(), None));
    // Whoever compares with a version has seen it before asking.
    let since = since.or(match condition {
        Condition::Version(version) if is_named => Some(version),
        Condition::Version(_) | Condition::Always | Condition::Absent | Condition::Matches(_) => {
            None
        }
    });
    let mut seen: Option<Versioned> = None;
    loop {
        let within = deadline.saturating_duration_since(Instant::now());
        if within.is_zero() {
            return Err(Problem::new(
                Kind::Unavailable,
                "others changed the register all the time",
            ));
        }
        let expected = match &condition {
            Condition::Always => None,
            Condition::Version(version) => Some(*version),
            Condition::Absent | Condition::Matches(_) => {
                let found = match seen.take() {
                    Some(found) => found,
                    None => look(shared, key, within).await?,
                };
                match condition.holds(&found) {
                    true => Some(found.version),
                    // The condition may fail because of this very change, made before.
                    false if is_named => Some(NEVER),
                    false => return Err(failed(found)),
                }
            }
        };
        let change = match expected {
            None => Change::Set(value.clone()),
            Some(expected) => Change::CompareAndSwap { expected, value: value.clone() },
        };
        let command = match since {
            None => Command::Change(key.clone(), change, id),
            Some(since) => Command::Repeat(key.clone(), change, id, since),
        };
        let version = match shared.run(command, within).await {
            Outcome::Cas(now) if now.value != value => {
                let why = "this idempotency key names a change of this register to another value";
                return Err(Problem::new(Kind::KeyReused, why).at(&Etag::of_version(now.version)));
            }
            Outcome::Cas(now) => now.version,
            Outcome::Repeated { version, .. } => version,
            Outcome::Mismatch(found)
                if expected != Some(NEVER) && condition.is_looked_at(&found) =>
            {
                seen = Some(found);
                continue;
            }
            Outcome::Mismatch(found) => return Err(failed(found)),
            other => return Err(Problem::of_change(other)),
        };
        let is_new = version == 1 || condition == Condition::Absent;
        let novelty = if is_new { Novelty::Created } else { Novelty::Changed };
        return Ok(Made { etag: Etag::of_version(version), novelty });
    }
}

impl Condition {
    fn holds(&self, found: &Versioned) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => found.value.is_none(),
            Self::Version(version) => found.version == *version,
            // `*` wants a value; a tag may be that of a tombstone.
            Self::Matches(Tags::Any) => found.value.is_some(),
            Self::Matches(tags) => tags.has_strong(&Etag::of_version(found.version)),
        }
    }

    /// Whether it is one of those that are looked at first, and holds again after somebody came between.
    fn is_looked_at(&self, found: &Versioned) -> bool {
        match self {
            Self::Always | Self::Version(_) => false,
            Self::Absent | Self::Matches(_) => self.holds(found),
        }
    }
}

async fn look(
    shared: &Shared,
    key: &Key,
    within: std::time::Duration,
) -> Result<Versioned, Problem> {
    match shared.run(Command::Read(key.clone()), within).await {
        Outcome::Cas(found) => Ok(found),
        other => Err(Problem::of_read(&other)),
    }
}

fn failed(found: Versioned) -> Problem {
    let what = if found.value.is_some() { "holds a value" } else { "holds nothing" };
    let detail = format!("the register has version {} and {what}", found.version);
    Problem::new(Kind::PreconditionFailed, detail).at(&Found::from(found).etag)
}
