//! The log on disks that break, and with what real participants store.

mod compaction;
mod crashes;
mod damage;
mod domain;
mod scribe;
mod strikes;
mod writing;
