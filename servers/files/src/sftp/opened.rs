//! Requests about files that are open.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use palco_service::CallContext;

use super::budget::Held;
use super::kept::{Kept, Record};
use super::path::within;
use super::reading;
use super::refused::Refused;
use super::session::{Open, OpenDirectory, OpenFile, Session, count, no_handle, secret_of};
use super::shared::Write;
use super::site::Site;
use super::wire::{Attributes, Code, DATA_BYTES_MAX, OpenFlags, Reply, Secret};
use super::{SftpService, attributes, block, done};
use crate::Opening;
use crate::tree::FileId;

/// The permissions of a file that is made without any.
const FILE_MODE: u32 = 0o666;

/// A file that has been opened and has no handle yet.
struct Opened {
    file: File,
    id: FileId,
    flags: OpenFlags,
    held: Held,
}

impl Opened {
    fn with_handle(self, site: &Site, kept: Option<Kept>) -> OpenFile {
        let Self { file, id, flags, held } = self;
        OpenFile {
            file: Arc::new(file),
            id,
            flags,
            shared: site.files.get(id),
            failure: Arc::default(),
            reading: Default::default(),
            kept,
            _held: held,
        }
    }
}

impl SftpService {
    pub(super) async fn open_file(
        &self,
        session: &mut Session,
        path: &[u8],
        flags: OpenFlags,
        wanted: &Attributes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        if !flags.read && !flags.write {
            return Err(Refused::new(Code::BadMessage, "a file is opened to be read or written"));
        }
        if flags.write {
            self.may_change()?;
        } else if flags.create || flags.truncate || flags.append {
            let text = "only a file that is opened to be written is made, emptied or appended to";
            return Err(Refused::new(Code::BadMessage, text));
        }
        let path = within(path)?;
        let held = session.room()?;
        let how = opening(flags, wanted.mode.unwrap_or(FILE_MODE));
        if !flags.write
            && self.site.keeper.is_none()
            && let Some((file, metadata)) = self.site.tree.read_at_once(&path)
        {
            let opened = Opened { file, id: FileId::of(&metadata), flags, held };
            let open = Open::File(Arc::new(opened.with_handle(&self.site, None)));
            return Ok(session.hand_out(Session::new_handle(), open));
        }
        let (site, at) = (Arc::clone(&self.site), path.clone());
        let (opened, is_new) = block(cx, move || {
            let (file, is_new) = site.tree.open_file(&at, how)?;
            let id = FileId::of(&file.metadata()?);
            Ok((Opened { file, id, flags, held }, is_new))
        })
        .await?;
        let is_emptied = flags.truncate && !is_new;
        let exclusive = match is_emptied {
            true => Some(self.exclusive(vec![opened.id], session, cx).await),
            false => None,
        };
        let handle = Session::new_handle();
        let site = Arc::clone(&self.site);
        let open = block(cx, move || {
            if is_emptied {
                site.files.get(opened.id).settle();
                opened.file.set_len(0)?;
            }
            drop(exclusive);
            let kept = match &site.keeper {
                Some(keeper) => {
                    let record = Record::of(&path, flags.bits(), &opened.file.metadata()?);
                    Some(keeper.keep(handle, &record)?)
                }
                None => None,
            };
            Ok(opened.with_handle(&site, kept))
        });
        Ok(session.hand_out(handle, Open::File(Arc::new(open.await?))))
    }

