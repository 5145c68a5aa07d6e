//! What the replies of an SFTP server mean.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{Answer, Attributes, Code, Name, Reply};

use super::super::transport::{Grant, LeaseAnswer};
use super::super::{Entry, FileError, FileKind, Metadata, Version};
use super::{REQUEST_BYTES_MAX, no_leases};

/// What a reply says of the handle that was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    /// The server knows it.
    Known,
    /// It is that of another connection, which may be the one that was lost.
    Busy,
    /// The server does not know it.
    Lost,
}

/// Version 3 of the protocol has no code for these, so the words of the server must do.
const OF_ANOTHER: &str = "another connection has this handle";
const LOST: [&str; 2] = ["no such handle", "the handle is stale"];

/// With `is_old`, any failure is taken for its loss: the handle is older than the connection, and other servers have other
/// words.
pub(super) fn of_handle(reply: &Reply, is_old: bool) -> Said {
    match reply {
        Reply::Status { code: Code::Failure, text } if text.contains(OF_ANOTHER) => Said::Busy,
        Reply::Status { code: Code::Failure, text }
            if is_old || LOST.iter().any(|lost| text.contains(lost)) =>
        {
            Said::Lost
        }
        _ => Said::Known,
    }
}

/// The words of a status that is not good.
pub(super) fn text(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Status { code: Code::Ok | Code::Eof, .. } => None,
        Reply::Status { text, .. } => Some(text.clone()),
        _ => None,
    }
}

/// A status must be good; any other reply is none to this.
pub(super) fn done(what: &'static str, path: &str, reply: Reply) -> Result<(), FileError> {
    match reply {
        Reply::Status { code: Code::Ok, .. } => Ok(()),
        other => Err(refused(what, path, other)),
    }
}

pub(super) fn refused(what: &'static str, path: &str, reply: Reply) -> FileError {
    let path = path.to_owned();
    match reply {
        Reply::Status { code: Code::NoSuchFile, .. } => FileError::NotFound { path },
        Reply::Status { code: Code::PermissionDenied, text } => FileError::Denied { path, text },
        Reply::Status { code, text } => {
            let text = format!("{text} (status {})", code.number());
            FileError::Refused { what, path, text }
        }
        other => FileError::unexpected(&path, format!("{what} is answered by {}", name(&other))),
    }
}

fn name(reply: &Reply) -> &'static str {
    match reply {
        Reply::Version { .. } => "VERSION",
        Reply::Status { .. } => "STATUS",
        Reply::Handle(_) => "HANDLE",
        Reply::Data(_) => "DATA",
        Reply::Names(_) => "NAME",
        Reply::Attributes(_) => "ATTRS",
        Reply::Extended(_) => "EXTENDED_REPLY",
    }
}

pub(super) fn expect_handle(
    what: &'static str,
    path: &str,
    reply: Reply,
) -> Result<Bytes, FileError> {
    match reply {
        Reply::Handle(handle) => Ok(handle),
        other => Err(refused(what, path, other)),
    }
}

pub(super) fn metadata(
    what: &'static str,
    path: &str,
    reply: Reply,
) -> Result<Metadata, FileError> {
    match reply {
        Reply::Attributes(attributes) => Ok(known(&attributes)),
        other => Err(refused(what, path, other)),
    }
}

fn known(attributes: &Attributes) -> Metadata {
    let kind = kind(attributes);
    let size = if kind == FileKind::Directory { 0 } else { attributes.size.unwrap_or(0) };
    let modified_s = attributes.times.map(|(_, modified)| modified);
    let version = match (kind, modified_s) {
        (FileKind::File, Some(modified_s)) => {
            Version::of_times(modified_s, size, SystemTime::now())
        }
        _ => Version::missing(),
    };
    let date = |seconds: u32| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    Metadata { kind, size, modified: modified_s.map(date), version }
}

/// Servers that say nothing of the mode have regular files only.
fn kind(attributes: &Attributes) -> FileKind {
    match attributes.mode.map(|mode| mode & 0o170_000) {
        None | Some(0o100_000) => FileKind::File,
        Some(0o040_000) => FileKind::Directory,
        Some(_) => FileKind::Other,
    }
}

/// `.` and `..` are in every directory.
pub(super) fn entry(name: Name) -> Option<Entry> {
    if matches!(&name.name[..], b"." | b"..") {
        return None;
    }
    let Metadata { kind, size, modified, .. } = known(&name.attributes);
    Some(Entry { name: String::from_utf8_lossy(&name.name).into_owned(), kind, size, modified })
}

