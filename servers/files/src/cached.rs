//! Reading what the kernel has in memory of a file: an event loop can do that by itself, and leaves only the waiting for a
//! disk to others.

use std::fs::File;
use std::io::{self, ErrorKind};

use palco_sys::read_cached;

/// Fills `room` with what the file has from `offset` on; fewer bytes only at its end.
///
/// # Errors
/// `WouldBlock` if not all of that is in memory; otherwise the kernel's.
pub(crate) fn read_all_cached(file: &File, room: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match read_cached(file, &mut room[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// As [`read_all_cached`], and the file must have all of it.
///
/// # Errors
/// Beside those, `UnexpectedEof`.
pub(crate) fn read_exact_cached(file: &File, room: &mut [u8], offset: u64) -> io::Result<()> {
    match read_all_cached(file, room, offset)? {
        filled if filled == room.len() => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}
