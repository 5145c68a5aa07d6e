//! What all carriers refuse, in the same words.

use bytes::Bytes;

use crate::Peer;

/// Bytes of the largest frame unless told otherwise.
pub const FRAME_BYTES_MAX_DEFAULT: usize = 4 << 20;

/// Why a session ends because of one of these frames; nothing if all are small enough.
pub(crate) fn too_large(frames: &[Bytes], frame_bytes_max: usize) -> Option<String> {
    let frame = frames.iter().find(|frame| frame.len() > frame_bytes_max)?;
    Some(frame_too_large(frame.len(), frame_bytes_max))
}

/// As [`too_large`], of a frame of which the length is known.
pub(crate) fn frame_too_large(bytes: usize, frame_bytes_max: usize) -> String {
    format!(
        "a frame of {bytes} bytes was to be carried, at most {frame_bytes_max} are: send it in parts"
    )
}

/// Why nobody talks at an address at which another node was sought.
pub(crate) fn other_key(sought: Peer, found: Peer) -> String {
    format!("the address was given for node {sought}, but {found} answered")
}
