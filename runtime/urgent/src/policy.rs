//! How a thread gets before the others, and what it really got.
//!
//! Only real time bounds how long an urgent thread waits for a processor beside busy threads; a nice value shortens the
//! usual wait and leaves the longest.

use std::fmt;
use std::io;
use std::str::FromStr;

use palco_core::Nice;
use palco_sys::{Scheduling, become_fifo, scheduling_of, set_nice};
use serde::{Deserialize, Serialize};

/// How a thread is to be scheduled; default `fifo:50`. As text `fifo:50`, `nice:-20`, `usual`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Policy {
    /// Real time, first in first out, with a priority from 1 to 99.
    Fifo(u8),
    /// The usual way with this nice value.
    Nice(Nice),
    /// The usual way with the nice value that is inherited.
    Usual,
}

/// What a thread got, as the kernel tells it.
///
/// As text, for example `SCHED_FIFO 50`, or `nice -20 (SCHED_FIFO 50 was refused: …)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obtained {
    /// How it is scheduled.
    pub policy: Policy,
    /// Why that is not as it was asked for, and what to do.
    pub why: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::Fifo(50)
    }
}

impl Policy {
    /// Schedules the calling thread so, or as nearly as it is allowed: real time, then nice -20, then the usual way.
    #[must_use]
    pub fn obtain(self) -> Obtained {
        let mut why = None;
        for policy in self.and_less() {
            match policy.set() {
                Ok(()) => return Obtained { policy: now(0).unwrap_or(policy), why },
                Err(error) => {
                    why.get_or_insert_with(|| format!("{policy:#} was refused: {error}; {ADVICE}"));
                }
            }
        }
        Obtained { policy: Self::Usual, why }
    }

    /// As much as there is without real time.
    pub(crate) fn most_nice() -> Self {
        Self::Nice(Nice::new(-20).expect("the least nice value is one"))
    }

    /// What to try one after the other.
    fn and_less(self) -> Vec<Self> {
        match self {
            Self::Fifo(_) => vec![self, Self::most_nice()],
            Self::Nice(_) => vec![self],
            Self::Usual => Vec::new(),
        }
    }

    fn set(self) -> io::Result<()> {
        match self {
            Self::Fifo(priority) => become_fifo(priority),
            Self::Nice(nice) => set_nice(0, nice.value()),
            Self::Usual => Ok(()),
        }
    }
}

const ADVICE: &str = "give the server CAP_SYS_NICE or RLIMIT_RTPRIO (ulimit -r), and a control group with real-time \
     budget (cpu.rt_runtime_us), or choose `usual`";

/// How the kernel schedules the thread; 0 is the calling one.
pub(crate) fn now(thread: i32) -> io::Result<Policy> {
    Ok(match scheduling_of(thread)? {
        Scheduling::Fifo(priority) => Policy::Fifo(priority),
        Scheduling::Usual(0) | Scheduling::Another(_) => Policy::Usual,
        Scheduling::Usual(nice) => Nice::new(nice).map_or(Policy::Usual, Policy::Nice),
    })
}

/// As in files; `{:#}` as in talk: `SCHED_FIFO 50`, `nice -20`, `usual scheduling`.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, f.alternate()) {
            (Self::Fifo(priority), false) => write!(f, "fifo:{priority}"),
            (Self::Fifo(priority), true) => write!(f, "SCHED_FIFO {priority}"),
            (Self::Nice(nice), false) => write!(f, "nice:{nice}"),
            (Self::Nice(nice), true) => write!(f, "nice {nice}"),
            (Self::Usual, false) => f.write_str("usual"),
            (Self::Usual, true) => f.write_str("usual scheduling"),
        }
    }
}

const POLICY: &str = "a policy is fifo:N with a priority from 1 to 99, nice:N with a nice value from -20 to 19, or usual";

impl FromStr for Policy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let policy = match text.split_once(':') {
            None => (text == "usual").then_some(Self::Usual),
            Some(("fifo", priority)) => {
                priority.parse().ok().filter(|priority| (1..=99).contains(priority)).map(Self::Fifo)
            }
            Some(("nice", nice)) => nice.parse().ok().map(Self::Nice),
            Some(_) => None,
        };
        policy.ok_or(POLICY)
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.to_string()
    }
}

impl TryFrom<String> for Policy {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Obtained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.policy)?;
        match &self.why {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn policies_are_read_as_they_are_written() {
        for text in ["fifo:1", "fifo:99", "nice:-20", "nice:19", "usual"] {
            let policy: Policy = text.parse().unwrap();
            assert_eq!(policy.to_string(), text);
            let json = serde_json::to_string(&policy).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
        }
        for text in ["", "fifo", "fifo:0", "fifo:100", "fifo:-1", "nice:20", "usual:1", "Usual"] {
            assert_eq!(text.parse::<Policy>(), Err(POLICY), "{text:?}");
        }
        assert_eq!(Policy::default().to_string(), "fifo:50");
    }

    #[test]
    fn what_is_obtained_is_what_the_kernel_says() {
        for policy in [Policy::Fifo(3), Policy::Nice(Nice::new(9).unwrap()), Policy::Usual] {
            let (obtained, seen) =
                thread::spawn(move || (policy.obtain(), now(0).unwrap())).join().unwrap();
            assert_eq!(obtained.policy, seen);
            assert_eq!(obtained.policy != policy, obtained.why.is_some(), "{obtained}");
        }
    }

    #[test]
    fn what_is_refused_says_what_came_instead() {
        // No kernel has this priority.
        let obtained = thread::spawn(|| Policy::Fifo(200).obtain()).join().unwrap();
        assert!(!matches!(obtained.policy, Policy::Fifo(_)));
        let text = obtained.to_string();
        assert!(text.contains("(SCHED_FIFO 200 was refused: "), "{text}");
    }
}
