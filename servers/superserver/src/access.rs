//! Who may be served, and when.

mod source;
mod span;

use std::path::PathBuf;

use serde::Serialize;

pub use source::Source;
pub use span::Span;

/// The rules of one service. By default everybody may, at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Only these, if given; none of them is nobody. Against `no_access` the better match wins.
    pub only_from: Option<Vec<Source>>,
    /// Not these.
    pub no_access: Vec<Source>,
    /// Only within these spans of each day, by local time; none of them is always.
    pub times: Vec<Span>,
    /// hosts.allow and hosts.deny are asked, as `tcpd` would.
    pub hosts: Option<Hosts>,
}

/// How hosts_access(5) is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hosts {
    /// The name of the daemon in those files.
    pub daemon: String,
    /// `/etc/hosts.allow`.
    pub allow: PathBuf,
    /// `/etc/hosts.deny`.
    pub deny: PathBuf,
}
