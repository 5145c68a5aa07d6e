//! How long clients and handlers may take: settings, and what can be wrong with them.

use std::time::Duration;

use palco_actors::PlaceKind;
use serde::{Deserialize, Serialize};

use crate::scoreboard::Count;

/// The longest limit: more is none.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// How long clients and handlers may take. What is not given has no limit.
///
/// Nothing is read, armed or asked of the kernel for a limit that is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Deadlines {
    /// A request, from its first byte until all of it, or its head where its body comes in parts, has come. The first
    /// of a connection counts from when the connection begins to be served, so that who connects and says nothing is
    /// ended too. With `min_rate` it grows by one second for that many bytes.
    pub header: Option<Duration>,
    /// The longest that `header` grows to.
    pub header_max: Option<Duration>,
    /// A request that comes in parts: the wait for more of it. With `min_rate` also all such waits of one request
    /// together, and one second more for that many bytes. What the handler takes does not count.
    pub body: Option<Duration>,
    /// Between an answer and the first byte of the next request. Where there is no `header`, also before the first.
    pub idle: Option<Duration>,
    /// A call, from when it first waits or lets others run. Reaching it interrupts the request.
    pub handler: Option<Duration>,
    /// An answer that the client does not take: the time in which none of it is acknowledged. With `min_rate` also how
    /// long a full send buffer is waited for until all that is being sent is in it, and one second more for that many
    /// bytes.
    pub send: Option<Duration>,
    /// A call in a process that goes on for so long behind `handler` (from its beginning without that): the process is
    /// killed, and replaced where it would have had more to serve.
    pub worker: Option<Duration>,
    /// Bytes per second that keep a slow client from `header`, `body` and `send`.
    pub min_rate: Option<u64>,
}

/// Which limit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeLimit {
    /// [`Deadlines::header`].
    Header,
    /// [`Deadlines::body`].
    Body,
    /// [`Deadlines::idle`].
    Idle,
    /// [`Deadlines::handler`].
    Handler,
    /// [`Deadlines::send`].
    Send,
    /// [`Deadlines::worker`].
    Worker,
}

impl TimeLimit {
    /// The name of its option on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header-within",
            Self::Body => "body-within",
            Self::Idle => "idle-within",
            Self::Handler => "handler-within",
            Self::Send => "send-within",
            Self::Worker => "worker-within",
        }
    }

    /// What an actor is said to be doing when the limit acts.
    pub(crate) fn note(self) -> fn() -> &'static str {
        match self {
            Self::Header => || "ending: header-within reached",
            Self::Body => || "ending: body-within reached",
            Self::Idle => || "ending: idle-within reached",
            Self::Handler => || "interrupting: handler-within reached",
            Self::Send => || "ending: send-within reached",
            Self::Worker => || "killing: worker-within reached",
        }
    }

    /// Where it is counted.
    pub(crate) const fn count(self) -> Count {
        match self {
            Self::Header => Count::HeaderTimeouts,
            Self::Body => Count::BodyTimeouts,
            Self::Idle => Count::IdleTimeouts,
            Self::Handler => Count::HandlerTimeouts,
            Self::Send => Count::SendTimeouts,
            Self::Worker => Count::WorkerTimeouts,
        }
    }
}

/// Time limits that cannot be had.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum DeadlineError {
    /// Nothing could be done in no time.
    #[error(
        "`{0}` of zero would let nothing happen: give it at least 1ms, or leave it out for no limit"
    )]
    Zero(&'static str),
    /// Not worth counting.
    #[error("`{0}` is longer than a year: leave it out for no limit")]
    TooLong(&'static str),
    /// There would be nothing to grow.
    #[error(
        "`header-max` bounds how far `header-within` grows with `min-rate`: give both, or leave it out"
    )]
    NothingGrows,
    /// It would never be reached as it stands.
    #[error(
        "`header-max` is shorter than `header-within`, which it bounds: make it longer, or leave it out"
    )]
    MaxBelow,
    /// It would bound nothing.
    #[error(
        "`min-rate` makes `header-within`, `body-within` and `send-within` grow: give one of them, or leave it out"
    )]
    NothingToKeep,
    /// Every client is faster than that.
    #[error(
        "`min-rate` of zero asks nothing of a client: give at least 1 byte per second, or leave it out"
    )]
    NoRate,
    /// Only a process can be killed.
    #[error(
        "`worker-within` kills the process whose handler does not end; in place `{0}` there is none to kill: serve in \
         place `process`, or leave it to `handler-within`, which interrupts handlers that wait or reach a checkpoint"
    )]
    NoProcess(PlaceKind),
}

