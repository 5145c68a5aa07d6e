//! Requests that the draft leaves to others (section 8): some of OpenSSH's, and palco's for leases.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use super::fields::{Fields, put_string};
use super::{Request, WireError};

/// The bytes of a lease's or a client's name, which nobody can guess: 16.
pub const LEASE_BYTES: usize = 16;

/// The name of a lease or of a client.
pub type Secret = [u8; LEASE_BYTES];

/// An extension, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// `fsync@openssh.com`: what was written is on the disk before the answer.
    Sync {
        /// Of the file.
        handle: Bytes,
    },
    /// `posix-rename@openssh.com`: takes the place of what has the new name.
    RenameOver {
        /// The old name.
        from: Bytes,
        /// The new name.
        to: Bytes,
    },
    /// `statvfs@openssh.com`.
    Space {
        /// Of anything on the file system.
        path: Bytes,
    },
    /// `limits@openssh.com`.
    Limits,
    /// `state@palco`: what the server remembers about this connection.
    State,
    /// `client@palco`: whose connection this is.
    Client {
        /// Made up by the client; the same on all its connections.
        client: Secret,
    },
    /// `lease@palco`: a read lease on what is open.
    Lease {
        /// Of the file.
        handle: Bytes,
        /// For how long, in milliseconds; 0 leaves it to the server.
        wanted_ms: u32,
    },
    /// `renew@palco`: all leases of the client once more.
    Renew,
    /// `release@palco`.
    Release {
        /// The lease.
        lease: Secret,
    },
    /// `reclaim@palco`: a lease that a server gave before it started again.
    Reclaim {
        /// Of the file.
        path: Bytes,
        /// The version that the client knows.
        version: u64,
        /// As in [`Lease`](Self::Lease).
        wanted_ms: u32,
    },
    /// `events@palco`: the leases of the client that are to be given back, as they come, without end.
    Events {
        /// As in [`Client`](Self::Client).
        client: Secret,
    },
}

impl Extension {
    /// Names and values as a server's `VERSION` lists them.
    pub const ALL: [(&'static str, &'static str); 11] = [
        ("fsync@openssh.com", "1"),
        ("posix-rename@openssh.com", "1"),
        ("statvfs@openssh.com", "2"),
        ("limits@openssh.com", "1"),
        ("state@palco", "1"),
        ("client@palco", "1"),
        ("lease@palco", "1"),
        ("renew@palco", "1"),
        ("release@palco", "1"),
        ("reclaim@palco", "1"),
        ("events@palco", "1"),
    ];

    /// What is asked; `None` if there is no such extension.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(name: &[u8], fields: Bytes) -> Result<Option<Self>, WireError> {
        let mut from = Fields::of(fields);
        let f = &mut from;
        let extension = match name {
            b"fsync@openssh.com" => Self::Sync { handle: f.string("handle")? },
            b"posix-rename@openssh.com" => {
                Self::RenameOver { from: f.string("oldpath")?, to: f.string("newpath")? }
            }
            b"statvfs@openssh.com" => Self::Space { path: f.string("path")? },
            b"limits@openssh.com" => Self::Limits,
            b"state@palco" => Self::State,
            b"client@palco" => Self::Client { client: secret(f, "client id")? },
            b"lease@palco" => {
                Self::Lease { handle: f.string("handle")?, wanted_ms: f.u32("term")? }
            }
            b"renew@palco" => Self::Renew,
            b"release@palco" => Self::Release { lease: secret(f, "lease id")? },
            b"reclaim@palco" => Self::Reclaim {
                path: f.string("path")?,
                version: f.u64("version")?,
                wanted_ms: f.u32("term")?,
            },
            b"events@palco" => Self::Events { client: secret(f, "client id")? },
            _ => return Ok(None),
        };
        from.end().map(|()| Some(extension))
    }

    /// As a request.
    #[must_use]
    pub fn request(&self) -> Request {
        let mut fields = BytesMut::new();
        let to = &mut fields;
        let name = match self {
            Self::Sync { handle } => {
                put_string(to, handle);
                "fsync@openssh.com"
            }
            Self::RenameOver { from, to: new } => {
                put_string(to, from);
                put_string(to, new);
                "posix-rename@openssh.com"
            }
            Self::Space { path } => {
                put_string(to, path);
                "statvfs@openssh.com"
            }
            Self::Limits => "limits@openssh.com",
            Self::State => "state@palco",
            Self::Client { client } => {
                put_string(to, client);
                "client@palco"
            }
            Self::Lease { handle, wanted_ms } => {
                put_string(to, handle);
                to.put_u32(*wanted_ms);
                "lease@palco"
            }
            Self::Renew => "renew@palco",
            Self::Release { lease } => {
                put_string(to, lease);
                "release@palco"
            }
            Self::Reclaim { path, version, wanted_ms } => {
                put_string(to, path);
                to.put_u64(*version);
                to.put_u32(*wanted_ms);
                "reclaim@palco"
            }
            Self::Events { client } => {
                put_string(to, client);
                "events@palco"
            }
        };
        Request::Extended { name: Bytes::from_static(name.as_bytes()), fields: fields.freeze() }
    }
}

