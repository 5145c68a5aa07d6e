//! How service `files` is served: its part of `palco serve files` and of a stage file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use palco_actors::PlaceKind;
use palco_files::http::{self, Keys};
use palco_files::sftp::{self, Handles};
use palco_files::{Access, Dots, Links};
use palco_models::ModelKind;
use serde::Deserialize;

/// How clients reach the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FileProtocol {
    /// HTTP/1.1: stateless; every request is complete in itself.
    #[default]
    Http,
    /// SFTP 3 on plain connections: stateful; open files, reading ahead, writing behind, leases.
    Sftp,
}

impl FileProtocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Sftp => "SFTP",
        }
    }
}

/// For how long leases are given if nothing is said.
const LEASE_TERM: Duration = Duration::from_secs(10);

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LinksName {
    /// They are followed beneath the directory.
    Beneath,
    /// None is followed.
    Refuse,
}

/// What becomes of handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum HandlesName {
    /// They are gone with the connection or the server.
    Volatile,
    /// They survive both, for an hour.
    Journalled,
}

/// Under which model and where files are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) model: ModelKind,
    pub(crate) place: PlaceKind,
}

impl Cell {
    /// Of one connection whose process has no other.
    pub(crate) const ALONE: Self =
        Self { model: ModelKind::PerConnection, place: PlaceKind::Process };

    /// Whether all clients are served by one process, and several at once: a client has three connections for its leases.
    fn may_lease(self) -> bool {
        self.place != PlaceKind::Process && self.model != ModelKind::Iterative
    }
}

/// `[server.files]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct FilesEntry {
    /// How clients reach the files.
    pub(crate) protocol: FileProtocol,
    /// Clients cannot change anything.
    pub(crate) read_only: bool,
    /// What becomes of symbolic links.
    pub(crate) links: Links,
    /// Whether an append needs an idempotency key.
    pub(crate) keys: Keys,
    /// A change must name the version that it means.
    pub(crate) conditions_required: bool,
    /// What becomes of handles.
    pub(crate) handles: Handles,
    /// For how long leases are given; zero gives none.
    #[serde(deserialize_with = "super::some_duration")]
    pub(crate) lease_term: Option<Duration>,
    /// Names that start with a dot are not there.
    pub(crate) hide_dots: bool,
    /// Clients from elsewhere can change files, though nobody knows who they are.
    pub(crate) insecure: bool,
}

impl FilesEntry {
    /// Refuses to let everybody on the network write, and what has no effect. `listen` is none where nobody knows who
    /// connects.
    pub(crate) fn check(&self, listen: Option<SocketAddr>, cell: Cell) -> Result<()> {
        let is_private = listen.is_some_and(|listen| listen.ip().is_loopback());
        ensure!(
            is_private || self.read_only || self.insecure,
            "over plain {}, everybody who reaches {} could change the files: listen on loopback, or say --read-only, or \
             --insecure if that is what you want (`read-only` or `insecure` in [server.files])",
            self.protocol.name(),
            listen.map_or_else(|| "the activator".to_owned(), |listen| listen.to_string()),
        );
        match self.protocol {
            FileProtocol::Http => ensure!(
                self.handles == Handles::default() && self.lease_term.is_none() && !self.hide_dots,
                "--handles, --lease-term and --hide-dots belong to --protocol sftp: over HTTP nothing is open, and names \
                 with dots are always hidden"
            ),
            FileProtocol::Sftp => ensure!(
                self.keys == Keys::default() && !self.conditions_required,
                "--keys-optional and --conditions-required belong to --protocol http: SFTP knows neither"
            ),
        }
        ensure!(
            cell.may_lease() || self.lease_term.is_none_or(|term| term.is_zero()),
            "leases bind only who is served by the same process, and need several connections at once: leave out \
             --lease-term, or serve in another place than `process` and under another model than `iterative`"
        );
        Ok(())
    }

    fn access(&self) -> Access {
        if self.read_only { Access::ReadOnly } else { Access::ReadWrite }
    }

    /// What the stateless service is made from.
    pub(crate) fn http(&self, root: PathBuf) -> http::Config {
        let (access, links, keys) = (self.access(), self.links, self.keys);
        let conditions_required = self.conditions_required;
        http::Config { access, links, keys, conditions_required, ..http::Config::read_only(root) }
    }

    /// What the stateful service is made from. Several processes know nothing of each other's leases, nor of what each
    /// has still to write.
    pub(crate) fn sftp(&self, root: PathBuf, cell: Cell) -> sftp::Config {
        let config = sftp::Config {
            access: self.access(),
            links: self.links,
            handles: self.handles,
            dots: if self.hide_dots { Dots::Hidden } else { Dots::Shown },
            ..sftp::Config::read_only(root)
        };
        let term = self.lease_term.unwrap_or(LEASE_TERM);
        let lease_term = (cell.may_lease() && !term.is_zero()).then_some(term);
        match cell.place {
            PlaceKind::Process => sftp::Config { behind_bytes_max: 0, lease_term, ..config },
            _ => sftp::Config { lease_term, ..config },
        }
    }
}

/// The same on the command line.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags on a command line")]
#[command(next_help_heading = "Service `files`")]
pub(crate) struct FilesArgs {
    /// How clients reach the files [default: http]
    #[arg(long, value_name = "PROTOCOL", value_enum)]
    pub(crate) protocol: Option<FileProtocol>,
    /// Let clients change nothing
    #[arg(long)]
    pub(crate) read_only: bool,
    /// What becomes of symbolic links [default: beneath]
    #[arg(long, value_name = "POLICY", value_enum)]
    pub(crate) links: Option<LinksName>,
    /// Do appends without an Idempotency-Key too: sent again, they are done again
    #[arg(long)]
    pub(crate) keys_optional: bool,
    /// Refuse changes that do not name the version they mean (If-Match)
    #[arg(long)]
    pub(crate) conditions_required: bool,
    /// What becomes of open files when the connection or the server is gone [default: volatile]
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) handles: Option<HandlesName>,
    /// For how long clients get leases on what they read; 0s gives none [default: 10s; none in place `process` and under model `iterative`]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) lease_term: Option<Duration>,
    /// Do not serve names that start with a dot (over HTTP they never are)
    #[arg(long)]
    pub(crate) hide_dots: bool,
    /// Let clients from elsewhere change files too, though nobody knows who they are
    #[arg(long)]
    pub(crate) insecure: bool,
}

impl FilesArgs {
    /// None if nothing is said.
    pub(crate) fn entry(&self) -> Option<FilesEntry> {
        let entry = FilesEntry {
            protocol: self.protocol.unwrap_or_default(),
            read_only: self.read_only,
            links: match self.links {
                None | Some(LinksName::Beneath) => Links::Beneath,
                Some(LinksName::Refuse) => Links::Refuse,
            },
            keys: if self.keys_optional { Keys::Optional } else { Keys::Required },
            conditions_required: self.conditions_required,
            handles: match self.handles {
                None | Some(HandlesName::Volatile) => Handles::Volatile,
                Some(HandlesName::Journalled) => Handles::Journalled,
            },
            lease_term: self.lease_term,
            hide_dots: self.hide_dots,
            insecure: self.insecure,
        };
        let is_said = self.protocol.is_some() || self.links.is_some();
        (is_said || entry != FilesEntry::default()).then_some(entry)
    }
}
