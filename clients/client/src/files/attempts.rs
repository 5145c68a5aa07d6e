//! One thing that is asked for, until there is an answer or no time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{FileError, FileOptions};
use crate::Error;
use crate::pauses::Pauses;

/// What may be done with a request whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It leads to the same as often as it is done: send it again.
    Freely,
    /// Done again it would be another change: say that the outcome is unknown.
    Never,
}

/// The attempts at one thing.
#[derive(Debug)]
pub(super) struct Attempts {
    started: Instant,
    within: Duration,
    file_bytes_max: usize,
    pauses: Pauses,
    failures: u32,
    /// A request was sent whose answer is lost.
    pub(super) is_doubtful: bool,
}

impl Attempts {
    pub(super) fn new(options: &FileOptions) -> Self {
        Self {
            started: Instant::now(),
            within: options.within,
            file_bytes_max: options.file_bytes_max,
            pauses: Pauses::new(options.pause_min, options.pause_max),
            failures: 0,
            is_doubtful: false,
        }
    }

    /// Waits before the next attempt after this error.
    ///
    /// # Errors
    /// There is no time for another, or it would be as this one.
    pub(super) fn again(
        &mut self,
        what: &'static str,
        path: &str,
        repeat: Repeat,
        error: Error,
    ) -> Result<(), FileError> {
        let was_sent = error.is_doubtful();
        self.is_doubtful |= was_sent;
        let path = path.to_owned();
        if let Error::TooLarge { what: "bytes", .. } = error {
            return Err(FileError::TooLarge { path, limit: self.file_bytes_max });
        }
        if was_sent && repeat == Repeat::Never {
            let (why, source) = (error.to_string(), Some(Box::new(error)));
            return Err(FileError::Unknown { what, path, why, source });
        }
        if is_final(&error) || !self.pause(Duration::ZERO) {
            let (within, source) = (self.within, Box::new(error));
            return Err(FileError::Unavailable { path, within, source });
        }
        Ok(())
    }

    /// Waits at least so long; whether there is time for another attempt.
    pub(super) fn pause(&mut self, at_least: Duration) -> bool {
        let pause = self.pauses.after(self.failures).max(at_least);
        self.failures += 1;
        if self.started.elapsed() + pause > self.within {
            return false;
        }
        sleep(pause);
        true
    }
}

/// Whether another attempt would end the same.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Address { .. }
        | Error::Request(_)
        | Error::TooLarge { .. }
        | Error::Malformed { .. }
        | Error::NoTicket { .. }
        | Error::Urgent { .. } => true,
        Error::Refused { .. }
        | Error::ConnectTimeout { .. }
        | Error::Connect { .. }
        | Error::Timeout { .. }
        | Error::Closed { .. }
        | Error::Failed { .. }
        | Error::Unasked { .. }
        | Error::Spent { .. } => false,
    }
}
