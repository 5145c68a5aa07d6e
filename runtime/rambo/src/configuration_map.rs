//! The configuration map: what a participant knows of the sequence of configurations (slides 12 to 15).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Configuration, Index};

/// Configurations that may be active at once, at most; each adds its quorums to every operation (RAMBO.md §6,
/// pitfall 10).
pub const ACTIVE_MAX: usize = 8;

/// Of the sequence ⊥ (not known), c (active) and ± (removed) of slide 13, what lies between: all below `base` is
/// removed, then at least one active configuration, then nothing is known. Holes cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Active", into = "Active")]
pub struct ConfigurationMap {
    /// 1 to [`ACTIVE_MAX`], each index one more than that before.
    active: Vec<Arc<Configuration>>,
}

/// How much of the sequence a map knows; sent with every message. `0..0` knows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    /// All below are removed.
    pub base: Index,
    /// One more than the last that is known.
    pub end: Index,
}

impl Version {
    /// Whether this knows anything that the other does not. Both may, of each other.
    #[must_use]
    pub fn knows_more_than(self, other: Self) -> bool {
        self.base > other.base || self.end > other.end
    }
}

/// Why a map was refused, or could not be united with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Nothing would be active.
    #[error("a configuration map without an active configuration")]
    Empty,
    /// More than can be active at once.
    #[error("a configuration map with {0} active configurations, at most {ACTIVE_MAX} can be")]
    Many(usize),
    /// A hole would have to be acted upon (pitfall 24).
    #[error("a configuration map in which {1} follows {0}")]
    Hole(Index, Index),
    /// Two configurations for one index: consensus was broken, or somebody is not who it says it is.
    #[error("two different configurations with the index {0}")]
    Disagreement(Index),
}

impl ConfigurationMap {
    /// The map of who knows one configuration.
    #[must_use]
    pub fn of(configuration: Configuration) -> Self {
        Self { active: vec![Arc::new(configuration)] }
    }

    /// All below are removed.
    #[must_use]
    pub fn base(&self) -> Index {
        self.active[0].index()
    }

    /// The newest that is known.
    #[must_use]
    pub fn top(&self) -> &Arc<Configuration> {
        self.active.last().expect("at least one is active")
    }

    /// Oldest first; 1 to [`ACTIVE_MAX`].
    #[must_use]
    pub fn active(&self) -> &[Arc<Configuration>] {
        &self.active
    }

    /// The active configuration with this index.
    #[must_use]
    pub fn find(&self, index: Index) -> Option<&Arc<Configuration>> {
        self.active.get(usize::try_from(index.checked_sub(self.base())?).ok()?)
    }

    /// How much it knows.
    #[must_use]
    pub fn version(&self) -> Version {
        Version { base: self.base(), end: self.top().index().saturating_add(1) }
    }

    /// What both know together: the larger base, and all active configurations of either from there on. Commutative,
    /// associative and idempotent; none if `other` adds nothing.
    ///
    /// # Errors
    /// The two differ in a configuration, or more than [`ACTIVE_MAX`] would be active.
    pub fn merge(&self, other: &Self) -> Result<Option<Self>, MapError> {
        for mine in &self.active {
            if other.find(mine.index()).is_some_and(|theirs| theirs != mine) {
                return Err(MapError::Disagreement(mine.index()));
            }
        }
        if !other.version().knows_more_than(self.version()) {
            return Ok(None);
        }
        let base = self.base().max(other.base());
        let (short, long) =
            if self.top().index() < other.top().index() { (self, other) } else { (other, self) };
        // Each is without holes, so the one that reaches further holds all above the other's end, from `base` on
        // unless it begins later than the base, which cannot be: then its own would be the base.
        let from = |map: &Self, first: Index| {
            map.active
                .iter()
                .filter(move |configuration| configuration.index() >= first)
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut active = from(short, base);
        let next = active.last().map_or(base, |last| last.index() + 1);
        active.extend(from(long, next));
        Self::without_holes(active).map(Some)
    }

    /// With a decided configuration behind the newest.
    ///
    /// # Errors
    /// It is not the next one, or too many would be active.
    pub fn with_next(&self, configuration: Configuration) -> Result<Self, MapError> {
        let mut active = self.active.clone();
        active.push(Arc::new(configuration));
        Self::without_holes(active)
    }

    /// With all below `base` removed; the same if they are already.
    ///
    /// # Panics
    /// If nothing would be left active.
    #[must_use]
    pub fn from_base(&self, base: Index) -> Self {
        let active: Vec<_> = self
            .active
            .iter()
            .filter(|configuration| configuration.index() >= base)
            .cloned()
            .collect();
        assert!(!active.is_empty(), "something stays active");
        Self { active }
    }

    fn without_holes(active: Vec<Arc<Configuration>>) -> Result<Self, MapError> {
        if active.is_empty() {
            return Err(MapError::Empty);
        }
        if active.len() > ACTIVE_MAX {
            return Err(MapError::Many(active.len()));
        }
        if let Some(pair) =
            active.windows(2).find(|pair| pair[0].index().checked_add(1) != Some(pair[1].index()))
        {
            return Err(MapError::Hole(pair[0].index(), pair[1].index()));
        }
        Ok(Self { active })
    }
}

impl fmt::Display for ConfigurationMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, configuration) in self.active.iter().enumerate() {
            write!(f, "{}{configuration}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// A map as it is sent and stored.
#[derive(Serialize, Deserialize)]
struct Active(Vec<Configuration>);

impl TryFrom<Active> for ConfigurationMap {
    type Error = MapError;

    fn try_from(Active(active): Active) -> Result<Self, MapError> {
        Self::without_holes(active.into_iter().map(Arc::new).collect())
    }
}

impl From<ConfigurationMap> for Active {
    fn from(map: ConfigurationMap) -> Self {
        Self(map.active.into_iter().map(Arc::unwrap_or_clone).collect())
    }
}
