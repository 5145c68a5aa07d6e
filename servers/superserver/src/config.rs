//! Texts that say what is to be served, read into a [`Plan`].
//!
//! A text is read as a whole: what is wrong with a service puts that service off and is said in a [`Remark`](crate::Remark),
//! and all others are on. What the programs of its language accept is accepted; where they differ from each other or
//! from palco, a note says so.
//!
//! | file | what |
//! |---|---|
//! | `dialect.rs` | the languages, and how a text shows which it is in |
//! | `world.rs` | what is looked up outside the text |
//! | `reading.rs` | a reading under way: remarks, files, addresses that are taken, ids |
//! | `inetd.rs`, `inetd/` | inetd.conf in four dialects |
//! | `xinetd.rs`, `xinetd/` | xinetd.conf |
//! | `toml.rs`, `toml/` | palco's own |
//! | `explain.rs` | a service in short English phrases |

mod address;
mod dialect;
mod explain;
mod fault;
mod inetd;
mod program;
mod reading;
mod taken;
mod toml;
mod units;
mod word;
mod world;
mod xinetd;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::access::Hosts;
use crate::spec::{Builtin, Plan};

use reading::Reading;

pub use dialect::Dialect;
pub use explain::{Explanation, explain};
pub use world::{ProgramFile, System, World};

/// A complete text in palco's own language, with comments: a place to begin.
pub const SAMPLE: &str = include_str!("config/toml/sample.toml");

/// Most bytes of a file.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What is said beside the text, on a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The language; by default it is seen from the file's name and text.
    pub dialect: Option<Dialect>,
    /// hosts.allow and hosts.deny are asked for every program of an inetd.conf, and `tcpd` in a line is skipped:
    /// openbsd-inetd's `-l`. Off by default.
    pub libwrap: bool,
    /// Programs of an inetd.conf find the addresses in their environment: GNU's `--environment`. Off by default.
    pub environment: bool,
    /// Programs inherit the environment in the openbsd dialect too: openbsd-inetd's `-E`. Off by default.
    pub keep_environment: bool,
    /// Starts per minute of a line of an inetd.conf that names no number itself: `-R`. No limit by default.
    pub default_rate: Option<u32>,
    /// Connections that the kernel keeps waiting for a line of an inetd.conf: openbsd-inetd's `-q`.
    pub default_backlog: Option<u32>,
    /// The file of rules that let in; `/etc/hosts.allow` by default.
    pub hosts_allow: PathBuf,
    /// The file of rules that keep out; `/etc/hosts.deny` by default.
    pub hosts_deny: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialect: None,
            libwrap: false,
            environment: false,
            keep_environment: false,
            default_rate: None,
            default_backlog: None,
            hosts_allow: "/etc/hosts.allow".into(),
            hosts_deny: "/etc/hosts.deny".into(),
        }
    }
}

impl Options {
    /// hosts_access(5) for a daemon of this name.
    fn hosts(&self, daemon: impl Into<String>) -> Hosts {
        let (allow, deny) = (self.hosts_allow.clone(), self.hosts_deny.clone());
        Hosts { daemon: daemon.into(), allow, deny }
    }
}

/// Why there is no plan at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read, is no regular file, or has more than [`FILE_BYTES_MAX`] bytes.
    #[error("{}: cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no text.
    #[error("{}: is no text; name a configuration file", path.display())]
    NoText {
        /// Which.
        path: PathBuf,
    },
}

/// Reads a file and what it includes. It waits for disks and, for names of hosts, for the resolver.
///
/// # Errors
/// Only when the file itself cannot be read or is no text. Anything else is a remark, and all other services are on.
pub fn read(path: &Path, options: &Options) -> Result<Plan, ReadError> {
    let world = System::default();
    let text = world
        .bytes(path, FILE_BYTES_MAX)
        .map_err(|source| ReadError::File { path: path.to_path_buf(), source })?;
    if is_binary(&text) {
        return Err(ReadError::NoText { path: path.to_path_buf() });
    }
    Ok(read_text(&text, path, options, &world))
}

/// Reads a text as if it were in this file.
#[must_use]
pub fn read_text(text: &[u8], path: &Path, options: &Options, world: &dyn World) -> Plan {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let dialect = options.dialect.unwrap_or_else(|| Dialect::detect(path, text));
    let mut reading = Reading::new(path, dialect, options, world);
    if text.len() > FILE_BYTES_MAX {
        let text = format!("the text has {} bytes; {FILE_BYTES_MAX} are the most", text.len());
        reading.refuse(&reading.line(0), None, fault::Fault::new(text, "split it"));
        return reading.finish();
    }
    match dialect {
        Dialect::Openbsd | Dialect::Gnu | Dialect::Netbsd | Dialect::Freebsd => {
            inetd::read(&mut reading, text);
        }
        Dialect::Xinetd => xinetd::read(&mut reading, text),
        Dialect::Toml => toml::read(&mut reading, text),
    }
    reading.finish()
}

/// What the superserver serves itself under a name.
fn builtin(name: &str) -> Option<Builtin> {
    Some(match name {
        "echo" => Builtin::Echo,
        "discard" => Builtin::Discard,
        "daytime" => Builtin::Daytime,
        "time" => Builtin::Time,
        "chargen" => Builtin::Chargen,
        "tcpmux" => Builtin::Tcpmux,
        _ => return None,
    })
}

/// More than a third of it are control characters, or it begins as a program does.
fn is_binary(text: &[u8]) -> bool {
    let is_control = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    text.starts_with(b"\x7fELF") || text.iter().filter(is_control).count() > text.len() / 3
}
