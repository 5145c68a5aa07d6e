//! What clients ask (sections 4 and 6).

use bytes::{BufMut, Bytes, BytesMut};

use super::fields::{Fields, put_string};
use super::{Attributes, WireError, put};

/// How a file is to be opened (`pflags`, section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent flags of the protocol")]
pub struct OpenFlags {
    /// To be read.
    pub read: bool,
    /// To be written.
    pub write: bool,
    /// Whatever is written goes to its end.
    pub append: bool,
    /// It is made if it is not there.
    pub create: bool,
    /// It is emptied.
    pub truncate: bool,
    /// It must not be there.
    pub exclusive: bool,
}

impl OpenFlags {
    /// To be read.
    pub const READ: Self = Self {
        read: true,
        write: false,
        append: false,
        create: false,
        truncate: false,
        exclusive: false,
    };

    /// From the bits of the protocol; others than the six are ignored.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        let has = |bit| bits & bit != 0;
        Self {
            read: has(1),
            write: has(2),
            append: has(4),
            create: has(8),
            truncate: has(16),
            exclusive: has(32),
        }
    }

    /// The bits of the protocol.
    #[must_use]
    pub fn bits(self) -> u32 {
        u32::from(self.read)
            | u32::from(self.write) << 1
            | u32::from(self.append) << 2
            | u32::from(self.create) << 3
            | u32::from(self.truncate) << 4
            | u32::from(self.exclusive) << 5
    }
}

/// One request. Paths are bytes, `/`-separated, as clients send them; handles are opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the draft, section by section")]
pub enum Request {
    /// The first packet; it has no id.
    Init { version: u32 },
    /// Section 6.3.
    Open { path: Bytes, flags: OpenFlags, attributes: Attributes },
    /// Section 6.3.
    Close { handle: Bytes },
    /// Section 6.4.
    Read { handle: Bytes, offset: u64, length: u32 },
    /// Section 6.4.
    Write { handle: Bytes, offset: u64, data: Bytes },
    /// Section 6.8: of a link itself.
    LookLink { path: Bytes },
    /// Section 6.8: of what is open.
    LookOpen { handle: Bytes },
    /// Section 6.9.
    Set { path: Bytes, attributes: Attributes },
    /// Section 6.9.
    SetOpen { handle: Bytes, attributes: Attributes },
    /// Section 6.7.
    OpenDirectory { path: Bytes },
    /// Section 6.7.
    ReadDirectory { handle: Bytes },
    /// Section 6.5.
    Remove { path: Bytes },
    /// Section 6.6.
    MakeDirectory { path: Bytes, attributes: Attributes },
    /// Section 6.6.
    RemoveDirectory { path: Bytes },
    /// Section 6.11.
    RealPath { path: Bytes },
    /// Section 6.8: of what a link leads to.
    Look { path: Bytes },
    /// Section 6.5: the new name must not be there.
    Rename { from: Bytes, to: Bytes },
    /// Section 6.10.
    ReadLink { path: Bytes },
    /// Section 6.10, in the order in which OpenSSH sends them, which is not the draft's.
    MakeLink { target: Bytes, path: Bytes },
    /// Section 8: the extension's name, and its fields.
    Extended { name: Bytes, fields: Bytes },
    /// A type that the draft does not define.
    Unknown { kind: u8 },
}

impl Request {
    /// The id and the request of a packet, which is without its length. `INIT` has the id 0 here.
    ///
    /// # Errors
    /// [`WireError`], and the id if it could be read.
    pub fn decode(packet: Bytes) -> Result<(u32, Self), (Option<u32>, WireError)> {
        let mut fields = Fields::of(packet);
        let kind = fields.u8("type").map_err(|_| (None, WireError::Empty))?;
        if kind == 1 {
            let version = fields.u32("version").map_err(|error| (None, error))?;
            return Ok((0, Self::Init { version }));
        }
        let id = fields.u32("id").map_err(|error| (None, error))?;
        Self::body(kind, fields).map(|request| (id, request)).map_err(|error| (Some(id), error))
    }

