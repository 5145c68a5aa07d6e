//! Packets to requests, responses to packets.

use bytes::BytesMut;
use palco_service::{Codec, Farewell, Malformed, Next};

use super::wire::{self, Code, Reply, Request, WireError};
use super::{Asked, Response, SftpService};

/// The codec of [`SftpService`]. A packet whose fields make no sense is answered and the connection goes on; one whose
/// length cannot be believed ends it.
#[derive(Clone, Debug, Default)]
pub struct SftpCodec {
    /// The request that is being served.
    current: Option<u32>,
}

impl SftpCodec {
    fn say(&self, code: Code, text: &str, output: &mut BytesMut) {
        let reply = Reply::Status { code, text: text.to_owned() };
        reply.encode(self.current.unwrap_or_default(), output);
    }
}

impl Codec<SftpService> for SftpCodec {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Asked>, Malformed> {
        let packet = wire::take(input).map_err(|error| malformed(&error))?;
        let Some(packet) = packet else { return Ok(None) };
        let (id, request) = match Request::decode(packet) {
            Ok((id, request)) => (id, Ok(request)),
            Err((Some(id), error)) => (id, Err(error)),
            Err((None, error)) => return Err(malformed(&error)),
        };
        self.current = Some(id);
        Ok(Some(Asked { id, request }))
    }

    fn encode(&mut self, response: &mut Response, output: &mut BytesMut) -> Next {
        if let Some(reply) = response.reply.take() {
            reply.encode(response.id, output);
        }
        Next::Keep
    }

    fn interrupted(&mut self, output: &mut BytesMut) -> Next {
        self.say(Code::Failure, "the request was interrupted", output);
        Next::Keep
    }

    fn farewell(&self, why: &Farewell, output: &mut BytesMut) {
        match why {
            Farewell::Malformed(why) => self.say(Code::BadMessage, &why.to_string(), output),
            Farewell::Busy => {
                self.say(Code::Failure, "the server has too many connections", output)
            }
            Farewell::Failed => {
                self.say(Code::Failure, "the server failed at this request", output)
            }
            Farewell::Interrupted => self.say(Code::Failure, "the request was interrupted", output),
            Farewell::TooSlow => self.say(Code::Failure, "the packet took too long", output),
            // Nothing was asked that it would be an answer to.
            Farewell::Idle => {}
        }
    }
}

fn malformed(error: &WireError) -> Malformed {
    match error {
        WireError::TooLarge(_) => {
            Malformed::TooLarge { what: "an SFTP packet", limit: wire::PACKET_BYTES_MAX }
        }
        error => Malformed::Syntax(error.to_string()),
    }
}
