//! The languages, and how a text shows which it is in.

use std::fmt;
use std::path::Path;
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

    /// The language that a file's name and text show: `.toml` is palco's, blocks in braces are xinetd's, anything else is
    /// inetd.conf as Debian reads it.
    pub(super) fn detect(path: &Path, text: &[u8]) -> Self {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            Self::Toml
        } else if has_xinetd_block(text) {
            Self::Xinetd
        } else {
            Self::Openbsd
        }
    }
}

/// `service NAME` or `defaults`, and a brace on that line or as the next that says something; or `includedir PATH`.
fn has_xinetd_block(text: &[u8]) -> bool {
    let mut is_headed = false;
    for line in text.split(|byte| *byte == b'\n') {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (first, second, third) = (words.next(), words.next(), words.next());
        let Some(first) = first.filter(|word| !word.starts_with(b"#")) else { continue };
        if is_headed && first.starts_with(b"{") {
            return true;
        }
        let is_brace = |word: Option<&[u8]>| word.is_some_and(|word| word.starts_with(b"{"));
        is_headed = match first {
            b"service" => {
                if is_brace(third) {
                    return true;
                }
                second.is_some() && third.is_none()
            }
            b"defaults" => {
                if is_brace(second) {
                    return true;
                }
                second.is_none()
            }
            b"includedir" if second.is_some() && third.is_none() => return true,
            _ => false,
        };
    }
    false
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

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(name: &str, text: &str) -> Dialect {
        Dialect::detect(Path::new(name), text.as_bytes())
    }

    #[test]
    fn a_text_shows_its_language() {
        assert_eq!(detected("a.toml", "service x\n{\n"), Dialect::Toml);
        assert_eq!(detected("a", "# x\nservice echo\n\n# y\n{\n}\n"), Dialect::Xinetd);
        assert_eq!(detected("a", "service echo {\n}\n"), Dialect::Xinetd);
        assert_eq!(detected("a", "defaults\n{\n}\n"), Dialect::Xinetd);
        assert_eq!(detected("a", "includedir /etc/xinetd.d\n"), Dialect::Xinetd);
        assert_eq!(
            detected("a", "service stream tcp nowait root /bin/cat cat\n"),
            Dialect::Openbsd
        );
        assert_eq!(detected("a", "defaults stream tcp nowait root /bin/cat {\n"), Dialect::Openbsd);
        assert_eq!(detected("inetd.conf", ""), Dialect::Openbsd);
    }

    #[test]
    fn names_are_read_back() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.name().parse(), Ok(dialect));
        }
        assert!("solaris".parse::<Dialect>().unwrap_err().contains("freebsd"));
    }
}
