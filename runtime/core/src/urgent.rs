//! What can be asked about a request that is being served, and what is answered.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What can be asked about a request that is being served.
///
/// As text, the word in any case; after `priority` a number: `hold`, `priority 10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Give it up. What the client hears is up to the protocol.
    Cancel,
    /// No progress until it is resumed.
    Hold,
    /// Go on after a hold.
    Resume,
    /// How much of the processor it gets beside others.
    Priority(Nice),
    /// Nothing but where it stands.
    Status,
}

/// How much processor time one gives up for others: −20 gets most, 19 least, 0 is usual. One step is a factor of about
/// 1.25, in the kernel's scheduler (sched(7)) and on palco's event loops.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "i8", try_from = "i8")]
pub struct Nice(i8);

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// There is no such request.
    NotFound,
    /// It has not begun: one before it on the same connection is being served, or it has not even come.
    Queued,
    /// It is being served.
    Running,
    /// It is being served, and makes no progress.
    Held,
    /// It has been answered, given up, or lost with its connection.
    Finished,
}

/// The state that has been reached, and what is to be said about it.
///
/// As text the state, then ` pending: ` or ` note: ` and a remark, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Where the request stands now.
    pub state: RequestState,
    /// Whether that is what was asked for.
    pub remark: Remark,
}

/// What is to be said about a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remark {
    /// It is as asked for.
    #[default]
    None,
    /// It is as asked for, by these means.
    Note(String),
    /// What was asked for has not come about so far, and why.
    Pending(String),
}

/// Why nothing was done at the urgent port.
///
/// As text `error`, a word for programs, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key does not belong to the request.
    WrongKey,
    /// Too many wrong keys came from there: nothing is looked at for so many milliseconds.
    Wait(u64),
    /// There is no such verb.
    UnknownVerb,
    /// The line is no command; the text says why.
    Malformed(String),
    /// Others have taken all places; try again.
    Busy,
}

impl Nice {
    /// The usual.
    pub const USUAL: Self = Self(0);

    /// From −20 to 19.
    #[must_use]
    pub const fn new(value: i8) -> Option<Self> {
        if value >= -20 && value <= 19 { Some(Self(value)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> i8 {
        self.0
    }
}

impl From<Nice> for i8 {
    fn from(nice: Nice) -> Self {
        nice.0
    }
}

impl TryFrom<i8> for Nice {
    type Error = &'static str;

    fn try_from(value: i8) -> Result<Self, Self::Error> {
        Self::new(value).ok_or(NICE)
    }
}

const NICE: &str = "a priority is a nice value from -20 (most) to 19 (least)";

impl fmt::Display for Nice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Nice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or(NICE)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancel => f.write_str("cancel"),
            Self::Hold => f.write_str("hold"),
            Self::Resume => f.write_str("resume"),
            Self::Priority(nice) => write!(f, "priority {nice}"),
            Self::Status => f.write_str("status"),
        }
    }
}

impl RequestState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NotFound, Self::Queued, Self::Running, Self::Held, Self::Finished];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Held => "held",
            Self::Finished => "finished",
        }
    }
}

impl fmt::Display for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Answer {
    /// This state, as asked for.
    #[must_use]
    pub const fn reached(state: RequestState) -> Self {
        Self { state, remark: Remark::None }
    }

    /// This state, as asked for, by these means.
    #[must_use]
    pub fn noted(state: RequestState, how: impl Into<String>) -> Self {
        Self { state, remark: Remark::Note(how.into()) }
    }

    /// This state, which is not what was asked for.
    #[must_use]
    pub fn pending(state: RequestState, why: impl Into<String>) -> Self {
        Self { state, remark: Remark::Pending(why.into()) }
    }

    /// Whether it has come about.
    #[must_use]
    pub const fn is_reached(&self) -> bool {
        !matches!(self.remark, Remark::Pending(_))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.word())?;
        match &self.remark {
            Remark::None => Ok(()),
            Remark::Note(text) => write!(f, " note: {}", one_line(text)),
            Remark::Pending(text) => write!(f, " pending: {}", one_line(text)),
        }
    }
}

/// Remarks may quote what others have said.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

impl FromStr for Answer {
    type Err = &'static str;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let state = RequestState::ALL.into_iter().find(|state| state.word() == word);
        let remark = match (rest, rest.split_once(": ")) {
            ("", _) => Some(Remark::None),
            (_, Some(("note", text))) => Some(Remark::Note(text.to_owned())),
            (_, Some(("pending", text))) => Some(Remark::Pending(text.to_owned())),
            _ => None,
        };
        match (state, remark) {
            (Some(state), Some(remark)) => Ok(Self { state, remark }),
            _ => Err("this is no answer of an urgent port"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKey => {
                f.write_str("error wrong-key the key does not belong to this request")
            }
            Self::Wait(ms) => {
                write!(f, "error wait {ms} ms: too many wrong keys came from this address")
            }
            Self::UnknownVerb => f.write_str(
                "error unknown-verb the verbs are cancel, hold, resume, priority and status",
            ),
            Self::Malformed(why) => write!(f, "error malformed {}", one_line(why)),
            Self::Busy => f.write_str("error busy all places at this port are taken; try again"),
        }
    }
}

impl std::error::Error for Refusal {}

impl FromStr for Refusal {
    type Err = &'static str;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let rest = line.strip_prefix("error ").unwrap_or_default();
        let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "wrong-key" => Some(Self::WrongKey),
            "wait" => text.split(' ').next().and_then(|ms| ms.parse().ok()).map(Self::Wait),
            "unknown-verb" => Some(Self::UnknownVerb),
            "malformed" => Some(Self::Malformed(text.to_owned())),
            "busy" => Some(Self::Busy),
            _ => None,
        }
        .ok_or("this is no answer of an urgent port")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_are_written() {
        for state in RequestState::ALL {
            for answer in [
                Answer::reached(state),
                Answer::noted(state, "nice 5: as asked"),
                Answer::pending(state, "no checkpoint for 300 ms"),
            ] {
                assert_eq!(answer.to_string().parse(), Ok(answer));
            }
        }
        for line in ["", "gone", "held why", "held note:", "error busy"] {
            assert!(line.parse::<Answer>().is_err(), "{line:?}");
        }
    }

    #[test]
    fn refusals_are_read_as_they_are_written() {
        for refusal in [
            Refusal::WrongKey,
            Refusal::Wait(250),
            Refusal::UnknownVerb,
            Refusal::Malformed("no key".to_owned()),
            Refusal::Busy,
        ] {
            assert_eq!(refusal.to_string().parse(), Ok(refusal));
        }
        assert!("held".parse::<Refusal>().is_err());
    }

    #[test]
    fn a_priority_is_a_nice_value() {
        assert_eq!("-20".parse::<Nice>().map(Nice::value), Ok(-20));
        for text in ["20", "-21", "", "high"] {
            assert_eq!(text.parse::<Nice>(), Err(NICE));
        }
    }
}
