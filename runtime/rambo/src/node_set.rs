//! A set of members of one configuration, by position: acknowledgements without allocation.

/// Members of a configuration, at most.
pub const MEMBERS_MAX: usize = WORDS * 64;

const WORDS: usize = 16;

/// Positions in a configuration's list of members, 0 to [`MEMBERS_MAX`] − 1. A set, never a counter: who answers twice
/// counts once (RAMBO.md §6, pitfall 7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeSet([u64; WORDS]);

impl NodeSet {
    /// Nobody.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Adds a position; says whether it is new.
    ///
    /// # Panics
    /// If the position is not below [`MEMBERS_MAX`].
    pub fn insert(&mut self, position: usize) -> bool {
        let (word, bit) = (&mut self.0[position / 64], 1 << (position % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether a position is in it.
    #[must_use]
    pub fn contains(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word & (1 << (position % 64)) != 0)
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        // Mostly one word is used, and to count is dear where the processor may be an old one.
        self.0.iter().filter(|&&word| word != 0).map(|word| word.count_ones() as usize).sum()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// Whether all of these are in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, theirs)| mine & !theirs == 0)
    }

    /// The positions, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

impl FromIterator<usize> for NodeSet {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        let mut set = Self::EMPTY;
        for position in positions {
            set.insert(position);
        }
        set
    }
}

impl std::fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_in_order_and_once() {
        let set: NodeSet = [1023, 0, 64, 63, 64].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 1023]);
        assert_eq!(set.len(), 4);
        assert!(set.contains(63) && !set.contains(62) && !set.contains(5000));
    }

    #[test]
    fn a_second_answer_is_not_new() {
        let mut set = NodeSet::EMPTY;
        assert!(set.is_empty() && set.insert(7) && !set.insert(7));
    }
}
