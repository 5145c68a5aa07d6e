//! Whether the clients of a program may suspend, continue and end it by urgent data.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::{Program, Run, ServiceSpec, Style};

/// What is said about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgent {
    /// Nothing: they may, unless the program is known to use urgent data itself.
    #[default]
    UnlessUsed,
    /// They may, whatever the program is called.
    On,
    /// They may not.
    Off,
}

/// Why nobody listens for urgent data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deaf {
    /// There is no program.
    Builtin,
    /// The program has the listening socket: its connections are never seen here.
    AcceptsItself,
    /// Only TCP has urgent data.
    NoTcp,
    /// The program is one that uses urgent data itself.
    UsedByProgram,
    /// It is said so.
    SwitchedOff,
}

/// How programs are called that use urgent data themselves, or whose clients send it: Telnet's Synch (RFC 854), FTP's ABOR
/// (RFC 959), the window size and the flushed output of rlogin (RFC 1282), signals of rsh, and their Kerberos kin. Whatever
/// is put before such a name (`in.`, `vs`, `pro`, `pure-`) is the same kind of program.
const USERS: [&str; 6] = ["telnetd", "ftpd", "rlogind", "rshd", "klogind", "kshd"];

impl ServiceSpec {
    /// Why urgent data of its clients is left to its program. `None`: the superserver listens for it.
    #[must_use]
    pub fn deaf(&self) -> Option<Deaf> {
        let Run::Program(program) = &self.run else { return Some(Deaf::Builtin) };
        // What tcpmux starts has come over TCP as a rule.
        let has_tcp =
            self.mux.is_some() || self.endpoints.iter().any(|endpoint| endpoint.address.is_tcp());
        match self.style {
            Style::Single => Some(Deaf::AcceptsItself),
            Style::PerConnection if !has_tcp => Some(Deaf::NoTcp),
            Style::PerConnection => program.deaf(),
        }
    }
}

impl Program {
    /// The same about a program that has a connection over TCP.
    pub(crate) fn deaf(&self) -> Option<Deaf> {
        match self.urgent {
            Urgent::On => None,
            Urgent::Off => Some(Deaf::SwitchedOff),
            Urgent::UnlessUsed => self.uses_urgent_data().then_some(Deaf::UsedByProgram),
        }
    }

    /// By its file's name, or by what it is called: behind tcpd that is the name of the program behind it.
    fn uses_urgent_data(&self) -> bool {
        let is_user = |name: &OsStr| {
            let name = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
            USERS.iter().any(|user| name.ends_with(user))
        };
        is_user(self.path.as_os_str()) || is_user(&self.arg0)
    }
}

impl fmt::Display for Deaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Builtin => "there is no program",
            Self::AcceptsItself => "the program accepts its clients itself",
            Self::NoTcp => "only connections over TCP have urgent data",
            Self::UsedByProgram => "the program uses urgent data itself",
            Self::SwitchedOff => "switched off",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_use_urgent_data_are_known_by_either_name() {
        let deaf = |path: &str, arg0: &str| Program::new(path, arg0).deaf();
        for (path, arg0) in [
            ("/usr/sbin/in.telnetd", "in.telnetd"),
            ("/usr/sbin/telnetd", "x"),
            ("/usr/sbin/tcpd", "in.ftpd"),
            ("/usr/sbin/tcpd", "/usr/sbin/in.rshd"),
            ("/usr/sbin/vsftpd", "vsftpd"),
            ("/usr/sbin/proftpd", "proftpd"),
            ("/usr/sbin/pure-ftpd", "pure-ftpd"),
            ("/usr/libexec/rlogind", "rlogind"),
        ] {
            assert_eq!(deaf(path, arg0), Some(Deaf::UsedByProgram), "{path} {arg0}");
        }
        for (path, arg0) in [
            ("/usr/bin/yes", "yes"),
            ("/usr/sbin/sshd", "sshd"),
            ("/usr/sbin/tcpd", "in.fingerd"),
            ("/home/ftpd/serve", "serve"),
        ] {
            assert_eq!(deaf(path, arg0), None, "{path} {arg0}");
        }
    }

    #[test]
    fn what_is_said_counts_more_than_a_name() {
        let mut program = Program::new("/usr/sbin/in.telnetd", "in.telnetd");
        program.urgent = Urgent::On;
        assert_eq!(program.deaf(), None);
        program = Program::new("/usr/bin/yes", "yes");
        program.urgent = Urgent::Off;
        assert_eq!(program.deaf(), Some(Deaf::SwitchedOff));
    }
}
