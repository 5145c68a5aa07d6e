//! The stateful service: files over SFTP version 3, on plain connections.
//!
//! Sources: draft-ietf-secsh-filexfer-02; OpenSSH's `PROTOCOL` for the extensions that mounts use; Gray and Cheriton 1989
//! for leases. SSH is left out: `sshfs -o directport=PORT` and `sftp -D` speak to it directly, and nobody else should reach it.
//!
//! | file | what |
//! |---|---|
//! | `wire.rs`, `wire/` | [`wire`]: packets, for servers and clients |
//! | `codec.rs` | [`SftpCodec`] |
//! | `site.rs` | [`Config`]; the directory and what belongs to it |
//! | `session.rs`, `budget.rs` | [`Session`]: what is remembered about one client, and how much that may be |
//! | `opened.rs`, `reading.rs`, `shared.rs` | files that are open: reading ahead, writing behind |
//! | `named.rs` | everything that goes by names |
//! | `extended.rs` | extensions |
//! | `kept.rs` | handles that outlive the server |
//! | `leases.rs` | leases |
//! | `path.rs`, `attributes.rs`, `refused.rs` | paths, attributes and errors in SFTP's words |
//!
//! What it does, and what its limits are, is in `docs/FILES.md`. It makes no links and changes no owners.

mod attributes;
mod budget;
mod codec;
mod extended;
mod kept;
mod leases;
mod named;
mod opened;
mod path;
mod reading;
mod refused;
mod session;
mod shared;
mod site;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use palco_service::{CallContext, CannotRelaunch, Peer, Relaunch, Remembers, Service};
use serde_json::json;

pub use codec::SftpCodec;
pub use refused::NO_PARENT;
pub use session::Session;
pub use site::{Config, Handles};

use crate::tree::FileId;
use crate::{Access, TreeError};
use leases::{Exclusive, Leases};
use refused::Refused;
use site::Site;
use wire::{Code, Extension, Reply, Request, Secret, WireError};

/// A packet as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    id: u32,
    request: Result<Request, WireError>,
}

/// What is sent for a request: one reply, or events as they come.
#[derive(Debug)]
pub struct Response {
    id: u32,
    /// What has not been sent yet.
    reply: Option<Reply>,
    events: Option<(Arc<Leases>, Secret)>,
}

/// Serves one directory.
#[derive(Debug)]
pub struct SftpService {
    site: Arc<Site>,
}

impl SftpService {
    /// Serves what is below the root. The directory is opened now: if the path is a link that later changes, the old
    /// directory is still served.
    ///
    /// # Errors
    /// [`TreeError`] if the root cannot be opened or is no directory, or if something is to be kept in it and cannot.
    pub fn new(config: impl Into<Config>) -> Result<Self, TreeError> {
        Ok(Self { site: Arc::new(Site::open(config.into())?) })
    }

    /// Refuses who wants to change something where nobody may.
    fn may_change(&self) -> Result<(), Refused> {
        match self.site.config.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Refused::read_only()),
        }
    }

    /// Waits until no other client has leases on these files.
    async fn exclusive(
        &self,
        files: Vec<FileId>,
        session: &Session,
        cx: &CallContext<'_>,
    ) -> Exclusive {
        match &self.site.leases {
            Some(leases) => leases.exclusive(files, session.client, cx).await,
            None => Exclusive::free(),
        }
    }

    async fn answer(
        &self,
        session: &mut Session,
        request: Request,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        if let Request::Init { .. } = request {
            session.has_begun = true;
            let extensions = Extension::ALL.iter().filter(|(name, _)| self.has(name));
            let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
            let extensions = extensions.map(|(name, data)| (bytes(name), bytes(data))).collect();
            return Ok(Reply::Version { version: wire::VERSION, extensions });
        }
        if !session.has_begun {
            return Err(Refused::new(Code::BadMessage, "the first packet must be INIT"));
        }
        match request {
            Request::Init { .. } => unreachable!("it has been answered"),
            Request::Open { path, flags, attributes } => {
                self.open_file(session, &path, flags, &attributes, cx).await
            }
            Request::Close { handle } => self.close_handle(session, &handle, cx).await,
            Request::Read { handle, offset, length } => {
                self.read(session, &handle, offset, length, cx).await
            }
            Request::Write { handle, offset, data } => {
                self.write(session, &handle, offset, data, cx).await
            }
            Request::LookOpen { handle } => self.look_open(session, &handle, cx).await,
            Request::SetOpen { handle, attributes } => {
                self.set_open(session, &handle, attributes, cx).await
            }
            Request::ReadDirectory { handle } => self.read_directory(session, &handle, cx).await,
            Request::Extended { name, fields } => self.extended(session, &name, fields, cx).await,
            Request::Unknown { kind } => {
                let text = format!("packets of type {kind} are not known");
                Err(Refused::new(Code::OperationUnsupported, text))
            }
            named => self.named(session, named, cx).await,
        }
    }

    /// Whether the extension is offered.
    fn has(&self, extension: &str) -> bool {
        let needs_leases = [
            "client@palco",
            "lease@palco",
            "renew@palco",
            "release@palco",
            "reclaim@palco",
            "events@palco",
        ];
        self.site.leases.is_some() || !needs_leases.contains(&extension)
    }

    /// Whose events are asked for, if they are.
    fn events_of(&self, request: &Request) -> Option<(Arc<Leases>, Secret)> {
        let Request::Extended { name, fields } = request else { return None };
        let leases = self.site.leases.as_ref()?;
        match Extension::decode(name, fields.clone()) {
            Ok(Some(Extension::Events { client })) => Some((Arc::clone(leases), client)),
            _ => None,
        }
    }
}