    /// What a handle means; one that nobody has and that is kept becomes this connection's.
    pub(super) async fn opened(
        &self,
        session: &mut Session,
        handle: &Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Open, Refused> {
        let handle = secret_of(handle)?;
        if let Some(open) = session.get(handle) {
            return Ok(open.clone());
        }
        if self.site.keeper.is_none() {
            return Err(no_handle());
        }
        let held = session.room()?;
        let site = Arc::clone(&self.site);
        let file = block(cx, move || adopt(&site, handle, held)).await?;
        let open = Open::File(Arc::new(file));
        session.insert(handle, open.clone());
        Ok(open)
    }

    pub(super) async fn opened_file(
        &self,
        session: &mut Session,
        handle: &Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Arc<OpenFile>, Refused> {
        let Open::File(file) = self.opened(session, handle, cx).await? else {
            return Err(Refused::failure("this handle is that of a directory"));
        };
        // What was answered and could not be written.
        file.failure.take()?;
        Ok(file)
    }

    pub(super) async fn opened_directory(
        &self,
        session: &mut Session,
        handle: &Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Arc<OpenDirectory>, Refused> {
        match self.opened(session, handle, cx).await? {
            Open::Directory(directory) => Ok(directory),
            Open::File(_) => Err(Refused::failure("this handle is that of a file")),
        }
    }

    pub(super) async fn close_handle(
        &self,
        session: &mut Session,
        handle: &Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        self.opened(session, handle, cx).await?;
        let Some(Open::File(file)) = session.remove(secret_of(handle)?) else { return Ok(done()) };
        if file.kept.is_none() && !file.shared.is_late() {
            file.failure.take()?;
            return Ok(done());
        }
        block(cx, move || {
            file.shared.settle();
            if let Some(kept) = &file.kept {
                kept.forget()?;
            }
            Ok(file.failure.take()?)
        })
        .await?;
        Ok(done())
    }

    pub(super) async fn read(
        &self,
        session: &mut Session,
        handle: &Bytes,
        offset: u64,
        length: u32,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let open = self.opened_file(session, handle, cx).await?;
        if !open.flags.read {
            return Err(Refused::new(Code::PermissionDenied, "the file is not open to be read"));
        }
        count(&session.seen.reads);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(DATA_BYTES_MAX);
        let is_late = open.shared.is_late();
        let wanted = {
            let mut reading = open.reading.lock();
            if !is_late && let Some(bytes) = reading.hit(&open.file, offset, length) {
                count(&session.seen.reads_ahead);
                return Ok(Reply::Data(bytes));
            }
            reading.want(offset, length, self.site.config.ahead_bytes_max)
        };
        let budget = Arc::clone(&session.budget);
        let at_once = if is_late { None } else { reading::read_at_once(&open.file, wanted) };
        let bytes = match at_once {
            Some(read) => open.keep(wanted, &read, &budget),
            None => {
                let wait = move || {
                    open.shared.settle();
                    let read = reading::read(&open.file, wanted)?;
                    Ok(open.keep(wanted, &read, &budget))
                };
                block(cx, wait).await?
            }
        };
        match bytes {
            bytes if bytes.is_empty() => Err(Refused::new(Code::Eof, "the file ends here")),
            bytes => Ok(Reply::Data(bytes)),
        }
    }

    pub(super) async fn write(
        &self,
        session: &mut Session,
        handle: &Bytes,
        offset: u64,
        data: Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        let open = self.opened_file(session, handle, cx).await?;
        if !open.flags.write {
            return Err(Refused::new(Code::PermissionDenied, "the file is not open to be written"));
        }
        if offset.checked_add(data.len() as u64).is_none_or(|end| i64::try_from(end).is_err()) {
            return Err(Refused::failure("no file is so long"));
        }
        count(&session.seen.writes);
        let exclusive = self.exclusive(vec![open.id], session, cx).await;
        let behind = if open.flags.append { 0 } else { self.site.behind_bytes_max() };
        let write = Write { file: &open.file, offset, bytes: &data, failure: &open.failure };
        if behind > 0 && open.shared.put_off(&write, behind, &session.budget) {
            count(&session.seen.writes_behind);
            return Ok(done());
        }
        let budget = Arc::clone(&session.budget);
        block(cx, move || {
            let write = Write { file: &open.file, offset, bytes: &data, failure: &open.failure };
            open.shared.settle();
            open.failure.take()?;
            // What did not follow what was late may begin anew.
            let is_put_off =
                data.len() < behind / 2 && open.shared.put_off(&write, behind, &budget);
            if !is_put_off {
                open.shared.write(&write)?;
            }
            drop(exclusive);
            Ok(done())
        })
        .await
    }

    pub(super) async fn look_open(
        &self,
        session: &mut Session,
        handle: &Bytes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        match self.opened(session, handle, cx).await? {
            Open::Directory(directory) => self.look(&directory.path, cx).await,
            Open::File(open) => {
                block(cx, move || {
                    open.shared.settle();
                    open.failure.take()?;
                    Ok(Reply::Attributes(attributes::of(&open.file.metadata()?)))
                })
                .await
            }
        }
    }

    pub(super) async fn set_open(
        &self,
        session: &mut Session,
        handle: &Bytes,
        wanted: Attributes,
        cx: &CallContext<'_>,
    ) -> Result<Reply, Refused> {
        self.may_change()?;
        let open = self.opened_file(session, handle, cx).await?;
        if wanted.size.is_some() && !open.flags.write {
            return Err(Refused::new(Code::PermissionDenied, "the file is not open to be written"));
        }
        let exclusive = self.exclusive(vec![open.id], session, cx).await;
        block(cx, move || {
            open.shared.settle();
            open.failure.take()?;
            attributes::set(&open.file, &wanted)?;
            drop(exclusive);
            Ok(done())
        })
        .await
    }
}

fn opening(flags: OpenFlags, mode: u32) -> Opening {
    Opening {
        read: flags.read,
        write: flags.write,
        append: flags.append,
        create: flags.create.then_some(mode),
        exclusive: flags.exclusive && flags.create,
    }
}

/// Opens the file of a kept handle again, if it is still the same. Blocks.
fn adopt(site: &Site, handle: Secret, held: Held) -> Result<OpenFile, Refused> {
    let keeper = site.keeper.as_ref().ok_or_else(no_handle)?;
    let (record, kept) = keeper.adopt(handle)?.ok_or_else(no_handle)?;
    let flags = OpenFlags::from_bits(record.flags);
    let again = OpenFlags { create: false, exclusive: false, truncate: false, ..flags };
    let path = Path::new(OsStr::from_bytes(&record.path));
    let stale = || Refused::failure("the handle is stale: its file has another name now, or none");
    let (file, _) = site.tree.open_file(path, opening(again, 0)).map_err(|_| stale())?;
    let metadata = file.metadata()?;
    if Record::of(path, record.flags, &metadata) != record {
        return Err(stale());
    }
    let id = record.file;
    Ok(Opened { file, id, flags, held }.with_handle(site, Some(kept)))
}
