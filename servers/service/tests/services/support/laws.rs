//! What laws of codecs are made of: any cuts, any bytes, endless ones.

use palco_service::{Codec, Service};
use proptest::prelude::*;

use super::{Connection, TestHost, Transcript};

/// A transcript of all bytes at once, compared with one of the same bytes cut into pieces.
macro_rules! assert_cuts_do_not_matter {
    ($service:expr, $codec:expr, $bytes:expr, $cuts:expr) => {
        let whole = $crate::support::play(&$service, $codec, $bytes, &[usize::MAX]);
        for cuts in [$cuts, &[1][..]] {
            let cut = $crate::support::play(&$service, $codec, $bytes, cuts);
            prop_assert_eq!(
                $crate::support::laws::readable(&whole),
                $crate::support::laws::readable(&cut),
                "cut by {:?}",
                cuts
            );
        }
    };
}
pub(crate) use assert_cuts_do_not_matter;

pub(crate) fn readable(transcript: &Transcript) -> (String, String, bool) {
    (
        transcript.output.escape_ascii().to_string(),
        format!("{:?}", transcript.malformed),
        transcript.closed,
    )
}

pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![4 => 1_usize..8, 1 => 1_usize..300], 1..20)
}

pub(crate) fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        4 => prop::sample::select(b"*$-+0123456789\r\n\r\n \"'\\x:/".to_vec()),
    ];
    prop::collection::vec(byte, 0..80)
}

/// Sends `first` and then `endless` over and over, 4 MiB in all; returns the most that was left in the input.
pub(crate) fn flood<S: Service, C: Codec<S>>(
    service: &S,
    codec: C,
    first: &[u8],
    endless: &[u8],
) -> usize {
    flood_chunks(service, codec, first, endless, 1024)
}

/// The same with so many chunks of 4 KiB.
pub(crate) fn flood_chunks<S: Service, C: Codec<S>>(
    service: &S,
    codec: C,
    first: &[u8],
    endless: &[u8],
    chunks: u32,
) -> usize {
    let host = TestHost::default();
    let mut connection = Connection::open(service, codec, &host);
    connection.send(first);
    let chunk = endless.repeat(4096_usize.div_ceil(endless.len()));
    for _ in 0..chunks {
        connection.send(&chunk);
        connection.output.clear();
    }
    connection.input_peak
}

/// What a decode may leave beside its limits: one read.
pub(crate) const READ_BYTES_MAX: usize = 2 * 4096;
