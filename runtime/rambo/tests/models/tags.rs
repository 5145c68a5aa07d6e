//! Tags, and the floor under them: the oracle that says whether a register is atomic.

use crate::told::node_letter;

/// The version of a value: a sequence number above the number of its writer, of whom there are at most four.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag(u8);

impl Tag {
    /// Nothing was written.
    pub(crate) const ZERO: Self = Self(0);

    /// It is a byte.
    pub(crate) fn byte(self) -> u8 {
        self.0
    }

    /// What `writer` gives to the value that it writes after this one.
    pub(crate) fn after(self, writer: usize) -> Self {
        let sequence = self.0 / 4 + 1;
        Self(sequence * 4 + u8::try_from(writer).expect("there are at most four writers"))
    }
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::ZERO => f.write_str("0"),
            Self(tag) => write!(f, "{}{}", tag / 4, node_letter(tag % 4)),
        }
    }
}

/// The largest tag of a completed operation. What begins later may not end below it, and a write must end above it:
/// together with unique tags that is atomicity (RAMBO.md §1.8, L3), and it needs no search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Floor(Tag);

impl Floor {
    /// The largest tag of a completed operation.
    pub(crate) fn tag(self) -> Tag {
        self.0
    }

    /// An operation has completed with `tag`.
    pub(crate) fn raise(&mut self, tag: Tag) {
        self.0 = self.0.max(tag);
    }

    /// Whether a read that began above this floor may return `tag`.
    pub(crate) fn allows_read(self, tag: Tag) -> bool {
        tag >= self.0
    }

    /// Whether a write that began above this floor may have used `tag`.
    pub(crate) fn allows_write(self, tag: Tag) -> bool {
        tag > self.0
    }
}
