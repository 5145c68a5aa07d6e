//! What can be asked of a contestant, and in which portions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::contest::Load;

/// One table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Question {
    /// A message and its reply; asker and actor share one event loop.
    AskSameLoop,
    /// A message and its reply; asker and actor are on two threads, wherever the kernel puts them.
    AskOtherThread,
    /// The same with each thread confined to a core of its own.
    AskOtherCore,
    /// Messages without a reply; sender and actor share one event loop.
    TellSameLoop,
    /// Messages without a reply; sender and actor are on two threads, wherever the kernel puts them.
    TellOtherThread,
    /// The same with each thread confined to a core of its own.
    TellOtherCore,
    /// A message and its reply; the actor is in a process of its own, reached through sockets.
    AskProcessSocket,
    /// The same, reached through shared memory.
    AskProcessRing,
    /// Messages without a reply; the actor is in a process of its own, reached through sockets.
    TellProcessSocket,
    /// The same, reached through shared memory.
    TellProcessRing,
    /// Start, one ask, stop, and the news of the end; on the event loop of the starter.
    LifeTask,
    /// The same for an actor with a thread of its own.
    LifeThread,
    /// Resident memory of an idle actor on an event loop.
    MemoryTask,
    /// Resident memory of an idle actor with a thread of its own.
    MemoryThread,
}

/// Messages of one burst of tells.
const BURST_MESSAGES: u64 = 512;

/// Room in a bounded mailbox unless a row says otherwise: a burst fits.
pub(crate) const MAILBOX_MESSAGES: usize = 1024;

/// Room in the mailboxes of the rows in which senders must wait: a burst is eight times as long.
pub(crate) const MAILBOX_MESSAGES_SMALL: usize = 64;

impl Question {
    /// All questions, in the order of the report.
    pub const ALL: [Self; 14] = [
        Self::AskSameLoop,
        Self::AskOtherThread,
        Self::AskOtherCore,
        Self::TellSameLoop,
        Self::TellOtherThread,
        Self::TellOtherCore,
        Self::AskProcessSocket,
        Self::AskProcessRing,
        Self::TellProcessSocket,
        Self::TellProcessRing,
        Self::LifeTask,
        Self::LifeThread,
        Self::MemoryTask,
        Self::MemoryThread,
    ];

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AskSameLoop => "ask-same-loop",
            Self::AskOtherThread => "ask-other-thread",
            Self::AskOtherCore => "ask-other-core",
            Self::TellSameLoop => "tell-same-loop",
            Self::TellOtherThread => "tell-other-thread",
            Self::TellOtherCore => "tell-other-core",
            Self::AskProcessSocket => "ask-process-socket",
            Self::AskProcessRing => "ask-process-ring",
            Self::TellProcessSocket => "tell-process-socket",
            Self::TellProcessRing => "tell-process-ring",
            Self::LifeTask => "life-task",
            Self::LifeThread => "life-thread",
            Self::MemoryTask => "memory-task",
            Self::MemoryThread => "memory-thread",
        }
    }

    /// A heading for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::AskSameLoop => "Ask, same event loop (ns per round trip)",
            Self::AskOtherThread => "Ask, other thread, not pinned (ns per round trip)",
            Self::AskOtherCore => "Ask, other thread on another core (ns per round trip)",
            Self::TellSameLoop => "Tell, same event loop (ns per message)",
            Self::TellOtherThread => "Tell, other thread, not pinned (ns per message)",
            Self::TellOtherCore => "Tell, other thread on another core (ns per message)",
            Self::AskProcessSocket => "Ask, a process over sockets (ns per round trip)",
            Self::AskProcessRing => {
                "Ask, a process over rings in shared memory (ns per round trip)"
            }
            Self::TellProcessSocket => "Tell, a process over sockets (ns per message)",
            Self::TellProcessRing => "Tell, a process over rings in shared memory (ns per message)",
            Self::LifeTask => "Start, one ask, stop: on the starter's event loop (ns per actor)",
            Self::LifeThread => "Start, one ask, stop: a thread each (ns per actor)",
            Self::MemoryTask => "Memory of idle actors on an event loop (bytes per actor)",
            Self::MemoryThread => "Memory of idle actors with a thread each (bytes per actor)",
        }
    }

    /// The work of one round. Operations that take less than a microsecond are timed several at a time, since reading
    /// the clock twice takes some 50 ns; tells come in bursts that fit the mailbox, each ended by one ask.
    pub(crate) fn load(self, ops: u64) -> Load {
        let (ops, ops_per_sample) = match self {
            Self::AskSameLoop => (ops * 5, 16),
            Self::AskOtherThread
            | Self::AskOtherCore
            | Self::AskProcessSocket
            | Self::AskProcessRing => (ops, 1),
            Self::TellSameLoop
            | Self::TellOtherThread
            | Self::TellOtherCore
            | Self::TellProcessSocket
            | Self::TellProcessRing => (ops * 10, BURST_MESSAGES),
            Self::LifeTask => (ops / 10, 1),
            Self::LifeThread => (ops / 100, 1),
            Self::MemoryTask | Self::MemoryThread => (0, 1),
        };
        let samples = (ops / ops_per_sample).max(1);
        let confined = matches!(self, Self::AskOtherCore | Self::TellOtherCore);
        let with_processes = matches!(
            self,
            Self::AskProcessSocket
                | Self::AskProcessRing
                | Self::TellProcessSocket
                | Self::TellProcessRing
        );
        let warmup_samples = samples.div_ceil(10);
        Load { samples, warmup_samples, ops_per_sample, confined, with_processes }
    }

    /// The question to which the same contestants have another answer when their threads are confined.
    pub(crate) fn confined(self) -> Option<Self> {
        match self {
            Self::AskOtherThread => Some(Self::AskOtherCore),
            Self::TellOtherThread => Some(Self::TellOtherCore),
            Self::AskSameLoop
            | Self::AskOtherCore
            | Self::TellSameLoop
            | Self::TellOtherCore
            | Self::AskProcessSocket
            | Self::AskProcessRing
            | Self::TellProcessSocket
            | Self::TellProcessRing
            | Self::LifeTask
            | Self::LifeThread
            | Self::MemoryTask
            | Self::MemoryThread => None,
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Question {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|question| question.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no question `{name}`; questions are: {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for question in Question::ALL {
            assert_eq!(question.name().parse(), Ok(question));
        }
        assert!("ask".parse::<Question>().unwrap_err().contains("ask-same-loop"));
    }

    #[test]
    fn a_burst_fits_the_mailbox_and_not_the_small_one() {
        let burst = usize::try_from(Question::TellSameLoop.load(0).ops_per_sample).unwrap();
        assert!((MAILBOX_MESSAGES_SMALL + 1..MAILBOX_MESSAGES).contains(&burst));
    }
}
