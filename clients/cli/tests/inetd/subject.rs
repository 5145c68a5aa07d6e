//! Who is asked: palco under each dialect, and the superservers that Debian has.

use std::path::Path;
use std::process::Command;

use crate::dialect::Dialect;

/// A superserver under test.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    /// `palco inetd` with a file in this dialect.
    Palco(Dialect),
    /// Debian's openbsd-inetd.
    OpenbsdInetd,
    /// GNU's.
    InetutilsInetd,
    /// xinetd.
    Xinetd,
}

/// All of them.
pub(crate) const SUBJECTS: [Subject; 8] = [
    Subject::OpenbsdInetd,
    Subject::InetutilsInetd,
    Subject::Xinetd,
    Subject::Palco(Dialect::Openbsd),
    Subject::Palco(Dialect::Gnu),
    Subject::Palco(Dialect::Xinetd),
    Subject::Palco(Dialect::Netbsd),
    Subject::Palco(Dialect::Freebsd),
];

impl Subject {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Palco(dialect) => format!("palco {}", dialect.name()),
            Self::OpenbsdInetd => "openbsd-inetd".to_owned(),
            Self::InetutilsInetd => "inetutils-inetd".to_owned(),
            Self::Xinetd => "xinetd".to_owned(),
        }
    }

    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Palco(dialect) => dialect,
            Self::OpenbsdInetd => Dialect::Openbsd,
            Self::InetutilsInetd => Dialect::Gnu,
            Self::Xinetd => Dialect::Xinetd,
        }
    }

    /// It stays in the foreground with this configuration.
    pub(crate) fn command(self, configuration: &Path) -> Command {
        let words: &[&str] = match self {
            Self::Palco(dialect) => return crate::palco::inetd(configuration, dialect),
            Self::OpenbsdInetd => &["inetd", "-i"],
            Self::InetutilsInetd => &["inetutils-inetd", "--debug", "--rate=1000"],
            Self::Xinetd => &["xinetd", "-dontfork", "-filelog", "/dev/stderr", "-f"],
        };
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(configuration);
        command
    }

    /// Why an incumbent fails a check.
    pub(crate) fn known_to_fail(self, promise: &str) -> Option<&'static str> {
        let known: &[(&str, &[&str])] = match self {
            Self::Palco(_) => &[],
            Self::OpenbsdInetd => &[(
                "its builtins have no UDP",
                &[
                    "echo over UDP says the same",
                    "daytime over UDP is one line",
                    "time over UDP is four bytes",
                    "chargen over UDP is the pattern",
                ],
            )],
            Self::InetutilsInetd => &[(
                "it sends a long",
                &["time over TCP is four bytes", "time over UDP is four bytes"],
            )],
            Self::Xinetd => &[
                (
                    "it knows neither space nor tilde",
                    &[
                        "chargen over TCP is the pattern until the client leaves",
                        "chargen over UDP is the pattern",
                    ],
                ),
                ("it has no help", &["tcpmux lists its services"]),
                ("it adds a zero", &["tcpmux greets and starts a service by name"]),
            ],
        };
        known.iter().find(|(_, checks)| checks.contains(&promise)).map(|(why, _)| *why)
    }
}
