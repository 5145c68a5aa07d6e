//! What is to be served: the one model that every language of configuration is read into.

mod endpoint;
mod limits;
mod program;
mod remark;
mod urgent;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::access::Rules;

pub use endpoint::{Address, Endpoint, Listening};
pub use limits::{Action, Control, Limits, Rate};
pub use program::{Account, Descriptors, Environment, Program, ResourceLimit};
pub use remark::{Origin, Remark, Severity};
pub use urgent::{Deaf, Urgent};

/// Everything that one superserver serves, and what is to be said about how it was written.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// The services that are on. Their ids are unique, and no two listen on the same address.
    pub services: Vec<ServiceSpec>,
    /// Errors (that service is off, all others are on), warnings and explanations, in the order of the text.
    pub remarks: Vec<Remark>,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceSpec {
    /// Unique in its plan: `ftp`, or `echo/udp` where a name is served twice, or as the text says (xinetd's `id`).
    pub id: String,
    /// The name of the service, as written: of `/etc/services`, a port, a path. `NAMEINARGS` and hosts_access do not use it.
    pub name: String,
    /// Where it is written.
    pub origin: Origin,
    /// Where it listens. Empty only for what [`ServiceSpec::mux`] makes reachable.
    pub endpoints: Vec<Endpoint>,
    /// Who accepts.
    pub style: Style,
    /// What serves.
    pub run: Run,
    /// It is started through tcpmux under this name.
    pub mux: Option<MuxName>,
    /// How much of it.
    pub limits: Limits,
    /// For whom and when.
    pub access: Rules,
    /// What is sent beside what the service says.
    pub banners: Banners,
    /// Its registration with rpcbind. A service that has one is off: the reader says so in a remark.
    pub rpc: Option<RpcNumbers>,
}

/// Who accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// The superserver; one instance per connection gets it. inetd's `nowait`, systemd's `Accept=yes`.
    PerConnection,
    /// The one instance, which gets the listening (or datagram) socket; the superserver listens no more until it ends.
    /// inetd's `wait`, systemd's `Accept=no`.
    Single,
}

/// What serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// A program of its own.
    Program(Box<Program>),
    /// The superserver itself.
    Builtin(Builtin),
}

/// What the superserver serves itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Builtin {
    /// RFC 862.
    Echo,
    /// RFC 863.
    Discard,
    /// RFC 867.
    Daytime,
    /// RFC 868: four bytes.
    Time,
    /// RFC 864.
    Chargen,
    /// RFC 1078; streams only.
    Tcpmux,
    /// Connected to this `host:port`; streams only. xinetd's `redirect`.
    Redirect(String),
}

/// A name under which tcpmux (RFC 1078) starts a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MuxName {
    /// Compared without regard to case.
    pub name: String,
    /// tcpmux itself says `+Go`; else the program must answer. Written `tcpmux/+name`, xinetd's `TCPMUXPLUS`.
    pub greets: bool,
}

/// Files whose contents are sent before anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Banners {
    /// To everybody.
    pub always: Option<PathBuf>,
    /// To those who are served.
    pub success: Option<PathBuf>,
    /// To those who are refused.
    pub failure: Option<PathBuf>,
}

/// How an RPC service would be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RpcNumbers {
    /// Program, by name or number.
    pub program: String,
    /// First and last version.
    pub versions: (u32, u32),
}

impl Style {
    /// As inetd.conf writes it.
    #[must_use]
    pub const fn inetd_word(self) -> &'static str {
        match self {
            Self::PerConnection => "nowait",
            Self::Single => "wait",
        }
    }
}

impl ServiceSpec {
    /// A service with defaults everywhere but here.
    #[must_use]
    pub fn new(id: impl Into<String>, origin: Origin, style: Style, run: Run) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            origin,
            endpoints: Vec::new(),
            style,
            run,
            mux: None,
            limits: Limits::default(),
            access: Rules::default(),
            banners: Banners::default(),
            rpc: None,
        }
    }
}

/// How long a program that is asked to end (`SIGTERM`) may take until it is killed.
pub(crate) const END_WITHIN_DEFAULT: Duration = Duration::from_secs(10);