/// Does what may block.
async fn block<T: Send + 'static>(
    cx: &CallContext<'_>,
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    cx.block(work).await.unwrap_or_else(|| Err(Refused::broken()))
}

/// It is done.
fn done() -> Reply {
    Reply::Status { code: Code::Ok, text: String::new() }
}

impl From<PathBuf> for Config {
    fn from(root: PathBuf) -> Self {
        Self::read_only(root)
    }
}

impl Relaunch for SftpService {
    const NAME: &'static str = "sftp";
    type Config = Config;
    type Codec = SftpCodec;

    fn relaunch(config: &Config) -> Result<(Self, SftpCodec), CannotRelaunch> {
        let service = Self::new(config.clone()).map_err(CannotRelaunch::because)?;
        Ok((service, SftpCodec::default()))
    }

    fn read_paths(config: &Config) -> Vec<PathBuf> {
        vec![config.root.clone()]
    }

    fn write_paths(config: &Config) -> Vec<PathBuf> {
        match (config.access, config.handles) {
            (Access::ReadOnly, Handles::Volatile) => Vec::new(),
            _ => vec![config.root.clone()],
        }
    }
}

impl Service for SftpService {
    type Request = Asked;
    type Response = Response;
    type Session = Session;

    fn open(&self, _peer: &Peer) -> Session {
        Session::new(self.site.config.handles_max, self.site.config.state_bytes_max)
    }

    fn remembers(&self, session: &Session) -> Option<Remembers> {
        let remembers = session.remembers();
        Some(Arc::new(move || json!(remembers())))
    }

    fn takes_time(&self, asked: &Asked) -> bool {
        // A client that is to give a lease back may first want the answers that it is owed.
        let may_wait = asked.request.as_ref().is_ok_and(|request| {
            matches!(
                request,
                Request::Write { .. }
                    | Request::Open { .. }
                    | Request::Set { .. }
                    | Request::SetOpen { .. }
                    | Request::Remove { .. }
                    | Request::Rename { .. }
                    | Request::Extended { .. }
            )
        });
        may_wait && self.site.leases.as_ref().is_some_and(|leases| leases.are_used())
    }

    async fn call(&self, session: &mut Session, asked: Asked, cx: &CallContext<'_>) -> Response {
        let Asked { id, request } = asked;
        session::count(&session.seen.requests);
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                let why = Refused::new(Code::BadMessage, error.to_string());
                return Response { id, reply: Some(why.reply()), events: None };
            }
        };
        if session.has_begun
            && let Some(events) = self.events_of(&request)
        {
            return Response { id, reply: None, events: Some(events) };
        }
        let reply = self.answer(session, request, cx).await.unwrap_or_else(Refused::reply);
        Response { id, reply: Some(reply), events: None }
    }

    async fn more(&self, response: &mut Response, _cx: &CallContext<'_>) -> bool {
        let Some((leases, client)) = &response.events else { return false };
        let lease = leases.next_event(*client).await;
        response.reply = Some(Reply::Extended(wire::Answer::Event { lease }.encode()));
        true
    }

    /// What is late is written here, at most [`Config::state_bytes_max`].
    fn close(&self, session: Session) {
        for file in session.files() {
            file.shared.settle();
        }
    }
}
