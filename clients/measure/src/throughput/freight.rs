//! A message that is known again: its ends say its number, what is between them never changes.

/// A number at each end.
const STAMP: usize = size_of::<u64>();

/// Bytes of the number at the beginning and at the end of a message: at the end only where there is room for both.
const fn stamps(bytes: usize) -> (usize, usize) {
    if bytes < STAMP {
        (bytes, 0)
    } else if bytes < 2 * STAMP {
        (STAMP, 0)
    } else {
        (STAMP, STAMP)
    }
}

/// What is sent or received again and again.
#[derive(Debug)]
pub(super) struct Freight {
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Freight {
    pub(super) fn new(bytes: usize) -> Self {
        // No power of two: a page that is in the place of another one is seen.
        let pattern: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        Self { received: vec![0; bytes], sent: pattern }
    }

    /// The message of this number.
    #[inline]
    pub(super) fn stamped(&mut self, number: u64) -> &[u8] {
        let (stamp, (first, last)) = (number.to_le_bytes(), stamps(self.sent.len()));
        self.sent[..first].copy_from_slice(&stamp[..first]);
        let end = self.sent.len() - last;
        self.sent[end..].copy_from_slice(&stamp[..last]);
        &self.sent
    }

    /// Where a message is received.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.received
    }

    /// Whether what was received says this number at both ends.
    #[inline]
    pub(super) fn is(&self, number: u64) -> bool {
        let (stamp, (first, last)) = (number.to_le_bytes(), stamps(self.received.len()));
        self.received.starts_with(&stamp[..first]) && self.received.ends_with(&stamp[..last])
    }

    /// Whether it is the message of this number, byte for byte.
    pub(super) fn is_whole(&mut self, number: u64) -> bool {
        self.stamped(number);
        self.sent == self.received
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_on_its_way_is_seen() {
        for bytes in [1, 7, 8, 9, 15, 16, 64, 4096] {
            let (mut here, mut there) = (Freight::new(bytes), Freight::new(bytes));
            there.room().copy_from_slice(here.stamped(5));
            assert!(there.is(5) && there.is_whole(5), "{bytes}");
            assert!(!there.is(6) && !there.is_whole(6), "{bytes}");
            for at in 0..bytes {
                there.room().copy_from_slice(here.stamped(7));
                there.room()[at] ^= 1;
                assert!(!there.is_whole(7), "byte {at} of {bytes}");
                let (first, last) = stamps(bytes);
                let is_stamp = at < first || at >= bytes - last;
                assert_eq!(there.is(7), !is_stamp, "byte {at} of {bytes}");
            }
        }
    }
}