/// What [`Reply::Extended`](super::Reply::Extended) has in it; the request says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Extension::Lease`] and [`Extension::Reclaim`].
    Lease {
        /// For how long, in milliseconds; 0 if not now.
        granted_ms: u32,
        /// When to ask again, in milliseconds.
        retry_ms: u32,
        /// The version of the file: another one, other contents.
        version: u64,
        /// The lease.
        lease: Secret,
    },
    /// To [`Extension::Renew`].
    Renewed {
        /// For how long, in milliseconds; 0 if none is left.
        granted_ms: u32,
    },
    /// To [`Extension::Events`], again and again: this lease is to be given back.
    Event {
        /// The lease.
        lease: Secret,
    },
    /// To [`Extension::State`].
    State(Remembered),
    /// To [`Extension::Limits`], in bytes, and handles of one connection.
    Limits {
        /// Of a packet.
        packet: u64,
        /// Of one read.
        read: u64,
        /// Of one write.
        write: u64,
        /// That may be open.
        handles: u64,
    },
    /// To [`Extension::Space`].
    Space {
        /// Bytes of a block.
        block: u64,
        /// Blocks, of these free, of these free for anybody.
        blocks: [u64; 3],
        /// The same of files.
        files: [u64; 3],
        /// Number of the file system.
        id: u64,
        /// 1 if it cannot be written to.
        flags: u64,
        /// The longest name.
        name_max: u64,
    },
}

/// What a server remembers about one connection, and what that was good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// Handles that are open.
    pub handles: u64,
    /// Bytes of its state: handles, what was read ahead, what is still to be written.
    pub bytes: u64,
    /// Requests so far.
    pub requests: u64,
    /// Reads so far.
    pub reads: u64,
    /// Those that were answered from what had been read ahead.
    pub reads_ahead: u64,
    /// Writes so far.
    pub writes: u64,
    /// Those that were answered before the file had been touched.
    pub writes_behind: u64,
}

impl Remembered {
    fn numbers(self) -> [u64; 7] {
        let Self { handles, bytes, requests, reads, reads_ahead, writes, writes_behind } = self;
        [handles, bytes, requests, reads, reads_ahead, writes, writes_behind]
    }
}

impl Answer {
    /// To a question about the state.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode_state(fields: Bytes) -> Result<Remembered, WireError> {
        let mut f = Fields::of(fields);
        let state = Remembered {
            handles: f.u64("handles")?,
            bytes: f.u64("bytes")?,
            requests: f.u64("requests")?,
            reads: f.u64("reads")?,
            reads_ahead: f.u64("reads ahead")?,
            writes: f.u64("writes")?,
            writes_behind: f.u64("writes behind")?,
        };
        f.end().map(|()| state)
    }

    /// To a lease or a reclaim.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode_lease(fields: Bytes) -> Result<Self, WireError> {
        let mut f = Fields::of(fields);
        let answer = Self::Lease {
            granted_ms: f.u32("granted")?,
            retry_ms: f.u32("retry")?,
            version: f.u64("version")?,
            lease: secret(&mut f, "lease id")?,
        };
        f.end().map(|()| answer)
    }

    /// To a renewal.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode_renewed(fields: Bytes) -> Result<Self, WireError> {
        let mut f = Fields::of(fields);
        let answer = Self::Renewed { granted_ms: f.u32("granted")? };
        f.end().map(|()| answer)
    }

    /// An event.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode_event(fields: Bytes) -> Result<Self, WireError> {
        let mut f = Fields::of(fields);
        let answer = Self::Event { lease: secret(&mut f, "lease id")? };
        f.end().map(|()| answer)
    }

    /// The fields.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut to = BytesMut::new();
        match self {
            Self::Lease { granted_ms, retry_ms, version, lease } => {
                to.put_u32(*granted_ms);
                to.put_u32(*retry_ms);
                to.put_u64(*version);
                put_string(&mut to, lease);
            }
            Self::Renewed { granted_ms } => to.put_u32(*granted_ms),
            Self::Event { lease } => put_string(&mut to, lease),
            Self::State(remembered) => {
                for number in remembered.numbers() {
                    to.put_u64(number);
                }
            }
            Self::Limits { packet, read, write, handles } => {
                for number in [packet, read, write, handles] {
                    to.put_u64(*number);
                }
            }
            Self::Space { block, blocks, files, id, flags, name_max } => {
                // f_bsize and f_frsize.
                to.put_u64(*block);
                to.put_u64(*block);
                for number in blocks.iter().chain(files).chain([id, flags, name_max]) {
                    to.put_u64(*number);
                }
            }
        }
        to.freeze()
    }
}

fn secret(fields: &mut Fields, field: &'static str) -> Result<Secret, WireError> {
    let bytes = fields.string(field)?;
    Secret::try_from(&bytes[..]).map_err(|_| WireError::Short(field))
}