    fn body(kind: u8, mut from: Fields) -> Result<Self, WireError> {
        let f = &mut from;
        let request = match kind {
            3 => Self::Open {
                path: f.string("filename")?,
                flags: OpenFlags::from_bits(f.u32("pflags")?),
                attributes: Attributes::take(f)?,
            },
            4 => Self::Close { handle: f.string("handle")? },
            5 => Self::Read {
                handle: f.string("handle")?,
                offset: f.u64("offset")?,
                length: f.u32("len")?,
            },
            6 => Self::Write {
                handle: f.string("handle")?,
                offset: f.u64("offset")?,
                data: f.string("data")?,
            },
            7 => Self::LookLink { path: f.string("path")? },
            8 => Self::LookOpen { handle: f.string("handle")? },
            9 => Self::Set { path: f.string("path")?, attributes: Attributes::take(f)? },
            10 => Self::SetOpen { handle: f.string("handle")?, attributes: Attributes::take(f)? },
            11 => Self::OpenDirectory { path: f.string("path")? },
            12 => Self::ReadDirectory { handle: f.string("handle")? },
            13 => Self::Remove { path: f.string("filename")? },
            14 => Self::MakeDirectory { path: f.string("path")?, attributes: Attributes::take(f)? },
            15 => Self::RemoveDirectory { path: f.string("path")? },
            16 => Self::RealPath { path: f.string("path")? },
            17 => Self::Look { path: f.string("path")? },
            18 => Self::Rename { from: f.string("oldpath")?, to: f.string("newpath")? },
            19 => Self::ReadLink { path: f.string("path")? },
            20 => Self::MakeLink { target: f.string("targetpath")?, path: f.string("linkpath")? },
            200 => {
                let name = f.string("extended-request")?;
                return Ok(Self::Extended { name, fields: from.rest() });
            }
            kind => return Ok(Self::Unknown { kind }),
        };
        from.end().map(|()| request)
    }

    /// Appends the request as a packet; `INIT` goes without `id`.
    pub fn encode(&self, id: u32, output: &mut BytesMut) {
        put(output, |output| {
            output.put_u8(self.kind());
            if let Self::Init { version } = self {
                output.put_u32(*version);
            } else {
                output.put_u32(id);
                self.put_body(output);
            }
        });
    }

    /// The number of its type.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Init { .. } => 1,
            Self::Open { .. } => 3,
            Self::Close { .. } => 4,
            Self::Read { .. } => 5,
            Self::Write { .. } => 6,
            Self::LookLink { .. } => 7,
            Self::LookOpen { .. } => 8,
            Self::Set { .. } => 9,
            Self::SetOpen { .. } => 10,
            Self::OpenDirectory { .. } => 11,
            Self::ReadDirectory { .. } => 12,
            Self::Remove { .. } => 13,
            Self::MakeDirectory { .. } => 14,
            Self::RemoveDirectory { .. } => 15,
            Self::RealPath { .. } => 16,
            Self::Look { .. } => 17,
            Self::Rename { .. } => 18,
            Self::ReadLink { .. } => 19,
            Self::MakeLink { .. } => 20,
            Self::Extended { .. } => 200,
            Self::Unknown { kind } => *kind,
        }
    }

    fn put_body(&self, output: &mut BytesMut) {
        match self {
            Self::Init { .. } | Self::Unknown { .. } => {}
            Self::Open { path, flags, attributes } => {
                put_string(output, path);
                output.put_u32(flags.bits());
                attributes.put(output);
            }
            Self::Read { handle, offset, length } => {
                put_string(output, handle);
                output.put_u64(*offset);
                output.put_u32(*length);
            }
            Self::Write { handle, offset, data } => {
                put_string(output, handle);
                output.put_u64(*offset);
                put_string(output, data);
            }
            Self::Close { handle } | Self::LookOpen { handle } | Self::ReadDirectory { handle } => {
                put_string(output, handle);
            }
            Self::LookLink { path }
            | Self::OpenDirectory { path }
            | Self::Remove { path }
            | Self::RemoveDirectory { path }
            | Self::RealPath { path }
            | Self::Look { path }
            | Self::ReadLink { path } => put_string(output, path),
            Self::Set { path: of, attributes }
            | Self::SetOpen { handle: of, attributes }
            | Self::MakeDirectory { path: of, attributes } => {
                put_string(output, of);
                attributes.put(output);
            }
            Self::Rename { from: first, to: second }
            | Self::MakeLink { target: first, path: second } => {
                put_string(output, first);
                put_string(output, second);
            }
            Self::Extended { name, fields } => {
                put_string(output, name);
                output.put_slice(fields);
            }
        }
    }
}
