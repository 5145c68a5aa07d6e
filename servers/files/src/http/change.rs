//! Requests that change something: `PUT`, `POST` (append) and `DELETE`. Everything here may block.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::{UnlinkatFlags, unlinkat};
use sha2::{Digest, Sha256};

use super::journal::{Locked, Record};
use super::request::{Key, Length, Method, Request};
use super::response::{JSON, Response};
use super::site::Site;
use super::tags::Version;
use super::target::Target;
use super::upload::{Upload, too_large};
use super::{Keys, Refusal, Status, refusal};
use crate::{Existing, TreeErrorKind};

/// Prepares what takes the content of a request, or says why none is wanted.
pub(super) fn begin(site: &Site, request: &Request) -> Result<Upload, Refusal> {
    let path = path(request)?;
    let announced = match request.length {
        Length::Bytes(length) => length,
        Length::Chunked => 0,
    };
    if announced > site.config.content_bytes_max {
        return Err(too_large());
    }
    let (staged, key) = if request.method == Method::Post {
        let key = reserve(site, request, &path)?;
        there(site, &path)?.ok_or(Status::NotFound)?;
        (site.journal()?.stage(&path), key)
    } else {
        check(site, request, there(site, &path)?.as_ref())?;
        (site.tree.stage(&path), None)
    };
    let staged = staged.map_err(|error| refusal(&error))?;
    if announced > staged.space().map_err(|error| refusal(&error))? {
        return Err(full());
    }
    Ok(Upload::new(staged, key, site.config.content_bytes_max))
}

/// Does what is asked. `upload` is the content of a `PUT` or `POST`.
pub(super) fn finish(
    site: &Site,
    request: &Request,
    upload: Option<Upload>,
    now: SystemTime,
) -> Result<Response, Refusal> {
    let path = path(request)?;
    let locked = site.journal()?.lock(&site.tree).map_err(|error| failed(&error))?;
    match (request.method, upload) {
        (Method::Put, Some(upload)) => put(site, request, &path, upload, now),
        (Method::Post, Some(upload)) => append(site, &locked, request, &path, upload, now),
        (Method::Delete, _) => delete(site, request, &path, now),
        _ => Err(Status::InternalServerError.into()),
    }
}

fn put(
    site: &Site,
    request: &Request,
    path: &Path,
    upload: Upload,
    now: SystemTime,
) -> Result<Response, Refusal> {
    // Again: much may have happened while the content came.
    let before = there(site, path)?;
    check(site, request, before.as_ref())?;
    let existing = if before.is_none() || request.conditions.only_creates() {
        Existing::Kept
    } else {
        Existing::Replaced
    };
    upload.staged.publish(existing, site.config.durable).map_err(|error| match error.kind() {
        TreeErrorKind::Exists if request.conditions.only_creates() => {
            Status::PreconditionFailed.into()
        }
        TreeErrorKind::Exists => Refusal {
            status: Status::Conflict,
            detail: "Something else has this name: a link, or no regular file.",
        },
        _ => refusal(&error),
    })?;
    let status = if before.is_none() { Status::Created } else { Status::NoContent };
    Ok(Response::empty(request, now, status))
}

fn append(
    site: &Site,
    locked: &Locked<'_>,
    request: &Request,
    path: &Path,
    upload: Upload,
    now: SystemTime,
) -> Result<Response, Refusal> {
    let Upload { staged, key, length, .. } = upload;
    let (reservation, fingerprint) = key.unzip();
    let fingerprint = fingerprint.map(|digest| hex(&digest.finalize())).unwrap_or_default();
    let digest = reservation.as_ref().map(|reservation| &*reservation.digest);
    if let Some(digest) = digest
        && let Some(done) = locked.done(digest).map_err(|error| failed(&error))?
    {
        if *done.fingerprint != *fingerprint {
            return Err(Refusal {
                status: Status::UnprocessableContent,
                detail: "This idempotency key was used for another request; take a new one.",
            });
        }
        let mut response = appended(request, &done, now);
        response.add("Idempotency-Replayed", "true");
        return Ok(response);
    }
    let (file, metadata) = site.tree.write(path).map_err(|error| refusal(&error))?;
    check(site, request, Some(&Version::of(&metadata)))?;
    let record = Record::new(digest, &fingerprint, path, &metadata, length);
    locked.append(&record, &staged, &file).map_err(|error| failed(&error))?;
    Ok(appended(request, &record, now))
}