/// The bytes of reads in a row that asked for `length`, up to the first that has fewer than it asked for; whether the file
/// ends there.
pub(super) fn joined(
    path: &str,
    length: usize,
    replies: impl Iterator<Item = Reply>,
) -> Result<(Bytes, bool), FileError> {
    let mut bytes = BytesMut::new();
    for reply in replies {
        match reply {
            Reply::Data(data) => {
                let asked = REQUEST_BYTES_MAX.min(length - bytes.len());
                if data.is_empty() || data.len() > asked {
                    let why = format!("{} bytes for {asked}", data.len());
                    return Err(FileError::unexpected(path, why));
                }
                bytes.extend_from_slice(&data);
                if data.len() < asked {
                    return Ok((bytes.freeze(), false));
                }
            }
            Reply::Status { code: Code::Eof, .. } => return Ok((bytes.freeze(), true)),
            // What was read before it is good; the next read meets the same.
            other if bytes.is_empty() => return Err(refused("a read", path, other)),
            _ => break,
        }
    }
    Ok((bytes.freeze(), false))
}

pub(super) fn lease(path: &str, reply: Reply) -> Result<LeaseAnswer, FileError> {
    let fields = match reply {
        Reply::Extended(fields) => fields,
        Reply::Status { code: Code::OperationUnsupported, .. } => return Err(no_leases()),
        other => return Err(refused("a lease", path, other)),
    };
    let wrong = |why: String| FileError::unexpected(path, why);
    match Answer::decode_lease(fields).map_err(|error| wrong(error.to_string()))? {
        Answer::Lease { granted_ms: 0, retry_ms, .. } => {
            Ok(LeaseAnswer::NotNow(Duration::from_millis(retry_ms.into())))
        }
        Answer::Lease { granted_ms, version, lease, .. } => {
            let term = Duration::from_millis(granted_ms.into());
            Ok(LeaseAnswer::Granted(Grant { lease, version, term }))
        }
        _ => Err(wrong("it is no lease".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: Code, text: &str) -> Reply {
        Reply::Status { code, text: text.to_owned() }
    }

    fn data(length: usize) -> Reply {
        Reply::Data(vec![7; length].into())
    }

    #[test]
    fn a_handle_is_lost_if_the_server_says_so_or_fails_with_an_old_one() {
        let failure = |text| status(Code::Failure, text);
        assert_eq!(of_handle(&failure("no such handle: it was closed"), false), Said::Lost);
        let stale = "the handle is stale: its file has another name now, or none";
        assert_eq!(of_handle(&failure(stale), false), Said::Lost);
        assert_eq!(of_handle(&failure("another connection has this handle"), true), Said::Busy);
        assert_eq!(of_handle(&failure("Failure"), true), Said::Lost);
        assert_eq!(of_handle(&failure("the disk is full"), false), Said::Known);
        assert_eq!(of_handle(&status(Code::Eof, ""), true), Said::Known);
    }

    #[test]
    fn reads_in_a_row_end_with_the_first_that_is_short() {
        const FULL: usize = REQUEST_BYTES_MAX;
        let read = |length, replies: Vec<Reply>| {
            joined("p", length, replies.into_iter()).map(|(bytes, is_end)| (bytes.len(), is_end))
        };
        let eof = || status(Code::Eof, "");
        assert_eq!(read(2 * FULL, vec![data(FULL), data(FULL)]).unwrap(), (2 * FULL, false));
        assert_eq!(read(2 * FULL, vec![data(FULL), eof()]).unwrap(), (FULL, true));
        assert_eq!(read(2 * FULL, vec![data(5), data(FULL)]).unwrap(), (5, false));
        assert_eq!(read(FULL + 5, vec![data(FULL), data(5)]).unwrap(), (FULL + 5, false));
        assert_eq!(read(5, vec![eof()]).unwrap(), (0, true));
        let failed = || status(Code::Failure, "broken");
        assert_eq!(read(2 * FULL, vec![data(FULL), failed()]).unwrap(), (FULL, false));
        assert!(read(5, vec![failed()]).is_err());
        assert!(read(5, vec![data(6)]).is_err());
        assert!(read(5, vec![data(0)]).is_err());
    }

    #[test]
    fn a_lease_is_given_or_put_off() {
        let answer = |granted_ms| {
            let answer = Answer::Lease { granted_ms, retry_ms: 9, version: 4, lease: [3; 16] };
            lease("p", Reply::Extended(answer.encode())).unwrap()
        };
        assert_eq!(answer(0), LeaseAnswer::NotNow(Duration::from_millis(9)));
        let term = Duration::from_millis(1000);
        assert_eq!(answer(1000), LeaseAnswer::Granted(Grant { lease: [3; 16], version: 4, term }));
        let none = lease("p", status(Code::OperationUnsupported, ""));
        assert!(matches!(none, Err(FileError::Unsupported { .. })));
    }
}
