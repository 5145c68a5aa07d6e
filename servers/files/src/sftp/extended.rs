//! Extensions.

use std::sync::Arc;

use bytes::Bytes;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use palco_service::CallContext;

use super::leases::Leases;
use super::path::within;
use super::refused::Refused;
use super::session::Session;
use super::wire::{Answer, Code, DATA_BYTES_MAX, Extension, PACKET_BYTES_MAX, Reply, Secret};
use super::{SftpService, attributes, block, done};
use crate::Existing;
use crate::tree::FileId;

impl SftpService {
    pub(super) async fn extended(
        &self,
        session: &mut Session,
        name: &[u8],
        fields: Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let unsupported = || {
            let text = format!("there is no extension `{}` here", String::from_utf8_lossy(name));
            Refused::new(Code::OperationUnsupported, text)
        };
        let extension = Extension::decode(name, fields)
            .map_err(|error| Refused::new(Code::BadMessage, error.to_string()))?
            .ok_or_else(unsupported)?;
        match extension {
            Extension::Sync { handle } => {
                let open = self.opened_file(session, &handle, cx).await?;
                block(cx, move || {
                    open.shared.settle();
                    open.failure.take()?;
                    open.file.sync_all()?;
                    Ok(done())
                })
                .await
            }
            Extension::RenameOver { from, to } => {
                self.rename(session, &from, &to, Existing::Replaced, cx).await
            }
            Extension::Space { path } => self.space(&path, cx).await,
            Extension::Limits => {
                let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
                Ok(extended(&Answer::Limits {
                    packet: number(PACKET_BYTES_MAX),
                    read: number(DATA_BYTES_MAX),
                    write: number(DATA_BYTES_MAX),
                    handles: number(self.site.config.handles_max),
                }))
            }
            Extension::State => Ok(extended(&Answer::State(session.remembers()()))),
            about_leases => match self.site.leases.clone() {
                Some(leases) => self.lease(session, &leases, about_leases, cx).await,
                None => Err(unsupported()),
            },
        }
    }

    async fn lease(
        &self,
        session: &mut Session,
        leases: &Arc<Leases>,
        extension: Extension,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        if let Extension::Client { client } = extension {
            session.client = Some(client);
            return Ok(done());
        }
        let client: Secret = session.client.ok_or_else(|| {
            Refused::failure("say with client@palco first whose leases these are")
        })?;
        let (site, leases) = (Arc::clone(&self.site), Arc::clone(leases));
        match extension {
            Extension::Lease { handle, wanted_ms } => {
                let open = self.opened_file(session, &handle, cx).await?;
                block(cx, move || {
                    site.note_grant()?;
                    let mut version = Ok(0);
                    let answer = leases.grant(client, open.id, wanted_ms, || {
                        open.shared.settle();
                        version =
                            open.file.metadata().map(|metadata| attributes::version(&metadata));
                        version.as_ref().copied().unwrap_or_default()
                    });
                    version?;
                    Ok(extended(&answer))
                })
                .await
            }
            Extension::Reclaim { path, version, wanted_ms } => {
                let path = within(&path)?;
                block(cx, move || {
                    let metadata = site.tree.look(&path)?;
                    if attributes::version(&metadata) != version {
                        return Err(Refused::failure("the file has changed since"));
                    }
                    site.note_grant()?;
                    let id = FileId::of(&metadata);
                    let answer = leases.reclaim(client, id, wanted_ms, version);
                    let over =
                        || Refused::failure("leases are not reclaimed any more: ask for one");
                    Ok(extended(&answer.ok_or_else(over)?))
                })
                .await
            }
            Extension::Renew => Ok(extended(&leases.renew(client))),
            Extension::Release { lease } => {
                leases.release(client, lease);
                Ok(done())
            }
            _ => Err(Refused::failure("this is not about leases")),
        }
    }

    async fn space(&self, path: &[u8], cx: &CallContext<'_>) -> Result<Reply, Refused> {
        let path = within(path)?;
        let site = Arc::clone(&self.site);
        block(cx, move || {
            let (file, _) = site.tree.read(&path)?;
            let of = fstatvfs(&file)?;
            Ok(extended(&Answer::Space {
                block: of.fragment_size(),
                blocks: [of.blocks(), of.blocks_free(), of.blocks_available()],
                files: [of.files(), of.files_free(), of.files_available()],
                id: of.filesystem_id(),
                flags: u64::from(of.flags().contains(FsFlags::ST_RDONLY)),
                name_max: of.name_max(),
            }))
        })
        .await
    }
}

fn extended(answer: &Answer) -> Reply {
    Reply::Extended(answer.encode())
}
