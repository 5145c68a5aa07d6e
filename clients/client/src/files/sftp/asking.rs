//! Requests to an SFTP server, until there are replies.

use std::time::Duration;

use palco_files::sftp::wire::{Reply, Request};

use super::super::FileError;
use super::super::attempts::{Attempts, Repeat};
use super::super::counters::one;
use super::super::transport::Handle;
use super::SftpTransport;
use super::link::Link;
use super::reply::{self, Said};

/// What is asked, in the words of errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) what: &'static str,
    pub(super) path: &'a str,
    pub(super) repeat: Repeat,
}

impl<'a> About<'a> {
    pub(super) fn freely(what: &'static str, path: &'a str) -> Self {
        Self { what, path, repeat: Repeat::Freely }
    }

    pub(super) fn never(what: &'static str, path: &'a str) -> Self {
        Self { what, path, repeat: Repeat::Never }
    }
}

impl SftpTransport {
    /// Asks until there are answers.
    pub(super) fn ask(
        &mut self,
        about: About<'_>,
        requests: &[Request],
    ) -> Result<(Vec<Reply>, Attempts), FileError> {
        let mut attempts = Attempts::new(&self.options);
        let replies = self.ask_within(about, requests, &mut attempts)?;
        Ok((replies, attempts))
    }

    pub(super) fn ask_within(
        &mut self,
        About { what, path, repeat }: About<'_>,
        requests: &[Request],
        attempts: &mut Attempts,
    ) -> Result<Vec<Reply>, FileError> {
        loop {
            let error = match self.link() {
                // Nothing of the request has been sent.
                Err(error) => {
                    attempts.again(what, path, Repeat::Freely, error)?;
                    one(&self.counting.retries);
                    continue;
                }
                Ok(link) => match link.ask(requests) {
                    Ok(replies) => return Ok(replies),
                    Err(error) => error,
                },
            };
            self.link = None;
            attempts.again(what, path, repeat, error)?;
            one(&self.counting.retries);
        }
    }

    /// Asks what has one answer.
    pub(super) fn ask_one(
        &mut self,
        about: About<'_>,
        request: Request,
    ) -> Result<Reply, FileError> {
        Ok(self.ask(about, &[request])?.0.swap_remove(0))
    }

    /// Asks about what is open, and again while the server takes an earlier connection for one that lives.
    pub(super) fn ask_open(
        &mut self,
        about: About<'_>,
        handle: &Handle,
        requests: &[Request],
    ) -> Result<Vec<Reply>, FileError> {
        let mut attempts = Attempts::new(&self.options);
        loop {
            let replies = self.ask_within(about, requests, &mut attempts)?;
            let is_old = handle.connection != self.connections && !self.is_palco();
            let said = replies.iter().map(|reply| reply::of_handle(reply, is_old));
            match said.max().unwrap_or(Said::Known) {
                Said::Known => return Ok(replies),
                Said::Busy if attempts.pause(Duration::ZERO) => {}
                Said::Busy | Said::Lost => {
                    let path = about.path.to_owned();
                    let text = replies.iter().find_map(reply::text).unwrap_or_default();
                    return Err(FileError::HandleLost { path, text });
                }
            }
        }
    }

    /// Whether the words of the server are known.
    fn is_palco(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_palco)
    }

    /// Does what begins with opening something once more, if what was opened is lost on the way.
    pub(super) fn afresh<T>(
        &mut self,
        mut act: impl FnMut(&mut Self) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let mut attempts = Attempts::new(&self.options);
        loop {
            match act(self) {
                Err(FileError::HandleLost { .. }) if attempts.pause(Duration::ZERO) => {
                    one(&self.counting.retries);
                }
                other => return other,
            }
        }
    }
}
