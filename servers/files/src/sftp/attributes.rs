//! What is known of a file, between the system's words and SFTP's.

use std::fs::{File, FileTimes, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag};

use super::wire::{Attributes, Name};

/// Of a file as it was found.
pub(super) fn of(metadata: &Metadata) -> Attributes {
    let seconds = |time: i64| u32::try_from(time).unwrap_or(if time < 0 { 0 } else { u32::MAX });
    Attributes {
        size: Some(metadata.size()),
        owner: Some((metadata.uid(), metadata.gid())),
        mode: Some(metadata.mode()),
        times: Some((seconds(metadata.atime()), seconds(metadata.mtime()))),
    }
}

/// Makes the file have them. Owners stay who they are; bits beyond the permissions are left out.
pub(super) fn set(file: &File, wanted: &Attributes) -> io::Result<()> {
    if let Some(owner) = wanted.owner {
        let metadata = file.metadata()?;
        if owner != (metadata.uid(), metadata.gid()) {
            return Err(Errno::EPERM.into());
        }
    }
    if let Some(size) = wanted.size {
        file.set_len(size)?;
    }
    if let Some(mode) = wanted.mode {
        file.set_permissions(Permissions::from_mode(mode & 0o777))?;
    }
    if let Some((read, modified)) = wanted.times {
        let at = |seconds: u32| -> SystemTime { UNIX_EPOCH + Duration::from_secs(seconds.into()) };
        file.set_times(FileTimes::new().set_accessed(at(read)).set_modified(at(modified)))?;
    }
    Ok(())
}

/// A name in a directory, with a line as `ls -l` writes it.
pub(super) fn name(name: Bytes, metadata: &Metadata) -> Name {
    let kind = match SFlag::from_bits_truncate(metadata.mode()) & SFlag::S_IFMT {
        SFlag::S_IFDIR => 'd',
        SFlag::S_IFLNK => 'l',
        _ => '-',
    };
    let mode = Mode::from_bits_truncate(metadata.mode());
    let letters: String = [
        (Mode::S_IRUSR, 'r'),
        (Mode::S_IWUSR, 'w'),
        (Mode::S_IXUSR, 'x'),
        (Mode::S_IRGRP, 'r'),
        (Mode::S_IWGRP, 'w'),
        (Mode::S_IXGRP, 'x'),
        (Mode::S_IROTH, 'r'),
        (Mode::S_IWOTH, 'w'),
        (Mode::S_IXOTH, 'x'),
    ]
    .map(|(bit, letter)| if mode.contains(bit) { letter } else { '-' })
    .iter()
    .collect();
    let modified = metadata.modified().map(httpdate::fmt_http_date).unwrap_or_default();
    // `Sun, 06 Nov 1994 08:49:37 GMT` as `Nov 06 1994`.
    let date = match (modified.get(8..11), modified.get(5..7), modified.get(12..16)) {
        (Some(month), Some(day), Some(year)) => format!("{month} {day}  {year}"),
        _ => String::new(),
    };
    let (links, user, group, size) =
        (metadata.nlink(), metadata.uid(), metadata.gid(), metadata.size());
    let shown = String::from_utf8_lossy(&name);
    let line =
        format!("{kind}{letters} {links:>4} {user:<8} {group:<8} {size:>8} {date:>12} {shown}");
    Name { line: line.into(), attributes: of(metadata), name }
}

/// The version of a file: whoever knows it and finds it again has the same contents before them.
pub(super) fn version(metadata: &Metadata) -> u64 {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
    let numbers = [metadata.dev(), metadata.ino(), metadata.size()];
    for number in times.map(i64::cast_unsigned).into_iter().chain(numbers) {
        for byte in number.to_le_bytes() {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    sum
}

/// A name as it stands in a directory.
pub(super) fn file_name(path: &Path) -> Bytes {
    use std::os::unix::ffi::OsStrExt;
    Bytes::copy_from_slice(path.as_os_str().as_bytes())
}
