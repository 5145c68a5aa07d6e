//! Why an actor ended: one type, whatever the place.
//!
//! The words follow Unix where Unix has a word, as in quickwit-actors: a stop is SIGTERM, a kill is SIGKILL, and
//! [`ExitReason::code`] gives the exit status a shell would show.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an actor ended.
///
/// The last six can only come from places outside this address space; supervisors treat all variants alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum ExitReason {
    /// It decided to end.
    Finished,
    /// It was asked to stop and did, after the message it was handling.
    Stopped,
    /// Its supervisor stopped it in order to start it again together with a failed sibling.
    Recycled,
    /// It was killed at an await point or checkpoint.
    Killed,
    /// It reported an error; the text is the error's.
    Failed(Box<str>),
    /// Its start hook reported an error; the text is the error's.
    StartFailed(Box<str>),
    /// A handler or hook panicked; the text is the panic's.
    Panicked(Box<str>),
    /// A supervisor gave up: this child failed too often.
    Escalated {
        /// The child's path.
        child: Box<str>,
        /// The child's own reason, the last one.
        reason: Box<ExitReason>,
    },
    /// Its process ended with this status.
    Exited(i32),
    /// Its process was ended by this signal.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// Whether the kernel wrote a core file.
        core: bool,
    },
    /// Its process was ended because memory ran out: the machine's, or what it was allowed.
    OutOfMemory,
    /// Its process was ended because it made a system call that it may not make; the text is the call's name.
    Denied(Box<str>),
    /// Its process was killed because a handler made no progress for too long.
    Unresponsive,
    /// Its node cannot be reached any more.
    NodeLost,
}

impl ExitReason {
    /// Whether a supervisor that restarts on failure restarts after this.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self {
            Self::Finished | Self::Stopped | Self::Recycled | Self::Exited(0) => false,
            Self::Killed
            | Self::Failed(_)
            | Self::StartFailed(_)
            | Self::Panicked(_)
            | Self::Escalated { .. }
            | Self::Exited(_)
            | Self::Signaled { .. }
            | Self::OutOfMemory
            | Self::Denied(_)
            | Self::Unresponsive
            | Self::NodeLost => true,
        }
    }

    /// The exit status a shell would show: 0, 1 for an error, 101 for a panic (as Rust programs), 128 + signal.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Finished | Self::Recycled => 0,
            Self::Stopped => 128 + 15,
            Self::Killed | Self::OutOfMemory | Self::Unresponsive => 128 + 9,
            Self::Denied(_) => 128 + 31,
            Self::Failed(_) | Self::StartFailed(_) | Self::Escalated { .. } | Self::NodeLost => 1,
            Self::Panicked(_) => 101,
            Self::Exited(status) => *status,
            Self::Signaled { signal, .. } => 128 + *signal,
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Stopped => f.write_str("stopped"),
            Self::Recycled => f.write_str("recycled"),
            Self::Killed => f.write_str("killed"),
            Self::Failed(text) => write!(f, "failed: {text}"),
            Self::StartFailed(text) => write!(f, "failed to start: {text}"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::Escalated { child, reason } => write!(f, "gave up on {child}, which {reason}"),
            Self::Exited(status) => write!(f, "exited with status {status}"),
            Self::Signaled { signal, core } => {
                write!(f, "ended by signal {signal}{}", signal_name(*signal))?;
                if *core { f.write_str(", core written") } else { Ok(()) }
            }
            Self::OutOfMemory => f.write_str("ended: out of memory"),
            Self::Denied(call) => write!(f, "ended: system call {call} denied"),
            Self::Unresponsive => f.write_str("killed: unresponsive"),
            Self::NodeLost => f.write_str("lost with its node"),
        }
    }
}

/// The names of the signals that programs die of, as Linux numbers them.
const fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        5 => " (SIGTRAP)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        24 => " (SIGXCPU)",
        31 => " (SIGSYS)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_order_are_no_failures_and_all_others_are() {
        for calm in [ExitReason::Finished, ExitReason::Stopped, ExitReason::Exited(0)] {
            assert!(!calm.is_failure(), "{calm}");
        }
        for failure in [ExitReason::Killed, ExitReason::Panicked("x".into()), ExitReason::Exited(2)]
        {
            assert!(failure.is_failure(), "{failure}");
        }
    }

    #[test]
    fn codes_are_those_of_a_shell() {
        assert_eq!(ExitReason::Killed.code(), 137);
        assert_eq!(ExitReason::Stopped.code(), 143);
        assert_eq!(ExitReason::Signaled { signal: 11, core: true }.code(), 139);
    }

    #[test]
    fn a_nested_reason_survives_json() {
        let reason = ExitReason::Escalated {
            child: "kv/worker-1".into(),
            reason: Box::new(ExitReason::Panicked("boom".into())),
        };
        let text = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<ExitReason>(&text).unwrap(), reason);
        assert_eq!(reason.to_string(), "gave up on kv/worker-1, which panicked: boom");
    }
}
