//! What daytime and time say: the words of the services `daytime` and `time` of palco's own servers.

use std::time::SystemTime;

use bytes::BytesMut;
use palco_service::Codec;
use palco_service::services::time::{TimeCodec, TimeFormat, TimeService};

/// A time as bytes.
pub(super) fn written(mut time: SystemTime, format: TimeFormat) -> BytesMut {
    let mut text = BytesMut::new();
    Codec::<TimeService>::encode(&mut TimeCodec::new(format), &mut time, &mut text);
    text
}
