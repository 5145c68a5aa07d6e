//! How much to ask for when a block is missing: more the longer a file has been read in a row.
//!
//! Source: Linux' `mm/readahead.c`, in its simplest form. Deviation: nothing is asked for before it is missed, because a
//! blocking client has nobody who could wait for it.

/// Where the reader of one open file is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadAhead {
    /// Where the next read begins if it goes on from the last one, in bytes.
    expected: u64,
    /// Reads up to now are in a row.
    in_a_row: bool,
    /// Blocks that were asked for last.
    window: u64,
}

impl ReadAhead {
    /// A read begins here, and has so many bytes.
    pub(super) fn note(&mut self, offset: u64, length: u64) {
        self.in_a_row = offset == self.expected;
        if !self.in_a_row {
            self.window = 0;
        }
        self.expected = offset.saturating_add(length);
    }

    /// Of the blocks of the read that was noted last, so many in a row are missing from here on: blocks to ask for, at
    /// least these. Twice as many as last time while reads are in a row, up to `window_max`.
    pub(super) fn window(&mut self, missing: u64, window_max: u64) -> u64 {
        self.window = if self.in_a_row { (self.window * 2).clamp(1, window_max) } else { 0 };
        self.window.max(missing)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_window_doubles_while_reads_are_in_a_row() {
        let mut ahead = ReadAhead::default();
        let mut windows = Vec::new();
        let mut missing_from = 0;
        for block in 0..32 {
            ahead.note(block * 100, 100);
            if block >= missing_from {
                let window = ahead.window(1, 8);
                missing_from = block + window;
                windows.push(window);
            }
        }
        assert_eq!(windows, [1, 2, 4, 8, 8, 8, 8]);
        ahead.note(7, 1);
        assert_eq!(ahead.window(1, 8), 1, "a jump ends the row");
        ahead.note(8, 1);
        assert_eq!(ahead.window(1, 8), 1, "and the next begins as the first did");
    }

    #[test]
    fn a_large_read_is_asked_for_as_a_whole() {
        let mut ahead = ReadAhead::default();
        ahead.note(0, 5000);
        assert_eq!(ahead.window(50, 8), 50);
        ahead.note(0, 5000);
        assert_eq!(ahead.window(50, 8), 50);
    }

    proptest! {
        #[test]
        fn reads_here_and_there_ask_for_nothing_more(offsets in prop::collection::vec(1_u64..1 << 40, 1..50), max in 1_u64..64) {
            let mut ahead = ReadAhead::default();
            let mut last = 0;
            for offset in offsets {
                ahead.note(offset, 10);
                let window = ahead.window(1, max);
                prop_assert!(window <= max);
                if offset != last {
                    prop_assert_eq!(window, 1);
                }
                last = offset + 10;
            }
        }
    }
}
