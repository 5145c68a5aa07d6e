//! What each design costs when it is nothing but its calls: a program in C, compiled for the run.

use super::contestant::{LOOPS, WORKERS};

/// All of them.
pub(super) const SOURCE: &str = include_str!("floor.c");

/// How a program in C serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Design {
    Iterative,
    Thread,
    Prethread,
    Epoll,
    EpollTeam,
    Fork,
    Prefork,
    OwnSockets,
    Dispatcher,
    Exec,
}

impl Design {
    pub(super) const ALL: [Self; 10] = [
        Self::Iterative,
        Self::Thread,
        Self::Prethread,
        Self::Epoll,
        Self::EpollTeam,
        Self::Fork,
        Self::Prefork,
        Self::OwnSockets,
        Self::Dispatcher,
        Self::Exec,
    ];

    /// As the program is told.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Iterative => "iterative",
            Self::Thread => "thread",
            Self::Prethread => "prethread",
            Self::Epoll => "epoll",
            Self::EpollTeam => "epoll-team",
            Self::Fork => "fork",
            Self::Prefork => "prefork",
            Self::OwnSockets => "own-sockets",
            Self::Dispatcher => "dispatcher",
            Self::Exec => "exec",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Iterative => "C iterative",
            Self::Thread => "C thread per connection",
            Self::Prethread => "C threads in accept",
            Self::Epoll => "C epoll, one thread",
            Self::EpollTeam => "C epoll, two threads",
            Self::Fork => "C fork per connection",
            Self::Prefork => "C processes in accept",
            Self::OwnSockets => "C processes, own sockets",
            Self::Dispatcher => "C sockets passed",
            Self::Exec => "C vfork and exec",
        }
    }

    pub(super) const fn classic(self) -> &'static str {
        match self {
            Self::Iterative => "iterative",
            Self::Thread => "thread per connection",
            Self::Prethread => "prethreaded",
            Self::Epoll => "event loop",
            Self::EpollTeam => "event loops",
            Self::Fork => "fork per connection",
            Self::Prefork => "preforked",
            Self::OwnSockets => "preforked, SO_REUSEPORT",
            Self::Dispatcher => "preforked, sockets passed",
            Self::Exec => "superserver",
        }
    }

    pub(super) const fn workers(self) -> usize {
        match self {
            Self::EpollTeam => LOOPS,
            Self::Prethread | Self::Prefork | Self::OwnSockets | Self::Dispatcher => WORKERS,
            Self::Iterative | Self::Thread | Self::Epoll | Self::Fork | Self::Exec => 1,
        }
    }
}
