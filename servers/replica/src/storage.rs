//! What a participant keeps on disk: a log of its records, written by a thread, compacted while it is written; and the
//! directory in which a node keeps the logs of its participants, and its key.
//!
//! | file | what |
//! |---|---|
//! | `home.rs` | [`Home`]: the directory of a node, its identity, its lock |
//! | `writer.rs` | [`Writer`]: a thread that flushes all that is queued at once; `statistics.rs` |
//! | `log.rs`, `reading.rs` | [`Log`], and how it is read back |
//! | `compaction.rs`, `survivors.rs` | [`Compaction`]: complete files rewritten; which records are worth keeping |
//! | `segment.rs`, `batch.rs` | how files look; `growing.rs` writes one, `records.rs` reads one |
//! | `medium.rs` | [`Medium`]: what is asked of a disk |
//! | `directory.rs`, `memory.rs`, `breakable.rs` | [`Directory`], [`Memory`], and [`Breakable`] around either |
//!
//! A *torn* end is what a crash leaves of a batch that was being written: nobody was told that it is stored, and it is
//! cut when the log is opened. *Damage* is anything else, and is never skipped: who cannot say what it promised must not
//! answer (RAMBO.md §6, pitfalls 4 to 6). The two are told apart so: only the last file can be torn, for a file is
//! ended, and flushed, before the next is begun; in it only the last batch, for each is flushed before the next is
//! written. So a batch with a wrong checksum is torn if no more follows than one batch has, and no batch with a later
//! number; otherwise it is damaged. What remains untold is damage within the last batch that was flushed before a crash:
//! it looks torn.

mod batch;
mod breakable;
mod compaction;
mod directory;
mod error;
mod growing;
mod home;
mod log;
mod medium;
mod memory;
mod reading;
mod records;
mod segment;
mod statistics;
mod survivors;
mod writer;

pub use breakable::{Break, Breakable};
pub use compaction::{Compacted, Compaction, CompactionError};
pub use directory::Directory;
pub use error::{Damage, OpenError, StorageError};
pub use home::{Arrival, Home, HomeError, SHARDS_MAX, Why};
pub use log::{Flushed, Limits, Log};
pub use medium::{Listed, Medium, MediumError, Operation, RESERVE_BYTES, Space, Tail};
pub use memory::Memory;
pub use reading::{Reading, Recovered};
pub use segment::Owner;
pub use statistics::Statistics;
pub use writer::Writer;
