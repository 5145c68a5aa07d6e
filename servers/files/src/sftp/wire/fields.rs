//! The fields that packets consist of (section 3).

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::WireError;

/// Takes fields from the front of a packet.
#[derive(Debug)]
pub(super) struct Fields(Bytes);

impl Fields {
    pub(super) fn of(packet: Bytes) -> Self {
        Self(packet)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.0.try_get_u8().map_err(|_| WireError::Short(field))
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.0.try_get_u32().map_err(|_| WireError::Short(field))
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.0.try_get_u64().map_err(|_| WireError::Short(field))
    }

    /// A string: its length, then as many bytes, which are not copied.
    pub(super) fn string(&mut self, field: &'static str) -> Result<Bytes, WireError> {
        let length = usize::try_from(self.u32(field)?).unwrap_or(usize::MAX);
        if self.0.len() < length {
            Err(WireError::Short(field))
        } else {
            Ok(self.0.split_to(length))
        }
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<String, WireError> {
        let bytes = self.string(field)?;
        str::from_utf8(&bytes).map(str::to_owned).map_err(|_| WireError::NotText(field))
    }

    /// Everything that is left.
    pub(super) fn rest(self) -> Bytes {
        self.0
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Long(self.0.len())) }
    }
}

/// Appends a string.
pub(super) fn put_string(output: &mut BytesMut, bytes: &[u8]) {
    output.put_u32(u32::try_from(bytes.len()).expect("no field is longer than a packet"));
    output.put_slice(bytes);
}
