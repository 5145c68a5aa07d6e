//! Which cells a quick, a usual and a full run measure, and which pairs they compare.

mod cells;

use std::str::FromStr;

use crate::memory;
use crate::{Cores, Key, Pages, Pattern, Policy, Section, Unit};
use cells::{ACROSS, SHARED, creations, hop, ring_sizes, working_set};

/// How much of the matrix a run measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// What answers the main questions, in some ten seconds.
    Quick,
    /// What the report's pictures need, in about a minute.
    #[default]
    Usual,
    /// Every cell there is.
    Full,
}

/// What a run is about: the subcommands of `palco bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Switching, with working sets and rings.
    Switch,
    /// The ring alone.
    Ring,
    /// Making units.
    Create,
    /// Memory of idle units.
    Memory,
    /// Messages between two processes or threads.
    Ipc,
}

impl Topic {
    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Ring => "ring",
            Self::Create => "create",
            Self::Memory => "memory",
            Self::Ipc => "ipc",
        }
    }
}

/// Which cells of a topic are wanted; empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Units.
    pub units: Vec<Unit>,
    /// Mechanisms.
    pub mechanisms: Vec<String>,
    /// Working sets in bytes.
    pub working_sets: Vec<u64>,
    /// Orders in which working sets are touched.
    pub patterns: Vec<Pattern>,
    /// Sizes of their pages.
    pub pages: Vec<Pages>,
    /// Where the sides run.
    pub cores: Vec<Cores>,
    /// How they are scheduled.
    pub policies: Vec<Policy>,
    /// Sizes of rings.
    pub ring: Option<(u32, u32)>,
}

impl Filter {
    /// Whether nothing in it speaks against this cell.
    fn wants(&self, key: &Key) -> bool {
        fn wants<T: PartialEq>(wanted: &[T], it: &T) -> bool {
            wanted.is_empty() || wanted.contains(it)
        }
        let has_set = key.section == Section::WorkingSet;
        wants(&self.units, &key.unit)
            && wants(&self.mechanisms, &key.mechanism)
            && wants(&self.cores, &key.cores)
            && wants(&self.policies, &key.policy)
            && (!has_set || wants(&self.working_sets, &key.working_set))
            && key.pattern.is_none_or(|pattern| wants(&self.patterns, &pattern))
            && key.pages.is_none_or(|pages| wants(&self.pages, &pages))
    }

    /// Whether this cell is there because it is wanted: the harness's own yardsticks are there anyway.
    pub(crate) fn asks_for(&self, key: &Key) -> bool {
        self.wants(key) && (!is_yardstick(key) || self.mechanisms.contains(&key.mechanism))
    }
}

/// Two cells to be measured in turns and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The question, as a sentence fragment.
    pub question: String,
    /// What is compared.
    pub subject: Key,
    /// With what.
    pub baseline: Key,
}

/// The cells of a run, and its pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    /// Every cell once.
    pub keys: Vec<Key>,
    /// Only of cells that are among them.
    pub pairs: Vec<Pair>,
}

impl Matrix {
    /// What a run of this topic and extent measures, as far as `filter` wants it.
    #[must_use]
    pub fn of(topic: Topic, extent: Extent, filter: &Filter) -> Self {
        let mut matrix = match topic {
            Topic::Switch => Self::switch(extent),
            Topic::Ring => Self::default().with_rings(ring_sizes(extent, filter)),
            Topic::Create => Self::of_keys(creations(extent)),
            Topic::Memory => Self::of_keys(memory::keys()),
            Topic::Ipc => Self::ipc(extent),
        };
        if topic == Topic::Switch {
            matrix.widen(filter);
        }
        // In every run: a judge that has not been seen to object proves nothing.
        matrix.add(Key::new(Section::Floor, Unit::Thread, "broken"));
        matrix.keep(filter);
        matrix
    }

    fn of_keys(keys: Vec<Key>) -> Self {
        Self { keys, pairs: Vec::new() }
    }

    fn add(&mut self, key: Key) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }

    fn compare(&mut self, question: impl Into<String>, subject: Key, baseline: Key) {
        self.add(subject.clone());
        self.add(baseline.clone());
        self.pairs.push(Pair { question: question.into(), subject, baseline });
    }

    /// Cells that a filter names and the extent does not have.
    fn widen(&mut self, filter: &Filter) {
        let units = [Unit::Fiber, Unit::Thread, Unit::Process];
        for &bytes in &filter.working_sets {
            for unit in units {
                for pattern in or(&filter.patterns, &[Pattern::Chase]) {
                    for pages in or(&filter.pages, &[Pages::Small]) {
                        self.add(working_set(unit, bytes, pattern, pages));
                    }
                }
            }
        }
        for mechanism in &filter.mechanisms {
            for unit in [Unit::Thread, Unit::Process] {
                for cores in or(&filter.cores, &[Cores::Same]) {
                    for policy in or(&filter.policies, &[Policy::Fifo]) {
                        let key = hop(unit, mechanism, cores);
                        let exists = SHARED
                            .iter()
                            .chain(&ACROSS)
                            .chain(&["udp"])
                            .any(|name| name == mechanism);
                        if exists {
                            self.add(Key { policy, ..key });
                        }
                    }
                }
            }
        }
    }

    /// Takes every row out of real time; those that are there without it already are not there twice.
    pub(crate) fn schedule_as_usual(&mut self) {
        let usual = |key: Key| Key { policy: Policy::Other, ..key };
        for key in std::mem::take(&mut self.keys) {
            self.add(usual(key));
        }
        for Pair { subject, baseline, .. } in &mut self.pairs {
            (subject.policy, baseline.policy) = (Policy::Other, Policy::Other);
        }
    }

    /// Leaves out what nobody wants. The harness's own yardsticks stay.
    fn keep(&mut self, filter: &Filter) {
        self.keys.retain(|key| {
            let is_kernels = key.unit == Unit::Thread && key.mechanism == "futex-private";
            is_yardstick(key)
                || (is_kernels && key.section == Section::Switch && key.policy == Policy::Fifo)
                || filter.wants(key)
        });
        let keys = &self.keys;
        self.pairs.retain(|pair| keys.contains(&pair.subject) && keys.contains(&pair.baseline));
    }
}

