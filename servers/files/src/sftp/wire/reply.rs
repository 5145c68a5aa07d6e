//! What servers answer (sections 4 and 7).

use bytes::{BufMut, Bytes, BytesMut};

use super::fields::{Fields, put_string};
use super::{Attributes, WireError, put};

/// What became of a request (section 7); version 3 has no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It is done.
    Ok,
    /// There is nothing behind this.
    Eof,
    /// There is no such file.
    NoSuchFile,
    /// The server may not, or does not let its clients.
    PermissionDenied,
    /// Something else; the text says what.
    Failure,
    /// The packet is no request.
    BadMessage,
    /// The client has no connection. Servers never send it.
    NoConnection,
    /// The client's connection is gone. Servers never send it.
    ConnectionLost,
    /// The server does not know how.
    OperationUnsupported,
    /// A number that the draft does not define.
    Other(u32),
}

impl Code {
    const ALL: [Self; 9] = [
        Self::Ok,
        Self::Eof,
        Self::NoSuchFile,
        Self::PermissionDenied,
        Self::Failure,
        Self::BadMessage,
        Self::NoConnection,
        Self::ConnectionLost,
        Self::OperationUnsupported,
    ];

    pub(super) fn from_number(number: u32) -> Self {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(place).copied().unwrap_or(Self::Other(number))
    }

    /// The number of the protocol.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Ok => 0,
            Self::Eof => 1,
            Self::NoSuchFile => 2,
            Self::PermissionDenied => 3,
            Self::Failure => 4,
            Self::BadMessage => 5,
            Self::NoConnection => 6,
            Self::ConnectionLost => 7,
            Self::OperationUnsupported => 8,
            Self::Other(number) => number,
        }
    }
}

/// A name that something was found under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name, as it is used.
    pub name: Bytes,
    /// A line of `ls -l`, for people.
    pub line: Bytes,
    /// What is known of it.
    pub attributes: Attributes,
}

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the draft, section by section")]
pub enum Reply {
    /// To `INIT`; it has no id. Names and values of the extensions.
    Version { version: u32, extensions: Vec<(Bytes, Bytes)> },
    /// A code and a text for people.
    Status { code: Code, text: String },
    /// To `OPEN` and `OPENDIR`.
    Handle(Bytes),
    /// To `READ`.
    Data(Bytes),
    /// To `READDIR`, `REALPATH` and `READLINK`.
    Names(Vec<Name>),
    /// To `STAT` and its kin.
    Attributes(Attributes),
    /// To an extension, whose fields they are.
    Extended(Bytes),
}

impl Reply {
    /// The id and the reply of a packet, which is without its length. `VERSION` has the id 0 here.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(packet: Bytes) -> Result<(u32, Self), WireError> {
        let mut from = Fields::of(packet);
        let f = &mut from;
        let kind = f.u8("type").map_err(|_| WireError::Empty)?;
        let number = f.u32(if kind == 2 { "version" } else { "id" })?;
        let reply = match kind {
            2 => {
                let mut extensions = Vec::new();
                while f.left() > 0 {
                    extensions.push((f.string("extension name")?, f.string("extension data")?));
                }
                return Ok((0, Self::Version { version: number, extensions }));
            }
            101 => {
                let code = Code::from_number(f.u32("code")?);
                // Older servers end here.
                let text = if f.left() == 0 { String::new() } else { f.text("message")? };
                if f.left() > 0 {
                    f.string("language")?;
                }
                Self::Status { code, text }
            }
            102 => Self::Handle(f.string("handle")?),
            103 => Self::Data(f.string("data")?),
            104 => {
                let mut names = Vec::new();
                for _ in 0..f.u32("count")? {
                    names.push(Name {
                        name: f.string("filename")?,
                        line: f.string("longname")?,
                        attributes: Attributes::take(f)?,
                    });
                }
                Self::Names(names)
            }
            105 => Self::Attributes(Attributes::take(f)?),
            201 => return Ok((number, Self::Extended(from.rest()))),
            kind => return Err(WireError::Unknown(kind)),
        };
        from.end().map(|()| (number, reply))
    }

    /// Appends the reply as a packet; `VERSION` goes without `id`.
    pub fn encode(&self, id: u32, output: &mut BytesMut) {
        put(output, |output| {
            output.put_u8(self.kind());
            if !matches!(self, Self::Version { .. }) {
                output.put_u32(id);
            }
            match self {
                Self::Version { version, extensions } => {
                    output.put_u32(*version);
                    for (name, data) in extensions {
                        put_string(output, name);
                        put_string(output, data);
                    }
                }
                Self::Status { code, text } => {
                    output.put_u32(code.number());
                    put_string(output, text.as_bytes());
                    put_string(output, b"en");
                }
                Self::Handle(bytes) | Self::Data(bytes) => put_string(output, bytes),
                Self::Names(names) => {
                    output.put_u32(u32::try_from(names.len()).expect("names fit a packet"));
                    for Name { name, line, attributes } in names {
                        put_string(output, name);
                        put_string(output, line);
                        attributes.put(output);
                    }
                }
                Self::Attributes(attributes) => attributes.put(output),
                Self::Extended(fields) => output.put_slice(fields),
            }
        });
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Version { .. } => 2,
            Self::Status { .. } => 101,
            Self::Handle(_) => 102,
            Self::Data(_) => 103,
            Self::Names(_) => 104,
            Self::Attributes(_) => 105,
            Self::Extended(_) => 201,
        }
    }
}
