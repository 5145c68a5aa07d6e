//! Who may be served, and when.
//!
//! | file | what |
//! |---|---|
//! | `access/source.rs` | [`Source`]: a word of `only_from` and `no_access` |
//! | `access/span.rs` | [`Span`]: a word of `access_times` |
//! | `access/names.rs` | [`Names`]: the names of addresses, looked up where a wait costs nobody anything |
//! | `access/hosts.rs`, `access/hosts/` | hosts_access(5) and hosts_options(5), judged as Debian's libwrap does |
//! | `access/extras.rs` | [`Extras`]: what a rule adds to a start |

mod extras;
mod hosts;
mod names;
mod source;
mod span;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Serialize;

pub use extras::Extras;
pub use names::{Name, Names};
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

/// Who asks to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Where from; nothing of a unix socket, and of a child that accepts itself.
    pub peer: Option<SocketAddr>,
    /// Where to.
    pub local: Option<SocketAddr>,
}

/// The answer to a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// May be served, with this beside.
    Granted(Extras),
    /// May not.
    Refused {
        /// Which rule says so, of which file and line.
        reason: String,
        /// What is to be done all the same: a rule that refuses can have commands run, say something, or
        /// [`twist`](Extras::twist).
        extras: Extras,
    },
}

impl Rules {
    /// Whether there is no rule at all: nobody needs to be judged.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Self { only_from, no_access, times, hosts } = self;
        only_from.is_none() && no_access.is_empty() && times.is_empty() && hosts.is_none()
    }

    /// Judges a caller, now, by local time.
    ///
    /// First the times, then `only_from` and `no_access`, then hosts_access. A caller without an address is in no
    /// [`Source`], and is `unknown` to hosts_access. Files are read in place when they have changed; names are waited
    /// for, at most [`Names::TIME_LIMIT`] each.
    ///
    /// Cancel-safe: nothing has happened until it returns.
    pub async fn judge(&self, caller: &Caller, names: &Names) -> Judgement {
        // The clock is asked only if it matters.
        let minute = if self.times.is_empty() { 0 } else { span::local_minute() };
        self.judge_at(caller, names, minute).await
    }

    /// As [`Rules::judge`], at this minute of the day.
    async fn judge_at(&self, caller: &Caller, names: &Names, minute: u16) -> Judgement {
        let refused = |reason| Judgement::Refused { reason, extras: Extras::default() };
        if let Some(reason) = self.refused_by_time(minute) {
            return refused(reason);
        }
        let peer = caller.peer.map(|peer| peer.ip().to_canonical());
        if let Some(reason) = self.refused_by_source(peer, names).await {
            return refused(reason);
        }
        match &self.hosts {
            Some(hosts) => hosts::judge(hosts, caller, names).await,
            None => Judgement::Granted(Extras::default()),
        }
    }

    fn refused_by_time(&self, minute: u16) -> Option<String> {
        let closed = !self.times.is_empty() && !self.times.iter().any(|span| span.contains(minute));
        let listed = || self.times.iter().map(Span::to_string).collect::<Vec<_>>().join(" ");
        let now = format!("{}:{:02}", minute / 60, minute % 60);
        closed.then(|| format!("it is {now}, and access_times are {}", listed()))
    }

    /// Deviation from xinetd 2.3.15, which compares the places of the words in their lists where its manual says that the
    /// better match wins: here it wins. Of equally good matches the refusal does.
    async fn refused_by_source(&self, peer: Option<IpAddr>, names: &Names) -> Option<String> {
        let only_from = self.only_from.as_deref();
        if only_from.is_none() && self.no_access.is_empty() {
            return None;
        }
        let mut all = self.no_access.iter().chain(only_from.unwrap_or_default());
        let name = match peer {
            Some(peer) if all.any(Source::needs_name) => Some(names.name(peer).await),
            Some(_) | None => None,
        };
        let best = |sources: &'_ [Source]| {
            let ranked = sources.iter().filter_map(|source| {
                Some((source.rank(peer?, name.as_ref())?, source.to_string()))
            });
            ranked.max_by_key(|(rank, _)| *rank)
        };
        let who =
            peer.map_or_else(|| "a caller without an address".into(), |peer| peer.to_string());
        match (only_from.map(best), best(&self.no_access)) {
            (Some(None), _) => Some(format!("{who} is not in only_from")),
            (Some(Some((wanted, _))), Some((unwanted, word))) if wanted <= unwanted => {
                Some(format!("{who} is in no_access: {word}"))
            }
            (None, Some((_, word))) => Some(format!("{who} is in no_access: {word}")),
            (Some(Some(_)), _) | (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests;
