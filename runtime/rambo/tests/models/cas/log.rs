//! The value of the compare-and-swap register: the names that were appended to it, oldest first, at most four.

/// Base-4 digits, the oldest in the lowest place; a digit is a proposer's number and one.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Log(u8);

impl Log {
    fn entries(self) -> impl Iterator<Item = u8> {
        (0..4).map(move |place| self.0 >> (2 * place) & 3).take_while(|&entry| entry != 0)
    }

    /// With a proposer's name at its end; full, it is what it was, which every check objects to.
    pub(super) fn with(self, proposer: usize) -> Self {
        let entry = u8::try_from(proposer + 1).expect("there are two proposers");
        match self.entries().count() {
            4.. => self,
            length => Self(self.0 | entry << (2 * length)),
        }
    }

    /// How often a proposer's name is in it.
    pub(super) fn count(self, proposer: usize) -> usize {
        self.entries().filter(|&entry| usize::from(entry) == proposer + 1).count()
    }

    /// Whether one of the two begins with the other.
    pub(super) fn is_prefix_or_extension_of(self, other: Self) -> bool {
        self.entries().zip(other.entries()).all(|(mine, other)| mine == other)
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("“")?;
        for entry in self.entries() {
            f.write_str(["", "p", "q", "?"][usize::from(entry)])?;
        }
        f.write_str("”")
    }
}
