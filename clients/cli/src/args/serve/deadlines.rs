//! Time limits and load shedding: the same words on the command line and in a stage file (`[server.deadlines]`).

use std::time::Duration;

use palco_models::{Deadlines, Shedding};
use serde::Deserialize;

use crate::stage::some_duration;

/// How long clients and handlers may take. What is not said has no limit.
#[derive(clap::Args, Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[command(next_help_heading = "Time limits (none unless given)")]
pub(crate) struct DeadlineArgs {
    /// How long a request may take to come, from its first byte; the first of a connection from the accept
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) header_within: Option<Duration>,
    /// How long it may take at most, however much of it has come at --min-rate
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) header_max: Option<Duration>,
    /// How long the next part of a request that comes in parts may take; with --min-rate also all of them
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) body_within: Option<Duration>,
    /// Bytes per second from which a slow client is given one second more for each second's worth
    #[arg(long, value_name = "BYTES")]
    pub(crate) min_rate: Option<u64>,
    /// How long a connection may have nothing to ask
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) idle_within: Option<Duration>,
    /// How long a call may take, before its request is interrupted
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) handler_within: Option<Duration>,
    /// How long a client may take nothing of its answer, before it is reset; with --min-rate also too little
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) send_within: Option<Duration>,
    /// How long a call may go on behind --handler-within, before its process is killed, in place process
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) worker_within: Option<Duration>,
    /// Tell clients that the server is busy while even the shortest wait to be accepted is longer; 50ms is usual
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    #[serde(deserialize_with = "some_duration")]
    pub(crate) shed_above: Option<Duration>,
}

impl DeadlineArgs {
    pub(crate) fn deadlines(&self) -> Deadlines {
        Deadlines {
            header: self.header_within,
            header_max: self.header_max,
            body: self.body_within,
            idle: self.idle_within,
            handler: self.handler_within,
            send: self.send_within,
            worker: self.worker_within,
            min_rate: self.min_rate,
        }
    }

    pub(crate) fn shedding(&self) -> Option<Shedding> {
        self.shed_above.map(|above| Shedding { above })
    }
}
