//! Single runs whose every message is placed by hand: what the slides draw, played by the real participants.
//!
//! | file | what |
//! |---|---|
//! | `ballots.rs` | several proposers, and why the last one may not propose what it wants (slides 22 to 25) |
//! | `lost_write.rs` | a write that is lost when a configuration goes as soon as the next is decided (slide 28) |
//! | `director.rs` | places the messages |

use serde::Serialize;

use crate::trace::Trace;

mod ballots;
mod director;
mod lost_write;

/// A story, told to its end.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// What it is about.
    pub title: String,
    /// What happened and why, in order.
    pub says: Vec<String>,
    /// Whether what must hold did at the end.
    pub holds: bool,
    /// For drawing.
    pub trace: Trace,
}

/// The stories there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Story {
    /// Five ballots of three proposers among five members.
    Ballots,
    /// Slide 28: the old configuration goes with the decision, and a write with it.
    LostWrite,
    /// The same messages under the rules that hold: the write is there.
    KeptWrite,
    /// The same under slide 28's own remedy: the old configuration goes one decision later, and its register travels
    /// with every map.
    DeferredRemoval,
}

impl Story {
    /// All, with the names that the command line takes.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Ballots, "ballots"),
        (Self::LostWrite, "lost-write"),
        (Self::KeptWrite, "kept-write"),
        (Self::DeferredRemoval, "deferred-removal"),
    ];

    /// Plays it; the same each time.
    #[must_use]
    pub fn tell(self) -> Told {
        match self {
            Self::Ballots => ballots::tell(),
            Self::LostWrite => lost_write::tell(lost_write::Rules::DropAtDecision),
            Self::KeptWrite => lost_write::tell(lost_write::Rules::Upgrade),
            Self::DeferredRemoval => lost_write::tell(lost_write::Rules::Deferred),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_write_whose_configuration_goes_too_early_is_lost() {
        for (story, name) in Story::ALL {
            let told = story.tell();
            assert_eq!(told.holds, story != Story::LostWrite, "{name}: {:#?}", told.says);
            assert!(!told.trace.events.is_empty() && told.trace.dropped == 0, "{name}");
        }
    }

    #[test]
    fn a_story_is_the_same_each_time() {
        for (story, name) in Story::ALL {
            let page = |told: Told| serde_json::to_string(&told).unwrap();
            assert_eq!(page(story.tell()), page(story.tell()), "{name}");
        }
    }
}
