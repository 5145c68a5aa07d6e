//! What is known of a file (section 5).

use bytes::{BufMut, BytesMut};

use super::WireError;
use super::fields::Fields;

const SIZE: u32 = 1;
const OWNER: u32 = 2;
const MODE: u32 = 4;
const TIMES: u32 = 8;
const EXTENDED: u32 = 0x8000_0000;

/// What is known of a file, or is to become of it; each part may be missing. Extended attributes are skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bytes.
    pub size: Option<u64>,
    /// User and group.
    pub owner: Option<(u32, u32)>,
    /// Kind of file and permissions, as `st_mode`.
    pub mode: Option<u32>,
    /// When it was read and when it was modified last, in seconds since 1970.
    pub times: Option<(u32, u32)>,
}

impl Attributes {
    pub(super) fn take(fields: &mut Fields) -> Result<Self, WireError> {
        let flags = fields.u32("attribute flags")?;
        let mut taken = Self::default();
        if flags & SIZE != 0 {
            taken.size = Some(fields.u64("size")?);
        }
        if flags & OWNER != 0 {
            taken.owner = Some((fields.u32("uid")?, fields.u32("gid")?));
        }
        if flags & MODE != 0 {
            taken.mode = Some(fields.u32("permissions")?);
        }
        if flags & TIMES != 0 {
            taken.times = Some((fields.u32("atime")?, fields.u32("mtime")?));
        }
        if flags & EXTENDED != 0 {
            for _ in 0..fields.u32("extended count")? {
                fields.string("extended type")?;
                fields.string("extended data")?;
            }
        }
        Ok(taken)
    }

    pub(super) fn put(&self, output: &mut BytesMut) {
        let flag = |is_there: bool, flag| if is_there { flag } else { 0 };
        output.put_u32(
            flag(self.size.is_some(), SIZE)
                | flag(self.owner.is_some(), OWNER)
                | flag(self.mode.is_some(), MODE)
                | flag(self.times.is_some(), TIMES),
        );
        if let Some(size) = self.size {
            output.put_u64(size);
        }
        if let Some((user, group)) = self.owner {
            output.put_u32(user);
            output.put_u32(group);
        }
        if let Some(mode) = self.mode {
            output.put_u32(mode);
        }
        if let Some((read, modified)) = self.times {
            output.put_u32(read);
            output.put_u32(modified);
        }
    }
}
