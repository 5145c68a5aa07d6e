//! Requests that go by names.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use nix::dir::Dir;
use palco_service::CallContext;
use parking_lot::Mutex;

use super::path::{absolute, within};
use super::refused::Refused;
use super::session::{Open, OpenDirectory, Session};
use super::site::Site;
use super::wire::{Attributes, Code, Name, Reply, Request};
use super::{SftpService, attributes, block, done};
use crate::tree::FileId;
use crate::{Existing, TreeError};

/// The permissions of a directory that is made without any.
const DIRECTORY_MODE: u32 = 0o777;
/// The most names of one reply: 128. With the longest they fit a packet.
const NAMES_MAX: usize = 128;

impl SftpService {
    pub(super) async fn named(
        &self,
        session: &mut Session,
        request: Request,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        match request {
            Request::Look { path } => self.look(&within(&path)?, cx).await,
            Request::LookLink { path } => {
                let path = within(&path)?;
                self.on_tree(cx, move |site| look(site, &path, |path| site.tree.look_link(path)))
                    .await
            }
            Request::RealPath { path } => {
                let name = absolute(&within(&path)?);
                let attributes = Attributes::default();
                Ok(Reply::Names(vec![Name { line: name.clone(), name, attributes }]))
            }
            Request::ReadLink { path } => {
                let path = within(&path)?;
                self.on_tree(cx, move |site| {
                    let name = attributes::file_name(&site.tree.read_link(&path)?);
                    let attributes = Attributes::default();
                    Ok(Reply::Names(vec![Name { line: name.clone(), name, attributes }]))
                })
                .await
            }
            Request::OpenDirectory { path } => {
                self.open_directory(session, within(&path)?, cx).await
            }
            Request::Set { path, attributes } => {
                self.may_change()?;
                self.set(session, within(&path)?, attributes, cx).await
            }
            Request::Remove { path } => {
                self.may_change()?;
                self.remove(session, within(&path)?, cx).await
            }
            Request::MakeDirectory { path, attributes } => {
                self.may_change()?;
                let (path, mode) = (within(&path)?, attributes.mode.unwrap_or(DIRECTORY_MODE));
                self.on_tree(cx, move |site| {
                    site.tree.make_directory(&path, mode)?;
                    Ok(done())
                })
                .await
            }
            Request::RemoveDirectory { path } => {
                self.may_change()?;
                let path = within(&path)?;
                self.on_tree(cx, move |site| {
                    site.tree.remove_directory(&path)?;
                    Ok(done())
                })
                .await
            }
            Request::Rename { from, to } => {
                self.rename(session, &from, &to, Existing::Kept, cx).await
            }
            Request::MakeLink { .. } => {
                Err(Refused::new(Code::OperationUnsupported, "this server makes no links"))
            }
            _ => Err(Refused::new(Code::OperationUnsupported, "this is no request about names")),
        }
    }

    /// Does what may block with the tree.
    async fn on_tree<T: Send + 'static>(
        &self,
        cx: &CallContext<'_>,
        work: impl FnOnce(&Site) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let site = Arc::clone(&self.site);
        block(cx, move || work(&site)).await
    }

    pub(super) async fn look(&self, path: &Path, cx: &CallContext<'_>) -> Result<Reply, Refused> {
        let path = path.to_owned();
        self.on_tree(cx, move |site| look(site, &path, |path| site.tree.look(path))).await
    }

    async fn open_directory(
        &self,
        session: &mut Session,
        path: PathBuf,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let held = session.room()?;
        let open = self.on_tree(cx, move |site| {
            let (directory, metadata) = site.tree.read(&path)?;
            if !metadata.is_dir() {
                return Err(Refused::failure("this is no directory"));
            }
            let entries = Mutex::new(Dir::from_fd(directory.into())?.into_iter());
            Ok(OpenDirectory { path, entries, _held: held })
        });
        let open = Open::Directory(Arc::new(open.await?));
        let handle = Session::new_handle();
        Ok(session.hand_out(handle, open))
    }

    pub(super) async fn read_directory(
        &self,
        session: &mut Session,
        handle: &Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let directory = self.opened_directory(session, handle, cx).await?;
        let names = self.on_tree(cx, move |site| names(site, &directory)).await?;
        match names.is_empty() {
            true => Err(Refused::new(Code::Eof, "the directory has no more names")),
            false => Ok(Reply::Names(names)),
        }
    }

    async fn set(
        &self,
        session: &Session,
        path: PathBuf,
        wanted: Attributes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let opened = self.on_tree(cx, move |site| {
            let opened = match wanted.size {
                Some(_) => site.tree.write(&path),
                None => site.tree.read(&path),
            };
            Ok(opened?)
        });
        let (file, metadata) = opened.await?;
        let id = FileId::of(&metadata);
        let exclusive = self.exclusive(vec![id], session, cx).await;
        self.on_tree(cx, move |site| {
            settle(site, id);
            attributes::set(&file, &wanted)?;
            drop(exclusive);
            Ok(done())
        })
        .await
    }

    async fn remove(
        &self,
        session: &Session,
        path: PathBuf,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let at = path.clone();
        let id = self.on_tree(cx, move |site| Ok(FileId::of(&site.tree.look_link(&at)?))).await?;
        let exclusive = self.exclusive(vec![id], session, cx).await;
        self.on_tree(cx, move |site| {
            site.tree.remove(&path)?;
            drop(exclusive);
            Ok(done())
        })
        .await
    }

    /// Whoever has leases on either file, as it was found by its name, gives them back first.
    pub(super) async fn rename(
        &self,
        session: &Session,
        from: &[u8],
        to: &[u8],
        existing: Existing,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        self.may_change()?;
        let (from, to) = (within(from)?, within(to)?);
        let (old, new) = (from.clone(), to.clone());
        let ids = self.on_tree(cx, move |site| {
            let mut ids = vec![FileId::of(&site.tree.look_link(&old)?)];
            ids.extend(site.tree.look_link(&new).ok().as_ref().map(FileId::of));
            Ok(ids)
        });
        let exclusive = self.exclusive(ids.await?, session, cx).await;
        self.on_tree(cx, move |site| {
            site.tree.rename(&from, &to, existing)?;
            drop(exclusive);
            Ok(done())
        })
        .await
    }
}

/// Writes what is late of a file that somebody has open.
fn settle(site: &Site, id: FileId) {
    if let Some(shared) = site.files.is_late(id) {
        shared.settle();
    }
}

fn look(
    site: &Site,
    path: &Path,
    look: impl Fn(&Path) -> Result<Metadata, TreeError>,
) -> Result<Reply, Refused> {
    let mut metadata = look(path)?;
    if let Some(shared) = site.files.is_late(FileId::of(&metadata)) {
        shared.settle();
        metadata = look(path)?;
    }
    Ok(Reply::Attributes(attributes::of(&metadata)))
}

/// The next names of a directory; none at its end.
fn names(site: &Site, directory: &OpenDirectory) -> Result<Vec<Name>, Refused> {
    use std::os::unix::ffi::OsStrExt;

    let mut names = Vec::new();
    let mut entries = directory.entries.lock();
    while names.len() < NAMES_MAX {
        let Some(entry) = entries.next() else { break };
        let entry = entry?;
        let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." || !site.tree.is_shown(name) {
            continue;
        }
        // What has gone meanwhile, or is not served, is left out.
        let path = directory.path.join(name);
        let Ok(metadata) = site.tree.look_link(&path) else { continue };
        settle(site, FileId::of(&metadata));
        names.push(attributes::name(Bytes::copy_from_slice(name.as_bytes()), &metadata));
    }
    Ok(names)
}
