//! What each place of a server is doing now, in the letters of Apache's scoreboard (mod_status).
//!
//! Nothing is written for it: it is read from the lines in which whoever serves says where its connection stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a worker, or the place for a connection, is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// A standing worker that has no connection.
    Waiting,
    /// A connection on which nothing has been asked yet.
    Reading,
    /// A request that is being served or answered.
    Serving,
    /// A connection that rests between two requests.
    KeptAlive,
    /// A connection of a server that drains.
    Finishing,
    /// Room for a connection, with nobody standing there.
    Open,
}

impl Slot {
    /// All, in the order of a legend.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Reading, Self::Serving, Self::KeptAlive, Self::Finishing, Self::Open];

    /// As mod_status writes it.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Waiting => '_',
            Self::Reading => 'R',
            Self::Serving => 'W',
            Self::KeptAlive => 'K',
            Self::Finishing => 'G',
            Self::Open => '.',
        }
    }

    /// As a legend says it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Waiting => "waits for a connection",
            Self::Reading => "has a connection and reads its first request",
            Self::Serving => "serves a request",
            Self::KeptAlive => "keeps a connection between two requests",
            Self::Finishing => "finishes, the server drains",
            Self::Open => "room for a connection",
        }
    }

    /// Of a connection: the number of its latest request, and whether that is being served.
    pub(crate) const fn of(request: u64, is_serving: bool, is_ending: bool) -> Self {
        match (request, is_serving) {
            _ if is_ending => Self::Finishing,
            (_, true) => Self::Serving,
            (0, false) => Self::Reading,
            (_, false) => Self::KeptAlive,
        }
    }
}

/// All places of a server: those that have a connection first, then workers that wait, then open ones.
/// Serialized: their letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Slots(Vec<Slot>);

impl Slots {
    /// Connections, and up to `standing` workers, and up to `most` places.
    pub(crate) fn new(mut held: Vec<Slot>, standing: usize, most: usize) -> Self {
        for (filler, count) in [(Slot::Waiting, standing), (Slot::Open, most)] {
            held.resize(held.len().max(count), filler);
        }
        Self(held)
    }

    /// How many do this.
    #[must_use]
    pub fn count(&self, slot: Slot) -> usize {
        self.0.iter().filter(|one| **one == slot).count()
    }

    /// How many have a connection.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.0.len() - self.count(Slot::Waiting) - self.count(Slot::Open)
    }
}

impl From<Slots> for String {
    fn from(slots: Slots) -> Self {
        slots.to_string()
    }
}

impl TryFrom<String> for Slots {
    type Error = String;

    fn try_from(letters: String) -> Result<Self, String> {
        let slot = |letter| {
            let found = Slot::ALL.into_iter().find(|slot| slot.letter() == letter);
            found.ok_or_else(|| format!("there is no slot `{letter}`"))
        };
        letters.chars().map(slot).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Slots {
    /// A letter for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|slot| fmt::Write::write_char(f, slot.letter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_where_its_requests_are() {
        let of = |request, is_serving| Slot::of(request, is_serving, false).letter();
        assert_eq!([of(0, false), of(1, true), of(1, false), of(2, true)], ['R', 'W', 'K', 'W']);
        assert_eq!(Slot::of(1, true, true), Slot::Finishing);
    }

    #[test]
    fn workers_wait_and_the_rest_is_open() {
        let held = vec![Slot::Serving, Slot::KeptAlive];
        let slots = Slots::new(held.clone(), 4, 6);
        assert_eq!(slots.to_string(), "WK__..");
        assert_eq!((slots.busy(), slots.count(Slot::Waiting)), (2, 2));
        assert_eq!(Slots::new(held, 1, 2).to_string(), "WK", "more than stand there");
        assert_eq!(Slots::new(Vec::new(), 0, 3).to_string(), "...");
        assert_eq!(Slots::try_from("WK__..".to_owned()), Ok(slots));
        assert!(Slots::try_from("WX".to_owned()).is_err());
    }
}
