//! Resident memory of actors that have handled one message and now do nothing.
//!
//! What one contestant has freed, the next would be given again and seem to need nothing. So all that are weighed in
//! one run are kept until the last one has been.

use std::fs;
use std::thread;

use super::contest::Refusal;
use super::{Question, Settings};
use crate::report::MemoryRow;

/// One row of a memory table.
pub(crate) struct Holder {
    pub(crate) question: Question,
    pub(crate) name: &'static str,
    pub(crate) setting: &'static str,
    /// Starts so many actors, asks each once, and keeps them.
    pub(crate) hold: fn(usize) -> Result<Held, Refusal>,
}

/// Ends the actors that are kept.
pub(crate) type Held = Box<dyn FnOnce() + Send>;

const TASKS: usize = 100_000;
const THREADS: usize = 1_000;

/// Pages of memory have 4 KiB wherever palco runs.
const PAGE_BYTES: u64 = 4096;

/// Weighs one after the other; `turn` is told who is next.
pub(crate) fn weigh(
    holders: &[Holder],
    settings: &Settings,
    mut turn: impl FnMut(&Holder, usize),
) -> Vec<MemoryRow> {
    let mut kept = Vec::new();
    let mut rows = Vec::new();
    for (index, holder) in holders.iter().enumerate() {
        turn(holder, index);
        let actors = count(holder.question, settings);
        let before = resident_bytes();
        let held = thread::scope(|scope| scope.spawn(|| (holder.hold)(actors)).join())
            .unwrap_or(Err(Refusal::Panicked));
        let grown = resident_bytes().saturating_sub(before);
        let (bytes_per_actor, refused) = match held {
            Ok(held) => {
                kept.push(held);
                (Some(grown / actors as u64), None)
            }
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        rows.push(MemoryRow {
            question: holder.question,
            name: holder.name.to_owned(),
            setting: holder.setting.to_owned(),
            actors,
            bytes_per_actor,
            refused,
        });
    }
    for held in kept {
        held();
    }
    rows
}

fn count(question: Question, settings: &Settings) -> usize {
    let whole = if question == Question::MemoryThread { THREADS } else { TASKS };
    if settings.quick { whole / 10 } else { whole }
}

fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_touched_is_resident() {
        let before = resident_bytes();
        let touched = vec![1_u8; 64 << 20];
        assert!(resident_bytes() >= before + (60 << 20), "{}", touched.len());
    }
}
