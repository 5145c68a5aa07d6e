//! From what became of a command's keys to its reply.

use palco_rambo::Tag;
use palco_service::services::resp::integer;

use super::Reply;
use super::act::{Act, Found, Trouble};

/// What a command on keys answers with.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Known without asking.
    Ready(Reply),
    /// The value.
    Value,
    /// The values, in order.
    Values,
    /// That it is done.
    Done,
    /// That it is done, or null if its condition does not hold.
    DoneOrNull,
    /// 1 if it was done, else 0.
    Flag,
    /// How many keys hold something.
    Present,
    /// How many keys were changed.
    Changed,
    /// The length of the value.
    Length,
    /// What the change came to.
    Number,
    /// `string`, or `none`.
    Type,
    /// That nothing expires: -1, or -2 if there is nothing.
    Expiry,
    /// The tag, as text.
    Tag,
    /// Tag and value.
    Tagged,
    /// Version and value.
    Versioned,
    /// The new version, or null if the expected one is not there.
    NewVersion,
}

impl Answer {
    /// The reply, if all its acts went well; else the error that says what is known.
    pub(super) fn reply(self, acts: impl Iterator<Item = Act>) -> Reply {
        let mut all = Vec::with_capacity(1);
        let mut trouble = None;
        for act in acts {
            match act.into_result() {
                Ok(found) => all.push(found),
                Err(of_this) => trouble = Some(worse(trouble, of_this)),
            }
        }
        match trouble {
            None => self.of(all),
            Some(trouble) => error(&trouble, all.iter().any(|found| found.changed)),
        }
    }

    fn of(self, mut all: Vec<Found>) -> Reply {
        let count = |wanted: fn(&Found) -> bool| all.iter().filter(|found| wanted(found)).count();
        let (present, changed) =
            (count(|found| found.value.is_some()), count(|found| found.changed));
        let first = || all.first().cloned().unwrap_or_default();
        match self {
            Self::Ready(reply) => reply,
            Self::Value => Reply::bulk_or_null(first().value),
            Self::Values => {
                Reply::Array(all.drain(..).map(|found| Reply::bulk_or_null(found.value)).collect())
            }
            Self::Done => Reply::OK,
            Self::DoneOrNull if changed > 0 => Reply::OK,
            Self::DoneOrNull => Reply::Null,
            Self::Flag | Self::Changed => Reply::count(changed as u64),
            Self::Present => Reply::count(present as u64),
            Self::Length => Reply::count(first().value.map_or(0, |value| value.len()) as u64),
            Self::Number => Reply::Integer(first().number),
            Self::Type if present > 0 => Reply::Status("string"),
            Self::Type => Reply::Status("none"),
            Self::Expiry => Reply::Integer(if present > 0 { -1 } else { -2 }),
            Self::Tag if first().tag == Tag::ZERO => Reply::Null,
            Self::Tag => Reply::text(first().tag.to_string()),
            Self::Tagged => {
                let Found { tag, value, .. } = first();
                Reply::Array(vec![Reply::text(tag.to_string()), Reply::bulk_or_null(value)])
            }
            Self::Versioned => {
                let Found { version, value, .. } = first();
                Reply::Array(vec![Reply::count(version), Reply::bulk_or_null(value)])
            }
            Self::NewVersion if changed > 0 => Reply::count(first().version),
            Self::NewVersion => Reply::Null,
        }
    }
}

/// What a client has to know first: that something may have happened, then that it makes no sense to ask again.
fn worse(one: Option<Trouble>, other: Trouble) -> Trouble {
    match (one, other) {
        (Some(unknown @ Trouble::Unknown(_)), _) => unknown,
        (Some(refused @ Trouble::Refused(_)), Trouble::Again(_)) => refused,
        (_, other) => other,
    }
}

fn error(trouble: &Trouble, changed_others: bool) -> Reply {
    match trouble {
        _ if changed_others => Reply::error(
            "UNKNOWN outcome: some of these keys have been changed, others may have been and may \
             still be: read them",
        ),
        Trouble::Unknown(None) => {
            Reply::error("UNKNOWN outcome: it may have happened and may still happen: read the key")
        }
        Trouble::Unknown(Some(tag)) => Reply::refusal(format!(
            "UNKNOWN outcome: it may have happened and may still happen, with the tag {tag}: read the key"
        )),
        Trouble::Again(why) => Reply::refusal(format!("TRYAGAIN {why}")),
        Trouble::Refused(text) => Reply::Error(text.clone()),
    }
}

/// Redis' strict integer in an argument.
pub(super) fn integer(argument: &[u8]) -> Result<i64, Reply> {
    integer::parse(argument).ok_or(Reply::NOT_AN_INTEGER)
}
