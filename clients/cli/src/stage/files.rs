//! How service `files` is served: its part of `palco serve files` and of a stage file.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use palco_files::http::{Config, Keys};
use palco_files::{Access, Links};
use serde::Deserialize;

/// How clients reach the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FileProtocol {
    /// HTTP/1.1: stateless; every request is complete in itself.
    #[default]
    Http,
}

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LinksName {
    /// They are followed beneath the directory.
    Beneath,
    /// None is followed.
    Refuse,
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
    /// Clients from elsewhere can change files, though nobody knows who they are.
    pub(crate) insecure: bool,
}

impl FilesEntry {
    /// Refuses to let everybody on the network write; `listen` is none where nobody knows who connects.
    pub(crate) fn check(&self, listen: Option<SocketAddr>) -> Result<()> {
        let is_private = listen.is_some_and(|listen| listen.ip().is_loopback());
        ensure!(
            is_private || self.read_only || self.insecure,
            "over plain {}, everybody who reaches {} could change the files: listen on loopback, or say --read-only, or \
             --insecure if that is what you want (`read-only` or `insecure` in [server.files])",
            match self.protocol {
                FileProtocol::Http => "HTTP",
            },
            listen.map_or_else(|| "the activator".to_owned(), |listen| listen.to_string()),
        );
        Ok(())
    }

    /// What the service is made from.
    pub(crate) fn http(&self, root: PathBuf) -> Config {
        let access = if self.read_only { Access::ReadOnly } else { Access::ReadWrite };
        let (links, keys) = (self.links, self.keys);
        let conditions_required = self.conditions_required;
        Config { access, links, keys, conditions_required, ..Config::read_only(root) }
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
            insecure: self.insecure,
        };
        let is_said = self.protocol.is_some() || self.links.is_some();
        (is_said || entry != FilesEntry::default()).then_some(entry)
    }
}
