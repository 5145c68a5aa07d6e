//! Why a log cannot be written, or not be read back.

use super::medium::MediumError;
use super::segment::{FORMAT, Owner};

/// Why nothing more is stored: the node stops (RAMBO.md §6, pitfall 29).
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk did not do as asked.
    #[error("the log cannot be written: start the node again when the disk is well")]
    Medium(#[from] MediumError),
    /// It did not before, and what it has stored since then is not known.
    #[error("the log stopped after an error: start the node again when the disk is well")]
    Stopped,
}

/// Why a log is not read back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk did not do as asked.
    #[error("the log cannot be read back")]
    Medium(#[from] MediumError),
    /// There is nothing: who lost its data is not who it was (pitfall 4).
    #[error("there is no log here: whoever lost its data must join under a new identity")]
    Empty,
    /// A file is missing, or there is one too many.
    #[error(
        "segment {expected} of the log should come next, but the file that does is `{found}`: \
         restore what is missing, or empty the directory and join under a new identity"
    )]
    Sequence {
        /// What comes next.
        expected: u64,
        /// What is there instead.
        found: String,
    },
    /// Somebody else's.
    #[error(
        "`{file}` is of {found}, not of {wanted}: start it as that, or give this one another directory"
    )]
    Foreign {
        /// Where.
        file: String,
        /// Whose it is.
        found: Owner,
        /// Who was started.
        wanted: Owner,
    },
    /// What was flushed cannot be read, so what the node promised is not known: it must not answer under its identity.
    #[error(
        "`{file}` is damaged at byte {offset}: {damage}. Restore the file from this very disk, \
         or move the directory away and join under a new identity"
    )]
    Damaged {
        /// Which file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// The log was read, but a new file for what comes cannot be had.
    #[error("the log was read, and cannot be written")]
    Begin(#[source] MediumError),
}

/// What is wrong with the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Its first bytes are none that were written.
    #[error("these are not the first bytes of a segment")]
    Header,
    /// Its first bytes say that it is another file.
    #[error("the file has another's name")]
    Name,
    /// Another release's.
    #[error("the format is {0}, this release reads {FORMAT}")]
    Format(u16),
    /// A batch is not what was written.
    #[error("a batch does not have its checksum")]
    Checksum,
    /// The file ends too early.
    #[error("the file ends before its end was written")]
    Truncated,
    /// Something comes behind the end.
    #[error("there is something behind the end of the segment")]
    Behind,
    /// What was written under a right checksum is nothing that is known.
    #[error("a record cannot be understood")]
    Record,
}
