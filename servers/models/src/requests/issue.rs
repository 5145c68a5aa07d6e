//! What whoever serves must have to issue tickets, and to have urgent data heard.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use palco_urgent::{Secret, Watch};
use serde::{Deserialize, Serialize};

/// The part of the urgent port that belongs to one server.
#[derive(Debug)]
pub(crate) struct Issue {
    pub(crate) server: Box<str>,
    /// Tells its connections from those of other servers, for [`token`].
    pub(crate) number: u16,
    /// For the keys of this server alone.
    pub(crate) secret: Secret,
    /// Where the urgent port is.
    pub(crate) address: SocketAddr,
    pub(crate) watch: Arc<Watch>,
}

/// [`Issue`] for a process, but for the watch, which is a descriptor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssueArgs {
    server: Box<str>,
    number: u16,
    secret: Secret,
    address: SocketAddr,
}

impl Issue {
    pub(crate) fn args(&self) -> IssueArgs {
        IssueArgs {
            server: self.server.clone(),
            number: self.number,
            secret: self.secret.clone(),
            address: self.address,
        }
    }
}

impl IssueArgs {
    pub(crate) fn with_watch(self, watch: OwnedFd) -> Arc<Issue> {
        let Self { server, number, secret, address } = self;
        Arc::new(Issue { server, number, secret, address, watch: Arc::new(Watch::open(watch)) })
    }
}

const INDEX_BITS: u32 = 24;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

/// What a watched connection is known by: its server, its line, and enough of its serial number to tell it from the
/// connection that had the line before.
pub(crate) fn token(server: u16, index: usize, serial: u64) -> u64 {
    u64::from(server) << (2 * INDEX_BITS)
        | (index as u64 & INDEX_MASK) << INDEX_BITS
        | serial & INDEX_MASK
}

/// Server, line, and the last part of the serial number.
pub(crate) fn parts(token: u64) -> (u16, usize, u64) {
    let index = usize::try_from(token >> INDEX_BITS & INDEX_MASK).unwrap_or(usize::MAX);
    ((token >> (2 * INDEX_BITS)) as u16, index, token & INDEX_MASK)
}

/// Whether this serial number has that last part.
pub(crate) fn ends_with(serial: u64, part: u64) -> bool {
    serial & INDEX_MASK == part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_its_parts() {
        assert_eq!(parts(token(7, 1023, 99)), (7, 1023, 99));
        assert_eq!(parts(token(u16::MAX, 0, 1 << 24 | 5)), (u16::MAX, 0, 5));
        assert!(ends_with(1 << 24 | 5, 5) && !ends_with(6, 5));
    }
}
