//! What a rule of hosts_options(5) adds to a start.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What hosts_options(5) add to a start. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Variables that the program gets beside its own (`setenv`), in this order; the last of a name counts.
    pub environment: Vec<(OsString, OsString)>,
    /// The account to serve as (`user`). It existed when the caller was judged.
    pub user: Option<String>,
    /// The group to serve as (`user name.group`, `group`). It existed when the caller was judged.
    pub group: Option<String>,
    /// Added to the niceness of the program (`nice`, which alone is 10).
    pub nice: Option<i32>,
    /// Which permissions new files do not get (`umask`), 0 to 0o777.
    pub umask: Option<u32>,
    /// `SO_KEEPALIVE` on the connection.
    pub keepalive: bool,
    /// `SO_LINGER` on the connection, in whole seconds.
    pub linger: Option<Duration>,
    /// Shell commands of which each must end with status 0, else the caller is refused (`aclexec`, Debian's). Expanded.
    pub conditions: Vec<String>,
    /// Shell commands to run beside, from and to `/dev/null` (`spawn`). Expanded.
    pub spawn: Vec<String>,
    /// The shell command that serves the connection in place of the program (`twist`), whether the rule that has it is of
    /// hosts.allow or of hosts.deny. Expanded.
    pub twist: Option<String>,
    /// The file whose text is sent before anything else: `banners` and the name of the daemon.
    pub banners: Option<PathBuf>,
    /// That text, with the expansions made and lines that end in CRLF; empty if there is no such file.
    pub banner: Vec<u8>,
    /// How loudly this caller is logged (`severity`); syslog's eight levels are mapped to these, facilities are not used.
    pub severity: Option<tracing::Level>,
}

impl Extras {
    /// Whether it adds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
