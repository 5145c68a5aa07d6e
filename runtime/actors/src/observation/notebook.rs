//! One actor's notes.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam::atomic::AtomicCell;
use palco_core::Time;
use parking_lot::Mutex;

use super::notes::{MessageNote, StepNote};
use super::stamp::Stamp;
use crate::DropReason;
use crate::envelope::TypeName;
use crate::vitals::Vitals;

/// How many messages, and how many steps, an actor's notebook keeps.
const KEPT_MAX: usize = 64;

/// How many types of messages are counted each by itself.
const TYPES_MAX: usize = 32;

/// Powers of two of a microsecond, up to about half an hour.
const BUCKETS: usize = 32;

/// Made when the first note is taken.
#[derive(Debug, Default)]
pub(crate) struct Notebook {
    types: Types,
    waited: Distribution,
    ran: Distribution,
    /// There is a note that is to be ended. Most messages have none: they neither lock nor look at the clock.
    runs: AtomicBool,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    running: Option<MessageNote>,
    messages: VecDeque<MessageNote>,
    steps: VecDeque<StepNote>,
}

/// What an actor's notebook says. Durations are counted by powers of two: bucket `i` holds those below `2^i`
/// microseconds and not below `2^(i-1)`.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// How long messages waited in the mailbox.
    pub waited: Vec<u64>,
    /// How long their handlers ran.
    pub ran: Vec<u64>,
    /// Messages handled to their end by type, since the system is observed; the last is `other` if there were too many
    /// types.
    pub types: Vec<(&'static str, u64)>,
    /// The message whose handler runs, if it is observed.
    pub running: Option<MessageNote>,
    /// The latest observed messages whose handlers have ended, oldest first.
    pub messages: Vec<MessageNote>,
    /// The latest steps, oldest first.
    pub steps: Vec<StepNote>,
}

/// Counts of durations.
#[derive(Debug)]
struct Distribution([AtomicU64; BUCKETS]);

impl Default for Distribution {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Distribution {
    fn count(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        self.0[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    fn counts(&self) -> Vec<u64> {
        let mut counts: Vec<u64> =
            self.0.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let used = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        counts.truncate(used);
        counts
    }
}

/// Counts by type; written by the actor's own place only.
struct Types {
    names: [AtomicCell<Option<TypeName>>; TYPES_MAX],
    /// The last is for all others.
    counts: [AtomicU64; TYPES_MAX + 1],
}

impl Default for Types {
    fn default() -> Self {
        Self {
            names: [const { AtomicCell::new(None) }; TYPES_MAX],
            counts: [const { AtomicU64::new(0) }; TYPES_MAX + 1],
        }
    }
}

impl std::fmt::Debug for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.counts()).finish()
    }
}

impl Types {
    fn count(&self, message: TypeName) {
        // A type may have several addresses: they are added up when somebody reads.
        let known = self.names.iter().position(|name| match name.load() {
            Some(known) => std::ptr::fn_addr_eq(known, message),
            None => {
                name.store(Some(message));
                true
            }
        });
        let count = &self.counts[known.unwrap_or(TYPES_MAX)];
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts: Vec<(&'static str, u64)> = Vec::new();
        let others = self.counts[TYPES_MAX].load(Ordering::Relaxed);
        let named = self.names.iter().map_while(AtomicCell::load).map(|name| name());
        let named =
            named.zip(&self.counts).map(|(name, count)| (name, count.load(Ordering::Relaxed)));
        for (name, count) in named {
            match counts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => counts.push((name, count)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if others > 0 {
            counts.push(("other", others));
        }
        counts
    }
}

impl Notebook {
    pub(crate) fn count_type(&self, message: TypeName) {
        self.types.count(message);
    }

    /// The handler of an observed message begins.
    pub(crate) fn begin(&self, of: &Vitals, stamp: &Stamp, message: &'static str, ask: bool) {
        let now = of.system.clock().now();
        self.waited.count(now - stamp.sent);
        self.runs.store(true, Ordering::Relaxed);
        self.pages.lock().running = Some(MessageNote::begin(stamp, of.id, message, ask, now));
    }

    /// It has ended.
    pub(crate) fn end(&self, of: &Vitals, dropped: Option<DropReason>) {
        // Begun and ended by one thread.
        if !self.runs.load(Ordering::Relaxed) {
            return;
        }
        self.runs.store(false, Ordering::Relaxed);
        let now = of.system.clock().now();
        let mut pages = self.pages.lock();
        let Some(note) = pages.running.take() else { return };
        self.ran.count(now - note.begun);
        let note = MessageNote { ended: Some(now), dropped, ..note };
        if of.system.observation().captured.is_on() {
            of.system.observation().captured.message(of, &note);
        }
        keep(&mut pages.messages, note);
    }

    /// The message whose handler runs will be handled again.
    pub(crate) fn forget(&self) {
        self.runs.store(false, Ordering::Relaxed);
        self.pages.lock().running = None;
    }

    /// The handler says what it is doing; nothing at its end.
    pub(crate) fn step(&self, of: &Vitals, trace: u64, what: Option<Cow<'static, str>>, at: Time) {
        let note = StepNote { actor: of.id, trace, what, at };
        if of.system.observation().captured.is_on() {
            of.system.observation().captured.step(of, &note);
        }
        keep(&mut self.pages.lock().steps, note);
    }

    pub(crate) fn durations(&self) -> (Vec<u64>, Vec<u64>) {
        (self.waited.counts(), self.ran.counts())
    }

    pub(crate) fn read(&self) -> Notes {
        let pages = self.pages.lock();
        Notes {
            waited: self.waited.counts(),
            ran: self.ran.counts(),
            types: self.types.counts(),
            running: pages.running.clone(),
            messages: pages.messages.iter().cloned().collect(),
            steps: pages.steps.iter().cloned().collect(),
        }
    }
}

fn keep<T>(kept: &mut VecDeque<T>, note: T) {
    if kept.len() == KEPT_MAX {
        kept.pop_front();
    }
    kept.push_back(note);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_by_powers_of_two() {
        let distribution = Distribution::default();
        for micros in [0, 1, 2, 3, 4, 1000, u64::MAX] {
            distribution.count(Duration::from_micros(micros));
        }
        let counts = distribution.counts();
        assert_eq!((&counts[..4], counts[10], counts.len()), (&[1, 1, 2, 1][..], 1, BUCKETS));
        assert_eq!(counts.iter().sum::<u64>(), 7);
    }

    #[test]
    fn the_most_frequent_type_goes_first() {
        let types = Types::default();
        let (often, seldom): (TypeName, TypeName) = (|| "often", || "seldom");
        types.count(seldom);
        types.count(often);
        types.count(often);
        assert_eq!(types.counts(), [("often", 2), ("seldom", 1)]);
    }
}
