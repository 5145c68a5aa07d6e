//! gRPC over HTTP/2, as etcd's own clients ask: h2 carries, the messages are encoded here.
//!
//! etcd also has a gateway that speaks JSON, but that is a second server inside its process, which translates each
//! request into gRPC: its processor time would be counted as the store's.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{Method, Request, Version};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::protobuf::{self, Status};

/// Before each message: not compressed (one byte), the length (u32, big-endian). Source: *gRPC over HTTP2*.
const PREFIX_BYTES: usize = 5;

/// The longest answer that is read: 4 MiB, the limit of gRPC's own clients.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A connection to one member, which several clients share; closed when dropped.
#[derive(Debug)]
pub(super) struct Host {
    requests: SendRequest<Bytes>,
    authority: String,
    driver: JoinHandle<()>,
}

/// One client on a connection.
#[derive(Clone, Debug)]
pub(super) struct Grpc {
    requests: SendRequest<Bytes>,
    authority: String,
}

impl Host {
    /// Must be called on a runtime of tokio, which drives the connection.
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) =
            h2::client::handshake(stream).await.map_err(io::Error::other)?;
        let driver = tokio::spawn(async move {
            // Each request that it carried fails with the same error.
            let _ = connection.await;
        });
        Ok(Self { requests, authority: address.to_string(), driver })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Grpc {
    pub(super) fn of(host: &Host) -> Self {
        Self { requests: host.requests.clone(), authority: host.authority.clone() }
    }

    /// A linearizable read; nothing if the key was never put.
    pub(super) async fn range(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let answer = self.ask("/etcdserverpb.KV/Range", &protobuf::range_request(key)).await?;
        Ok(protobuf::value_of_range(&answer)?.map(<[u8]>::to_vec))
    }

    pub(super) async fn put(&self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let request = protobuf::put_request(key, value);
        self.ask("/etcdserverpb.KV/Put", &request).await.map(drop)
    }

    pub(super) async fn status(&self) -> Result<Status, String> {
        let answer = self.ask("/etcdserverpb.Maintenance/Status", &[]).await?;
        protobuf::status(&answer)
    }

    /// One unary call: the message of the answer.
    async fn ask(&self, method: &str, message: &[u8]) -> Result<Bytes, String> {
        let said = |error: h2::Error| format!("{method}: {error}");
        let request = Request::builder()
            .method(Method::POST)
            .version(Version::HTTP_2)
            .uri(format!("http://{}{method}", self.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .map_err(|error| format!("{method}: {error}"))?;
        let mut requests = self.requests.clone().ready().await.map_err(said)?;
        let (answer, mut sending) = requests.send_request(request, false).map_err(said)?;
        sending.send_data(framed(message), true).map_err(said)?;
        let answer = answer.await.map_err(said)?;
        let refused = |status: Option<&http::HeaderValue>| match status {
            Some(status) if status != "0" => Err(format!("{method}: gRPC status {status:?}")),
            _ => Ok(()),
        };
        refused(answer.headers().get("grpc-status"))?;
        let mut body = answer.into_body();
        let mut bytes = BytesMut::new();
        while let Some(piece) = body.data().await {
            let piece = piece.map_err(said)?;
            body.flow_control().release_capacity(piece.len()).map_err(said)?;
            bytes.extend_from_slice(&piece);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(format!("{method}: an answer of more than {ANSWER_BYTES_MAX} bytes"));
            }
        }
        let trailers = body.trailers().await.map_err(said)?.unwrap_or_default();
        refused(trailers.get("grpc-status"))?;
        unframed(bytes.freeze()).map_err(|error| format!("{method}: {error}"))
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// The one message of a unary answer.
fn unframed(mut frame: Bytes) -> Result<Bytes, String> {
    if frame.len() < PREFIX_BYTES {
        return Err(format!("an answer of {} bytes, too short for a message", frame.len()));
    }
    if frame.get_u8() != 0 {
        return Err("the answer is compressed, which nobody asked for".to_owned());
    }
    let length = frame.get_u32();
    if usize::try_from(length).ok() == Some(frame.len()) {
        return Ok(frame);
    }
    Err(format!("a message of {length} bytes was announced, {} came", frame.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framed_message_is_read_back() {
        assert_eq!(&framed(b"abc")[..], b"\0\0\0\0\x03abc");
        assert_eq!(unframed(framed(b"abc")), Ok(Bytes::from("abc")));
        assert_eq!(unframed(framed(b"")), Ok(Bytes::new()));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for broken in [&b"\0\0\0"[..], b"\x01\0\0\0\x01a", b"\0\0\0\0\x02a", b"\0\0\0\0\x01ab"] {
            assert!(unframed(Bytes::from_static(broken)).is_err(), "{broken:?}");
        }
    }
}
