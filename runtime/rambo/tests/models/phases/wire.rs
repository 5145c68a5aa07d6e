//! What is in the messages.

/// The number of a phase: which of a boot's phases it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Label {
    pub(super) boot: u8,
    pub(super) phase: u8,
}

/// The tags that one node has put into replies of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TagSet(u32);

impl TagSet {
    pub(super) fn insert(&mut self, tag: PhaseTag) {
        self.0 |= 1 << tag.0;
    }

    pub(super) fn iter(self) -> impl Iterator<Item = PhaseTag> {
        (0..32).filter(move |tag| self.0 & 1 << tag != 0).map(PhaseTag)
    }
}

/// A tag of the one writer: sequence, boot, and which of the boot's writes, below 4, 2 and 4.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PhaseTag(u8);

impl PhaseTag {
    /// The tag of a write that found this one.
    ///
    /// # Panics
    /// If the model is larger than its tags.
    pub(super) fn next(self, boot: u8, write: u8) -> Self {
        let sequence = self.0 / 8 + 1;
        assert!(sequence < 4 && boot < 2 && write < 4, "{sequence}.{boot}.{write} does not fit");
        Self(sequence * 8 + boot * 4 + write)
    }
}

impl std::fmt::Debug for PhaseTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            tag => write!(f, "{}.{}.{}", tag / 8, tag / 4 % 2, tag % 4),
        }
    }
}