impl Deadlines {
    /// Whether they can be had in this place.
    ///
    /// # Errors
    /// [`DeadlineError`] says what does not fit.
    pub(crate) fn check(&self, place: PlaceKind) -> Result<(), DeadlineError> {
        let Self { header, header_max, body, idle, handler, send, worker, min_rate } = *self;
        let named = [
            (header, TimeLimit::Header.name()),
            (header_max, "header-max"),
            (body, TimeLimit::Body.name()),
            (idle, TimeLimit::Idle.name()),
            (handler, TimeLimit::Handler.name()),
            (send, TimeLimit::Send.name()),
            (worker, TimeLimit::Worker.name()),
        ];
        for (limit, name) in named {
            check_length(limit, name)?;
        }
        if min_rate == Some(0) {
            return Err(DeadlineError::NoRate);
        }
        if min_rate.is_some() && header.or(body).or(send).is_none() {
            return Err(DeadlineError::NothingToKeep);
        }
        if let Some(max) = header_max {
            let header = header.filter(|_| min_rate.is_some());
            let header = header.ok_or(DeadlineError::NothingGrows)?;
            if max < header {
                return Err(DeadlineError::MaxBelow);
            }
        }
        if worker.is_some() && place != PlaceKind::Process {
            return Err(DeadlineError::NoProcess(place));
        }
        Ok(())
    }

    /// For how long a call may go on before its process is killed.
    pub(crate) fn kill_after(&self) -> Option<Duration> {
        Some(self.worker? + self.handler.unwrap_or_default())
    }

    /// The time that so many bytes earn.
    pub(crate) fn earned(&self, bytes: u64) -> Duration {
        match self.min_rate {
            Some(rate) => {
                let rate = rate.max(1);
                let part = (bytes % rate).saturating_mul(1_000_000) / rate;
                (Duration::from_secs(bytes / rate) + Duration::from_micros(part)).min(LONGEST)
            }
            None => Duration::ZERO,
        }
    }
}

/// Whether a limit has a length that can be kept.
pub(crate) fn check_length(
    limit: Option<Duration>,
    name: &'static str,
) -> Result<(), DeadlineError> {
    match limit {
        Some(limit) if limit < Duration::from_millis(1) => Err(DeadlineError::Zero(name)),
        Some(limit) if limit > LONGEST => Err(DeadlineError::TooLong(name)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    #[test]
    fn no_limits_can_be_had_anywhere_and_a_killing_one_only_where_there_is_a_process() {
        let worker = Deadlines { worker: SECOND, ..Deadlines::default() };
        for place in PlaceKind::OF_THIS_MACHINE {
            assert_eq!(Deadlines::default().check(place), Ok(()));
            let expected = match place {
                PlaceKind::Process => Ok(()),
                place => Err(DeadlineError::NoProcess(place)),
            };
            assert_eq!(worker.check(place), expected);
        }
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        let none = Deadlines::default();
        let header = Deadlines { header: SECOND, ..none };
        let rated = Deadlines { min_rate: Some(500), ..header };
        let refused = [
            (Deadlines { idle: Some(Duration::ZERO), ..none }, DeadlineError::Zero("idle-within")),
            (
                Deadlines { send: Some(Duration::MAX), ..none },
                DeadlineError::TooLong("send-within"),
            ),
            (Deadlines { min_rate: Some(0), ..header }, DeadlineError::NoRate),
            (Deadlines { min_rate: Some(1), idle: SECOND, ..none }, DeadlineError::NothingToKeep),
            (Deadlines { header_max: SECOND, ..header }, DeadlineError::NothingGrows),
            (
                Deadlines { header_max: Some(Duration::from_millis(999)), ..rated },
                DeadlineError::MaxBelow,
            ),
        ];
        for (settings, error) in refused {
            assert_eq!(settings.check(PlaceKind::Task), Err(error));
        }
        assert_eq!(Deadlines { header_max: SECOND, ..rated }.check(PlaceKind::Task), Ok(()));
    }

    #[test]
    fn bytes_earn_time_at_the_lowest_rate() {
        let settings = Deadlines { min_rate: Some(500), ..Deadlines::default() };
        assert_eq!(settings.earned(250), Duration::from_millis(500));
        assert_eq!(settings.earned(u64::MAX), LONGEST);
        assert_eq!(Deadlines::default().earned(250), Duration::ZERO);
    }
}
