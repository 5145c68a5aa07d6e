//! What somebody knows of the configurations, and quorums of several configurations at once.

/// Configurations in a model, at most: c0, c1, c2.
pub(crate) const CONFIGS: usize = 3;

/// A set of nodes or of configurations, by number.
pub(crate) type Set = u8;

/// What is known of one configuration. Knowledge only grows, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Status {
    /// ⊥: nothing.
    #[default]
    Unknown,
    /// Decided, and operations need its quorums.
    Active,
    /// ±: removed.
    Removed,
}

/// The configuration map of RAMBO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Map([Status; CONFIGS]);

impl Map {
    /// Only c0 is known.
    pub(crate) const FIRST: Self = Self([Status::Active, Status::Unknown, Status::Unknown]);
    /// All three are decided, none is removed.
    pub(crate) const ALL: Self = Self([Status::Active; CONFIGS]);

    /// It fits in a byte.
    pub(crate) fn byte(self) -> u8 {
        self.0.iter().fold(0, |byte, &status| byte * 3 + status as u8)
    }

    /// Takes over what another map knows more.
    pub(crate) fn learn(&mut self, other: Self) {
        for (mine, other) in self.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(other);
        }
    }

    /// Makes some configurations active that were not known.
    pub(crate) fn decide(&mut self, configs: Set) {
        for config in each(configs) {
            self.0[config] = self.0[config].max(Status::Active);
        }
    }

    /// Removes some configurations.
    pub(crate) fn remove(&mut self, configs: Set) {
        for config in each(configs) {
            self.0[config] = Status::Removed;
        }
    }

    /// The configurations whose quorums an operation needs.
    pub(crate) fn active(self) -> Set {
        self.those(Status::Active)
    }

    /// The configurations that are gone.
    pub(crate) fn removed(self) -> Set {
        self.those(Status::Removed)
    }

    fn those(self, status: Status) -> Set {
        (0..CONFIGS).filter(|&config| self.0[config] == status).map(|config| 1 << config).sum()
    }
}

/// The members of a set, ascending.
pub(crate) fn each(set: Set) -> impl Iterator<Item = usize> {
    (0..8).filter(move |&member| has(set, member))
}

/// Whether `member` is in `set`.
pub(crate) fn has(set: Set, member: usize) -> bool {
    set & 1 << member != 0
}

/// How many of each configuration's members make a quorum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quorums {
    pub(crate) read: u32,
    pub(crate) write: u32,
}

impl Quorums {
    /// Two of three, for both.
    pub(crate) const MAJORITY: Self = Self { read: 2, write: 2 };

    /// How many nodes hold both a read quorum and a write quorum.
    pub(crate) fn both(self) -> u32 {
        self.read.max(self.write)
    }
}

/// Who the members of each configuration are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members(pub(crate) [Set; CONFIGS]);

impl Members {
    /// Everybody in one of these configurations.
    pub(crate) fn of(&self, configs: Set) -> Set {
        each(configs).fold(0, |members, config| members | self.0[config])
    }

    /// Whether `nodes` hold `needed` members of each of these configurations.
    pub(crate) fn covered(&self, configs: Set, nodes: Set, needed: u32) -> bool {
        each(configs).all(|config| (nodes & self.0[config]).count_ones() >= needed)
    }
}