/// Whether it is there to judge the harness.
fn is_yardstick(key: &Key) -> bool {
    matches!(key.mechanism.as_str(), "bare" | "broken")
}

fn or<T: Copy>(wanted: &[T], usual: &[T]) -> Vec<T> {
    if wanted.is_empty() { usual.to_vec() } else { wanted.to_vec() }
}

/// Whether any cell of topic `switch`, the one that can be filtered by it, has this mechanism.
///
/// # Errors
/// A sentence that lists the known ones.
pub fn check_mechanism(name: &str) -> Result<(), String> {
    let all = Matrix::of(Topic::Switch, Extent::Full, &Filter::default()).keys;
    let mut known: Vec<_> = all.iter().map(|key| key.mechanism.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&name) {
        return Ok(());
    }
    Err(format!("there is no mechanism `{name}`; there are: {}", known.join(", ")))
}

/// Bytes, as `0`, `16K` or `4M` on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, shift) = match text.as_bytes().last() {
            Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
            Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
            _ => (text, 0),
        };
        let number: u64 = digits.parse().map_err(|_| {
            format!("`{text}` is no size: a number of bytes, or of K or M as 64K, at most 64M")
        })?;
        let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes <= 64 << 20);
        bytes.map(Self).ok_or_else(|| format!("`{text}` is too much: at most 64M a side"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_of_cells_that_are_measured_and_no_cell_is_measured_twice() {
        for topic in [Topic::Switch, Topic::Ring, Topic::Create, Topic::Memory, Topic::Ipc] {
            for extent in [Extent::Quick, Extent::Usual, Extent::Full] {
                let matrix = Matrix::of(topic, extent, &Filter::default());
                let mut ids: Vec<_> = matrix.keys.iter().map(Key::to_string).collect();
                ids.sort();
                let all = ids.len();
                ids.dedup();
                assert_eq!(ids.len(), all, "{topic:?} {extent:?}");
                for pair in &matrix.pairs {
                    assert!(
                        matrix.keys.contains(&pair.subject) && matrix.keys.contains(&pair.baseline)
                    );
                }
            }
        }
    }

    #[test]
    fn a_filter_leaves_the_yardsticks() {
        let filter = Filter { units: vec![Unit::Process], ..Filter::default() };
        let matrix = Matrix::of(Topic::Switch, Extent::Usual, &filter);
        assert!(matrix.keys.iter().any(|key| key.mechanism == "broken"));
        let others = matrix.keys.iter().filter(|key| key.unit != Unit::Process);
        let names: Vec<_> = others.map(|key| key.mechanism.as_str()).collect();
        assert_eq!(names, ["bare", "futex-private", "broken"]);
    }

    #[test]
    fn a_filter_may_ask_for_what_the_usual_run_does_not_have() {
        let filter = Filter { working_sets: vec![8 << 20], ..Filter::default() };
        let matrix = Matrix::of(Topic::Switch, Extent::Quick, &filter);
        let sets: Vec<_> =
            matrix.keys.iter().filter(|key| key.section == Section::WorkingSet).collect();
        assert_eq!(sets.len(), 3);
        assert!(sets.iter().all(|key| key.working_set == 8 << 20));
    }

    #[test]
    fn yardsticks_are_there_unasked() {
        let asked = |filter: &Filter| {
            let keys = Matrix::of(Topic::Switch, Extent::Usual, filter).keys;
            keys.iter().filter(|key| filter.asks_for(key)).count()
        };
        let units = vec![Unit::Process];
        let of = |name: &str| Filter {
            units: units.clone(),
            mechanisms: vec![name.to_owned()],
            ..Filter::default()
        };
        assert!(asked(&of("pipe")) > 0);
        assert_eq!(asked(&of("futex-private")), 0, "only threads have it");
        assert_eq!(check_mechanism("pipe"), Ok(()));
        assert!(check_mechanism("fork-wait").is_err_and(|error| error.contains("tokio-notify")));
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!("64K".parse(), Ok(Bytes(65_536)));
        assert_eq!("0".parse(), Ok(Bytes(0)));
        for wrong in ["", "K", "-1", "1G", "65M", "99999999999999999999M"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
    }
}
