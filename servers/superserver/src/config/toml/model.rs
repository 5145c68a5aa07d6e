//! The keys of the language.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// What a service and the defaults may both say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Shared {
    pub(super) user: Option<Spanned<String>>,
    pub(super) directory: Option<Spanned<String>>,
    pub(super) descriptors: Option<Descriptors>,
    pub(super) new_session: Option<bool>,
    pub(super) umask: Option<Spanned<String>>,
    pub(super) nice: Option<i32>,
    pub(super) urgent: Option<bool>,
    #[serde(default)]
    pub(super) socket: Socket,
    #[serde(default)]
    pub(super) environment: Environment,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) when_full: WhenFull,
    #[serde(default)]
    pub(super) rlimits: BTreeMap<String, Spanned<Scalar>>,
    #[serde(default)]
    pub(super) access: Access,
    #[serde(default)]
    pub(super) banners: Banners,
    #[serde(default)]
    pub(super) confinement: Confinement,
}

/// A service. The keys of [`Shared`] are written out, since flattening would lose places and unknown keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Service {
    pub(super) name: Option<Spanned<String>>,
    pub(super) id: Option<Spanned<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) listen: Option<Spanned<OneOrMore>>,
    pub(super) mux: Option<Spanned<String>>,
    pub(super) program: Option<Spanned<Vec<String>>>,
    pub(super) arg0: Option<String>,
    pub(super) builtin: Option<Spanned<String>>,
    pub(super) redirect: Option<Spanned<String>>,
    pub(super) wait: Option<bool>,
    pub(super) fd_names: Option<Spanned<Vec<String>>>,
    user: Option<Spanned<String>>,
    directory: Option<Spanned<String>>,
    descriptors: Option<Descriptors>,
    new_session: Option<bool>,
    umask: Option<Spanned<String>>,
    nice: Option<i32>,
    pub(super) urgent: Option<Spanned<bool>>,
    #[serde(default)]
    socket: Socket,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    when_full: WhenFull,
    #[serde(default)]
    rlimits: BTreeMap<String, Spanned<Scalar>>,
    #[serde(default)]
    access: Access,
    #[serde(default)]
    banners: Banners,
    #[serde(default)]
    confinement: Confinement,
}

impl Service {
    /// What it shares with the defaults.
    pub(super) fn shared(&self) -> Shared {
        Shared {
            user: self.user.clone(),
            directory: self.directory.clone(),
            descriptors: self.descriptors,
            new_session: self.new_session,
            umask: self.umask.clone(),
            nice: self.nice,
            urgent: self.urgent.as_ref().map(|said| *said.get_ref()),
            socket: self.socket.clone(),
            environment: self.environment.clone(),
            limits: self.limits.clone(),
            when_full: self.when_full.clone(),
            rlimits: self.rlimits.clone(),
            access: self.access.clone(),
            banners: self.banners.clone(),
            confinement: self.confinement.clone(),
        }
    }
}

/// A word, or a list of them. Its words have no places of their own: serde loses them in an untagged enum.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "an address such as \"tcp 127.0.0.1:80\", or a list of them")]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A number or a word.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a number or a text")]
pub(super) enum Scalar {
    Integer(i64),
    Float(f64),
    Text(String),
}

/// Which descriptors a program finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Descriptors {
    Inetd,
    Ucspi,
    Listen,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Socket {
    pub(super) backlog: Option<u32>,
    pub(super) send_buffer: Option<Spanned<Scalar>>,
    pub(super) receive_buffer: Option<Spanned<Scalar>>,
    pub(super) keepalive: Option<bool>,
    pub(super) nodelay: Option<bool>,
    pub(super) reuse_port: Option<bool>,
    pub(super) device: Option<Spanned<String>>,
    pub(super) mode: Option<Spanned<String>>,
    pub(super) owner: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Environment {
    pub(super) inherit: Option<Inherit>,
    pub(super) login: Option<bool>,
    pub(super) set: Option<BTreeMap<String, String>>,
    pub(super) ucspi: Option<bool>,
    pub(super) remote_host: Option<bool>,
}

/// `"all"`, or names.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "\"all\", or a list of names of variables")]
pub(super) enum Inherit {
    All(All),
    Names(Vec<String>),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum All {
    #[serde(rename = "all")]
    All,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Limits {
    pub(super) instances: Option<u32>,
    pub(super) per_source: Option<u32>,
    pub(super) rate: Option<Spanned<String>>,
    pub(super) rate_per_source: Option<Spanned<String>>,
    pub(super) load: Option<f64>,
    pub(super) idle: Option<Spanned<String>>,
    pub(super) end_within: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct WhenFull {
    pub(super) instances: Option<Spanned<String>>,
    pub(super) per_source: Option<Spanned<String>>,
    pub(super) rate: Option<Spanned<String>>,
    pub(super) rate_per_source: Option<Spanned<String>>,
    pub(super) load: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Access {
    pub(super) only_from: Option<Vec<Spanned<String>>>,
    pub(super) no_access: Option<Vec<Spanned<String>>>,
    pub(super) times: Option<Vec<Spanned<String>>>,
    pub(super) hosts_access: Option<HostsAccess>,
    pub(super) hosts_allow: Option<Spanned<String>>,
    pub(super) hosts_deny: Option<Spanned<String>>,
}

/// Whether hosts.allow and hosts.deny are asked, or by which name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "true, false, or the name of the daemon")]
pub(super) enum HostsAccess {
    Asked(bool),
    As(String),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Banners {
    pub(super) always: Option<Spanned<String>>,
    pub(super) success: Option<Spanned<String>>,
    pub(super) failure: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Confinement {
    pub(super) no_new_privileges: Option<bool>,
    pub(super) read: Option<Vec<Spanned<String>>>,
    pub(super) write: Option<Vec<Spanned<String>>>,
    pub(super) no_administration: Option<bool>,
    pub(super) no_network: Option<bool>,
    pub(super) private_tmp: Option<Spanned<Scalar>>,
    pub(super) memory: Option<Spanned<Scalar>>,
    pub(super) processes: Option<u64>,
    pub(super) cpu: Option<Spanned<String>>,
}
