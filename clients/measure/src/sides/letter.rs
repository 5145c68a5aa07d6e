//! The message that goes to and fro: its ends say which trip it belongs to, its body never changes.

/// What a side sends and what it has received, of one length; of none where the mechanism carries nothing.
#[derive(Debug)]
pub(crate) struct Letter {
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    spoiled: u64,
}

/// Bytes of a stamp, one at each end; short messages have one of one byte.
const STAMP: usize = 8;

impl Letter {
    /// Of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let body: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        Self { incoming: vec![0; bytes], outgoing: body, spoiled: 0 }
    }

    /// What is sent in this trip.
    #[inline]
    pub(crate) fn stamped(&mut self, trip: u64) -> &[u8] {
        let (stamp, has_two) = (trip.to_le_bytes(), self.has_two_stamps());
        match self.outgoing.as_mut_slice() {
            [] => {}
            // Two stamps in so little room would overlap.
            [first, ..] if !has_two => *first = stamp[0],
            all => {
                let end = all.len() - STAMP;
                all[..STAMP].copy_from_slice(&stamp);
                all[end..].copy_from_slice(&stamp);
            }
        }
        &self.outgoing
    }

    /// Where the next message is received.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.incoming
    }

    /// Looks at the stamps of what came in; counts what belongs to another trip.
    #[inline]
    pub(crate) fn check_stamps(&mut self, trip: u64) {
        let stamp = trip.to_le_bytes();
        let is_right = match self.incoming.as_slice() {
            [] => true,
            [first, ..] if !self.has_two_stamps() => *first == stamp[0],
            all => all.starts_with(&stamp) && all.ends_with(&stamp),
        };
        self.spoiled += u64::from(!is_right);
    }

    /// Looks at every byte of what came in; for trips that are not measured.
    pub(crate) fn check_whole(&mut self, trip: u64) {
        let _ = self.stamped(trip);
        self.spoiled += u64::from(self.incoming != self.outgoing);
    }

    #[inline]
    const fn has_two_stamps(&self) -> bool {
        self.outgoing.len() >= 2 * STAMP
    }

    /// How many were not what they should have been.
    pub(crate) const fn spoiled(&self) -> u64 {
        self.spoiled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_was_changed_on_its_way_is_noticed() {
        for bytes in [0, 1, 8, 15, 16, 64, 4096] {
            let (mut here, mut there) = (Letter::new(bytes), Letter::new(bytes));
            let message = here.stamped(5).to_vec();
            there.room().copy_from_slice(&message);
            there.check_stamps(5);
            there.check_whole(5);
            assert_eq!(there.spoiled(), 0, "{bytes}");
            there.check_stamps(6);
            assert_eq!(there.spoiled(), u64::from(bytes > 0), "{bytes}");
            if let Some(last) = there.room().last_mut() {
                *last ^= 1;
                there.check_whole(5);
                assert_eq!(there.spoiled(), 2, "{bytes}");
            }
        }
    }
}
