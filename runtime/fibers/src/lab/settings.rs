//! What can be tried in the lab.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::event::FIBERS_MAX;

/// LWPs of a run at most, before any is added.
pub const LWPS_MAX: usize = 16;

/// Calls of one sleeper at most.
pub const BLOCKS_MAX: u32 = 10_000;

/// All calls of a run, one after the other, at most.
pub const TOTAL_MAX: Duration = Duration::from_secs(180);

/// What is done about a fiber that blocks in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Nothing: the LWP blocks, and with it all its fibers.
    Ult,
    /// The call goes to a helper, the fiber waits, its LWP runs the others. No fiber migrates.
    Offload,
    /// An LWP that has been in a call for 20 µs loses its processor, the right to run fibers and their queue, to another
    /// LWP. Fibers migrate. This is what Go's runtime does.
    Go,
    /// When all LWPs block while a fiber is ready, one LWP is added; it ends when it has nothing to run. Fibers migrate.
    /// This is what Solaris did with SIGWAITING (Multithreaded Programming Guide, 806-5257).
    Solaris,
}

impl Policy {
    /// In the order of what they do.
    pub const ALL: [Self; 4] = [Self::Ult, Self::Offload, Self::Go, Self::Solaris];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ult => "ult",
            Self::Offload => "offload",
            Self::Go => "go",
            Self::Solaris => "solaris",
        }
    }

    /// What it does, in one sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Ult => "nobody helps: the LWP blocks, and with it all its fibers",
            Self::Offload => "the call goes to a helper; the fiber waits, its LWP runs the others",
            Self::Go => "an LWP in a call for 20 µs loses its processor to another LWP",
            Self::Solaris => "when all LWPs block and a fiber is ready, one LWP is added",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPolicy(pub String);

impl fmt::Display for NoPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [ult, offload, go, solaris] = Policy::ALL;
        write!(f, "`{}` is no policy; there are {ult}, {offload}, {go} and {solaris}", self.0)
    }
}

impl std::error::Error for NoPolicy {}

impl FromStr for Policy {
    type Err = NoPolicy;

    fn from_str(name: &str) -> Result<Self, NoPolicy> {
        let mut all = Self::ALL.into_iter();
        all.find(|policy| policy.name() == name).ok_or_else(|| NoPolicy(name.to_owned()))
    }
}

/// The system call that sleepers make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// nanosleep(2): blocks for so long, and a little longer.
    Sleep(Duration),
    /// getppid(2): comes back at once. What a policy costs a call that needed no help.
    Short,
}

impl Call {
    /// How long it is meant to block.
    #[must_use]
    pub fn length(self) -> Duration {
        match self {
            Self::Sleep(length) => length,
            Self::Short => Duration::ZERO,
        }
    }
}

/// Which cores the threads may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// All threads have the same one: nothing is gained by a second thread but that it can block.
    One,
    /// Those of the process.
    All,
}

/// A run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is done about blocking.
    pub policy: Policy,
    /// Kernel threads that run fibers, 1 to [`LWPS_MAX`]; the policy may add some. Usually 1.
    pub lwps: usize,
    /// Fibers that give way for ever, 1 to [`FIBERS_MAX`], dealt out to the LWPs in turn. Usually 1.
    pub tickers: usize,
    /// Fibers that call, 1 to [`FIBERS_MAX`], dealt out likewise. Usually 1.
    pub sleepers: usize,
    /// What they call. Usually a sleep of 5 ms.
    pub call: Call,
    /// How often each of them calls, 1 to [`BLOCKS_MAX`]. Usually 100.
    pub blocks: u32,
    /// Usually one.
    pub cores: Cores,
}

impl Settings {
    /// The usual run under a policy: half a second of sleep.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let call = Call::Sleep(Duration::from_millis(5));
        let cores = Cores::One;
        Self { policy, lwps: 1, tickers: 1, sleepers: 1, call, blocks: 100, cores }
    }

    /// Whether they make sense.
    ///
    /// # Errors
    /// What does not, and what would.
    pub fn check(&self) -> Result<(), SettingsError> {
        let within = |what, value: usize, most| {
            let is_within = (1..=most).contains(&value);
            if is_within { Ok(()) } else { Err(SettingsError::Number { what, value, most }) }
        };
        within("LWPs", self.lwps, LWPS_MAX)?;
        within("tickers", self.tickers, FIBERS_MAX)?;
        within("sleepers", self.sleepers, FIBERS_MAX)?;
        within("blocks", self.blocks as usize, BLOCKS_MAX as usize)?;
        if self.call == Call::Sleep(Duration::ZERO) {
            return Err(SettingsError::NoBlock);
        }
        // Never more than 160 000 calls, so this is exact or far too much.
        let calls = self.blocks.saturating_mul(u32::try_from(self.sleepers).unwrap_or(u32::MAX));
        let total = self.call.length().saturating_mul(calls);
        if total > TOTAL_MAX { Err(SettingsError::TooLong { calls, total }) } else { Ok(()) }
    }
}

/// Settings that make no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// There must be some, and not too many.
    Number {
        /// Of what.
        what: &'static str,
        /// What was asked for.
        value: usize,
        /// What is allowed.
        most: usize,
    },
    /// A block of no time.
    NoBlock,
    /// One after the other, as under `ult`, the calls would take too long.
    TooLong {
        /// How many calls.
        calls: u32,
        /// How long that is.
        total: Duration,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { what, value, most } => {
                write!(f, "{value} {what}: there must be 1 to {most}")
            }
            Self::NoBlock => f.write_str("a block of no time blocks nobody: try 5ms"),
            Self::TooLong { calls, total } => write!(
                f,
                "{calls} calls one after the other take {:.0} s, more than {} s: make them shorter or fewer",
                total.as_secs_f64(),
                TOTAL_MAX.as_secs()
            ),
        }
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_by_its_name_and_a_stranger_is_told_the_four() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        let said = "m:n".parse::<Policy>().unwrap_err().to_string();
        assert!(Policy::ALL.iter().all(|policy| said.contains(policy.name())), "{said}");
    }

    #[test]
    fn settings_without_sense_are_refused_with_what_would_have_some() {
        let usual = Settings::new(Policy::Go);
        assert_eq!(usual.check(), Ok(()));
        for (settings, said) in [
            (Settings { lwps: 0, ..usual }, "0 LWPs: there must be 1 to 16"),
            (Settings { sleepers: 17, ..usual }, "17 sleepers: there must be 1 to 16"),
            (Settings { blocks: 0, ..usual }, "0 blocks: there must be 1 to 10000"),
            (Settings { call: Call::Sleep(Duration::ZERO), ..usual }, "try 5ms"),
            (Settings { call: Call::Sleep(Duration::MAX), ..usual }, "more than 180 s"),
        ] {
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
