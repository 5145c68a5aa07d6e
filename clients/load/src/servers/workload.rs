//! What is asked of a server, and what is measured while it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One kind of work. Each has a server of its own in every turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// A connection for each request: 64 bytes there and back, then a reset.
    Short,
    /// Eight connections that stay: 64 bytes there and back.
    PingPong,
    /// Requests that compute for a millisecond.
    Cpu,
    /// Requests that block their thread for five milliseconds.
    Block,
    /// A thousand connections that say nothing, and one that does.
    Idle,
    /// Sixteen clients that never end their request, and others that ask as usual, each on a new connection.
    Slowloris,
    /// Eight clients; who serves the first of them is killed.
    Crash,
    /// Requests that leave a MiB behind.
    Leak,
    /// Answers of a MiB over HTTP, while some clients read slowly.
    Large,
}

impl Workload {
    /// All, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::Short,
        Self::PingPong,
        Self::Cpu,
        Self::Block,
        Self::Idle,
        Self::Slowloris,
        Self::Crash,
        Self::Leak,
        Self::Large,
    ];

    /// As the command line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::PingPong => "ping-pong",
            Self::Cpu => "cpu",
            Self::Block => "block",
            Self::Idle => "idle",
            Self::Slowloris => "slowloris",
            Self::Crash => "crash",
            Self::Leak => "leak",
            Self::Large => "large",
        }
    }

    /// As the report shows it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Short => "Short connections",
            Self::PingPong => "Ping-pong on connections that stay",
            Self::Cpu => "Requests that compute for 1 ms",
            Self::Block => "Requests that block for 5 ms",
            Self::Idle => "1000 idle connections and an active one",
            Self::Slowloris => "16 clients that never end their request",
            Self::Crash => "Who serves is killed",
            Self::Leak => "Requests that leak 1 MiB",
            Self::Large => "Answers of 1 MiB, some read slowly",
        }
    }

    /// The measure by which architectures are ranked for this work.
    #[must_use]
    pub const fn deciding(self) -> Measure {
        match self {
            Self::Short | Self::PingPong | Self::Large => Measure::Cpu,
            Self::Cpu | Self::Block => Measure::P99,
            Self::Idle => Measure::MemoryPerConnection,
            Self::Slowloris => Measure::Answered,
            Self::Crash => Measure::Lost,
            Self::Leak => Measure::Growth,
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|workload| workload.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no workload `{name}`; there are: {names}")
        })
    }
}

/// One figure of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Processor time of the server by good answer, in microseconds. Of the workloads `short` and `ping-pong` while clients
    /// ask as fast as they are answered: connections one after the other, or on all that stay at once. Else at the fixed
    /// rate.
    Cpu,
    /// The same of `short` and `ping-pong` at the fixed rate, where the server sleeps between two requests.
    SparseCpu,
    /// Half of the answers came within so many microseconds after they were due.
    P50,
    /// 99 of 100 did.
    P99,
    /// Good answers by requests that were due, from 0 to 1.
    Answered,
    /// Requests a second up to which 99 of 100 are answered, 99 of 100 of them within 100 ms.
    Saturation,
    /// Memory by idle connection, in KiB.
    MemoryPerConnection,
    /// Jain's index of the processor time of the workers, those threads that had most of it, while connections come one
    /// after the other: 1 is equal, 1/n is one of n alone.
    Balance,
    /// Jain's index of the answers of eight clients that ask as fast as they can: 1 is equal.
    Fairness,
    /// Of the other clients that were being served, the share that lost its connection, from 0 to 1.
    Lost,
    /// Milliseconds from the kill until a new client is answered.
    Recovery,
    /// MiB that the server has grown.
    Growth,
}

impl Measure {
    /// All, in the order of the report.
    pub const ALL: [Self; 12] = [
        Self::Cpu,
        Self::SparseCpu,
        Self::P50,
        Self::P99,
        Self::Answered,
        Self::Saturation,
        Self::MemoryPerConnection,
        Self::Balance,
        Self::Fairness,
        Self::Lost,
        Self::Recovery,
        Self::Growth,
    ];

    /// As a column shows it, with its unit.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU µs/answer",
            Self::SparseCpu => "CPU µs/answer, sparse",
            Self::P50 => "p50 µs",
            Self::P99 => "p99 µs",
            Self::Answered => "answered",
            Self::Saturation => "saturation /s",
            Self::MemoryPerConnection => "KiB/connection",
            Self::Balance => "balance",
            Self::Fairness => "fairness",
            Self::Lost => "others lost",
            Self::Recovery => "recovery ms",
            Self::Growth => "grown MiB",
        }
    }

    /// Whether less of it is better.
    #[must_use]
    pub const fn is_cost(self) -> bool {
        match self {
            Self::Cpu
            | Self::SparseCpu
            | Self::P50
            | Self::P99
            | Self::MemoryPerConnection
            | Self::Lost
            | Self::Recovery
            | Self::Growth => true,
            Self::Answered | Self::Saturation | Self::Balance | Self::Fairness => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_found_by_its_name() {
        for workload in Workload::ALL {
            assert_eq!(workload.name().parse(), Ok(workload));
        }
        let error = "long".parse::<Workload>().unwrap_err();
        assert!(error.contains("`long`") && error.contains("ping-pong"), "{error}");
    }
}
