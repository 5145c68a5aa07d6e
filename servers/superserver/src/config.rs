//! Texts that say what is to be served, read into a [`Plan`](crate::Plan).

use std::fmt;
use std::str::FromStr;

/// A language of configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// inetd.conf as openbsd-inetd reads it, which is Debian's.
    Openbsd,
    /// inetd.conf as GNU inetutils reads it.
    Gnu,
    /// inetd.conf as NetBSD reads it.
    Netbsd,
    /// inetd.conf as FreeBSD reads it.
    Freebsd,
    /// xinetd.conf.
    Xinetd,
    /// palco's own.
    Toml,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Openbsd, Self::Gnu, Self::Netbsd, Self::Freebsd, Self::Xinetd, Self::Toml];

    /// The name used on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openbsd => "openbsd",
            Self::Gnu => "gnu",
            Self::Netbsd => "netbsd",
            Self::Freebsd => "freebsd",
            Self::Xinetd => "xinetd",
            Self::Toml => "toml",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no dialect `{name}`; dialects are: {names}")
        })
    }
}
