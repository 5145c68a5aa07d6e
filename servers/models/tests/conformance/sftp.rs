//! SFTP as the other services are asked.

use bytes::{Bytes, BytesMut};
use palco_files::sftp::wire::{self, Attributes, OpenFlags, Reply, Request};

/// The first packet of a connection.
pub(crate) fn begins() -> Vec<u8> {
    packet(&Request::Init { version: wire::VERSION })
}

/// The question what is at `path`.
pub(crate) fn asks(path: &str) -> Vec<u8> {
    packet(&Request::Look { path: Bytes::copy_from_slice(path.as_bytes()) })
}

/// That `path` be opened.
pub(crate) fn opens(path: &str) -> Vec<u8> {
    let path = Bytes::copy_from_slice(path.as_bytes());
    let attributes = Attributes::default();
    packet(&Request::Open { path, flags: OpenFlags::READ, attributes })
}

fn packet(request: &Request) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    request.encode(7, &mut bytes);
    bytes.to_vec()
}

/// What was answered, each answer ended by a bar; bytes that are no whole answer as they are.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let (mut rest, mut plain) = (BytesMut::from(bytes), String::new());
    while let Ok(Some(packet)) = wire::take(&mut rest) {
        match Reply::decode(packet) {
            Ok((_, Reply::Version { version, .. })) => plain += &format!("version {version}|"),
            Ok((_, Reply::Status { code, .. })) => plain += &format!("{code:?}|"),
            Ok((_, Reply::Handle(_))) => plain += "handle|",
            Ok((_, Reply::Attributes(found))) => {
                plain += &format!("{} bytes|", found.size.unwrap_or_default());
            }
            other => plain += &format!("{other:?}|"),
        }
    }
    plain + &String::from_utf8_lossy(&rest)
}