fn appended(request: &Request, record: &Record, now: SystemTime) -> Response {
    let (offset, length) = (record.offset, record.length);
    let text = format!("{{\"offset\":{offset},\"length\":{length}}}\n");
    Response::new(request, now, Status::Ok, JSON, text)
}

fn delete(
    site: &Site,
    request: &Request,
    path: &Path,
    now: SystemTime,
) -> Result<Response, Refusal> {
    let there = there(site, path)?.ok_or(Status::NotFound)?;
    check(site, request, Some(&there))?;
    let (directory, name) = site.tree.parent(path).map_err(|error| refusal(&error))?;
    let removed = unlinkat(&directory, &name, UnlinkatFlags::NoRemoveDir);
    removed.map_err(|errno| refusal(&crate::TreeError::of(path, errno)))?;
    if site.config.durable {
        directory.sync_all().map_err(|error| failed(&error))?;
    }
    Ok(Response::empty(request, now, Status::NoContent))
}

/// The path that a request changes.
fn path(request: &Request) -> Result<PathBuf, Refusal> {
    let bad = |detail| Refusal { status: Status::BadRequest, detail };
    let target = Target::parse(&request.target)?;
    if target.is_root() || target.is_directory() {
        return Err(not_a_file());
    }
    if request.conditions.is_invalid() {
        return Err(bad("If-Match and If-None-Match take * or a list of quoted tags."));
    }
    if request.is_partial {
        return Err(bad("Content-Range has no meaning here: send the whole file."));
    }
    Ok(target.path())
}

/// The version of the file at `path`, if there is one.
fn there(site: &Site, path: &Path) -> Result<Option<Version>, Refusal> {
    match site.tree.look(path) {
        Ok(metadata) if metadata.is_dir() => Err(not_a_file()),
        Ok(metadata) => Ok(Some(Version::of(&metadata))),
        Err(error) if error.kind() == TreeErrorKind::NotFound => Ok(None),
        Err(error) => Err(refusal(&error)),
    }
}

/// Refuses a request whose preconditions do not hold, or which has none and needs one.
fn check(site: &Site, request: &Request, there: Option<&Version>) -> Result<(), Refusal> {
    if let Some(status) = request.conditions.status(there, false) {
        return Err(status.into());
    }
    let is_blind = there.is_some() && !request.conditions.names_a_version();
    if site.config.conditions_required && is_blind {
        return Err(Refusal {
            status: Status::PreconditionRequired,
            detail: "Say with If-Match or If-Unmodified-Since which version is meant.",
        });
    }
    Ok(())
}

/// Takes the key of a `POST` for this request alone; with it begins what makes two requests the same.
fn reserve(
    site: &Site,
    request: &Request,
    path: &Path,
) -> Result<Option<(super::journal::Reservation, Sha256)>, Refusal> {
    let bad = |detail| Refusal { status: Status::BadRequest, detail };
    let key = match (&request.key, site.config.keys) {
        (Key::Is(key), _) => key,
        (Key::Missing, Keys::Optional) => return Ok(None),
        (Key::Missing, Keys::Required) => {
            return Err(bad("Send an Idempotency-Key, so that a repeated append is done once."));
        }
        (Key::Invalid, _) => {
            return Err(bad("Idempotency-Key is one string in quotes, of 1 to 255 characters."));
        }
    };
    let digest = hex(&Sha256::digest(key.as_bytes()));
    let reserved = site.journal()?.reserve(&digest).map_err(|error| failed(&error))?;
    let Some(reserved) = reserved else {
        return Err(Refusal {
            status: Status::Conflict,
            detail: "A request with this idempotency key is being served; try again later.",
        });
    };
    let mut fingerprint = Sha256::new();
    fingerprint.update(path.as_os_str().as_encoded_bytes());
    fingerprint.update([0]);
    Ok(Some((reserved, fingerprint)))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string grows");
    }
    text
}

fn not_a_file() -> Refusal {
    Refusal { status: Status::MethodNotAllowed, detail: "This is a directory." }
}

fn full() -> Refusal {
    Refusal { status: Status::InsufficientStorage, detail: "The disk is full." }
}

fn failed(error: &std::io::Error) -> Refusal {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => full(),
        _ => Status::InternalServerError.into(),
    }
}
