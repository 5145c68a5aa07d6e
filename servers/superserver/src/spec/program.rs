//! What is started for a service.

use std::ffi::{CString, OsString};
use std::path::PathBuf;

use palco_processes::{Enclosure, Resource, User};
use serde::Serialize;

use super::Urgent;

/// A program and the state it begins in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Absolute; it existed and could be executed when the text was read.
    pub path: PathBuf,
    /// What it is told to be called.
    pub arg0: OsString,
    /// Arguments after that.
    pub args: Vec<OsString>,
    /// Who it is; who the superserver is unless said.
    pub account: Option<Account>,
    /// Where it begins; `/` unless said.
    pub directory: PathBuf,
    /// What it finds in its environment.
    pub environment: Environment,
    /// What it finds open.
    pub descriptors: Descriptors,
    /// Leads a session of its own; on unless said.
    pub new_session: bool,
    /// Which permissions new files do not get.
    pub umask: Option<u32>,
    /// Niceness, -20 to 19.
    pub nice: Option<i32>,
    /// Limits of resources.
    pub limits: Vec<ResourceLimit>,
    /// Whether its clients may suspend, continue and end it by urgent data.
    pub urgent: Urgent,
    /// What it gives up. That it must be able to execute itself goes without saying.
    pub confinement: Enclosure,
}

/// An account of this machine with everything that a start needs of it, looked up ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Ids, and all groups.
    #[serde(serialize_with = "ids")]
    pub user: User,
    /// Its home directory.
    pub home: PathBuf,
    /// Its shell.
    pub shell: PathBuf,
}

fn ids<S: serde::Serializer>(user: &User, serializer: S) -> Result<S::Ok, S::Error> {
    (user.uid, user.gid, &user.groups).serialize(serializer)
}

/// An environment: what is taken over, then what is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Variables of the superserver that are taken over: all of them if none is named.
    pub inherit: Option<Vec<OsString>>,
    /// `PATH`, and with an account `HOME`, `SHELL`, `USER`, `LOGNAME`, as openbsd-inetd sets them.
    pub login: bool,
    /// Variables that are set, in this order.
    pub set: Vec<(OsString, OsString)>,
    /// `PROTO`, `TCPLOCALIP`, `TCPLOCALPORT`, `TCPREMOTEIP`, `TCPREMOTEPORT` (UCSPI).
    pub ucspi: bool,
    /// `REMOTE_HOST`: the address of the client, as xinetd sets it.
    pub remote_host: bool,
}

/// What a program finds open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descriptors {
    /// The socket as 0, 1 and 2.
    #[default]
    Inetd,
    /// The socket as 0 and 1; as 2 the superserver's standard error (UCSPI).
    Ucspi,
    /// The socket as 3, or all sockets of the service from 3 on, announced by `LISTEN_FDS`, `LISTEN_PID` and
    /// `LISTEN_FDNAMES` (`sd_listen_fds(3)`). 0 is `/dev/null`; 1 and 2 are the superserver's standard error.
    Listen {
        /// One name per endpoint; of a connection it is `connection`.
        names: Vec<String>,
    },
}

/// A limit of a resource, in the resource's own unit; `u64::MAX` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceLimit {
    /// Which.
    #[serde(serialize_with = "resource")]
    pub resource: Resource,
    /// The limit.
    pub soft: u64,
    /// How far the program may raise it.
    pub hard: u64,
}

fn resource<S: serde::Serializer>(resource: &Resource, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{resource:?}"))
}

impl Account {
    /// The account of this name; in another group, if one is given.
    ///
    /// # Errors
    /// A sentence that says which name is not known.
    pub fn look_up(name: &str, group: Option<&str>) -> Result<Self, String> {
        let known = nix::unistd::User::from_name(name).map_err(|error| error.to_string())?;
        let known = known.ok_or_else(|| format!("there is no user `{name}`"))?;
        let gid = match group {
            None => known.gid,
            Some(group) => {
                let found =
                    nix::unistd::Group::from_name(group).map_err(|error| error.to_string())?;
                found.ok_or_else(|| format!("there is no group `{group}`"))?.gid
            }
        };
        let text = CString::new(name).map_err(|error| error.to_string())?;
        let groups = nix::unistd::getgrouplist(&text, gid).map_err(|error| error.to_string())?;
        Ok(Self {
            name: known.name,
            user: User {
                uid: known.uid.as_raw(),
                gid: gid.as_raw(),
                groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
            },
            home: known.dir,
            shell: known.shell,
        })
    }
}

impl Program {
    /// A program with defaults everywhere but here: in `/`, with inetd's descriptors and environment.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, arg0: impl Into<OsString>) -> Self {
        Self {
            path: path.into(),
            arg0: arg0.into(),
            args: Vec::new(),
            account: None,
            directory: PathBuf::from("/"),
            environment: Environment::default(),
            descriptors: Descriptors::default(),
            new_session: true,
            umask: None,
            nice: None,
            limits: Vec::new(),
            urgent: Urgent::default(),
            confinement: Enclosure::default(),
        }
    }
}

impl Default for Environment {
    /// Nothing of the superserver's; `PATH` and the account's.
    fn default() -> Self {
        Self {
            inherit: Some(Vec::new()),
            login: true,
            set: Vec::new(),
            ucspi: false,
            remote_host: false,
        }
    }
}
