//! From the run's own time to a place in a picture: true to scale, but for stretches in which nothing happens.

/// Idle stretches that are shortened, at most.
const IDLE_MAX: usize = 14;

/// What a shortened stretch takes.
const IDLE: f64 = 26.0;

/// A pause this many times as long as the others are on average is shortened.
const IDLE_FACTOR: u64 = 8;

/// A stretch of time in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) until: u64,
    /// Where it begins and ends.
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) is_idle: bool,
}

/// Time, in nanoseconds, along one side of a picture.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Each begins where the one before ends; at least one.
    stretches: Vec<Stretch>,
}

impl Clock {
    /// Of these instants in any order, from one place to another.
    pub(super) fn new(instants: impl IntoIterator<Item = u64>, start: f64, end: f64) -> Self {
        let mut instants: Vec<u64> = instants.into_iter().collect();
        instants.sort_unstable();
        instants.dedup();
        let first = instants.first().copied().unwrap_or(0).min(u64::MAX - 1);
        let last = instants.last().copied().unwrap_or(0).max(first.saturating_add(1));
        let idle = idle(&instants, last - first, end - start);
        let busy = last - first - idle.iter().map(|(from, until)| until - from).sum::<u64>();
        let taken = IDLE.min((end - start) / 2.0 / idle.len().max(1) as f64);
        // Where nothing but idle stretches is, they take all there is.
        let (taken, per_nano) = if busy == 0 {
            ((end - start) / idle.len().max(1) as f64, 0.0)
        } else {
            (taken, (end - start - taken * idle.len() as f64) / busy as f64)
        };
        let mut stretches = Vec::new();
        let (mut now, mut place) = (first, start);
        for (from, until) in idle.into_iter().chain([(last, last)]) {
            if now < from {
                let end = place + (from - now) as f64 * per_nano;
                stretches.push(Stretch {
                    from: now,
                    until: from,
                    start: place,
                    end,
                    is_idle: false,
                });
                place = end;
            }
            if from < until {
                let end = place + taken;
                stretches.push(Stretch { from, until, start: place, end, is_idle: true });
                place = end;
            }
            now = until;
        }
        Self { stretches }
    }

    /// Where an instant lies; what is before or after lies at the end.
    pub(super) fn at(&self, nanos: u64) -> f64 {
        let after = self.stretches.partition_point(|stretch| stretch.until < nanos);
        let Some(stretch) = self.stretches.get(after) else {
            return self.stretches.last().map_or(0.0, |last| last.end);
        };
        let share =
            nanos.saturating_sub(stretch.from) as f64 / (stretch.until - stretch.from) as f64;
        stretch.start + share * (stretch.end - stretch.start)
    }

    /// The stretches that are shortened.
    pub(super) fn idle(&self) -> impl Iterator<Item = Stretch> {
        self.stretches.iter().copied().filter(|stretch| stretch.is_idle)
    }

    /// Round instants and where they lie, not closer than `apart`.
    pub(super) fn ticks(&self, apart: f64) -> Vec<(u64, f64)> {
        let busy = || self.stretches.iter().filter(|stretch| !stretch.is_idle);
        let nanos: u64 = busy().map(|stretch| stretch.until - stretch.from).sum();
        let room: f64 = busy().map(|stretch| stretch.end - stretch.start).sum();
        let step = step((nanos as f64 * apart / room.max(1.0)).ceil() as u64);
        let mut ticks: Vec<(u64, f64)> = Vec::new();
        for stretch in busy() {
            let mut tick = stretch.from.div_ceil(step).saturating_mul(step);
            while tick <= stretch.until {
                let place = self.at(tick);
                if ticks.last().is_none_or(|(_, last)| place - last >= apart * 0.8) {
                    ticks.push((tick, place));
                }
                let Some(next) = tick.checked_add(step) else { break };
                tick = next;
            }
        }
        ticks
    }
}

/// 1, 2 or 5 times a power of ten, not less than this.
fn step(least: u64) -> u64 {
    let power = 10_u64.pow(least.max(1).ilog10());
    let factor = [1, 2, 5, 10].into_iter().find(|&factor| power.saturating_mul(factor) >= least);
    power.saturating_mul(factor.unwrap_or(10))
}

/// Pauses that stand out among the others, and would take much of so much room for such a time; by time.
fn idle(instants: &[u64], span: u64, room: f64) -> Vec<(u64, u64)> {
    let mut gaps: Vec<(u64, u64)> = instants.windows(2).map(|pair| (pair[0], pair[1])).collect();
    gaps.sort_by_key(|&(from, until)| (std::cmp::Reverse(until - from), from));
    let mut rest: u64 = gaps.iter().map(|(from, until)| until - from).sum();
    let mut many = 0;
    for (at, (from, until)) in gaps.iter().enumerate().take(IDLE_MAX) {
        let length = until - from;
        rest -= length;
        let others = (gaps.len() - at - 1) as u64;
        if others == 0 || length <= (rest / others).saturating_mul(IDLE_FACTOR) {
            break;
        }
        many = at + 1;
    }
    gaps.truncate(many);
    // The shortest goes first.
    while let Some((from, until)) = gaps.last() {
        let shortened: u64 = gaps.iter().map(|(from, until)| until - from).sum();
        let per_nano = (room - IDLE * gaps.len() as f64) / (span - shortened).max(1) as f64;
        if (until - from) as f64 * per_nano >= 2.0 * IDLE {
            break;
        }
        gaps.pop();
    }
    gaps.sort_unstable();
    gaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn time_is_true_to_scale_where_nothing_is_idle() {
        let clock = Clock::new([0, 10, 20, 40], 100.0, 140.0);
        assert_eq!([0, 10, 25, 40, 99].map(|at| clock.at(at)), [100.0, 110.0, 125.0, 140.0, 140.0]);
        assert_eq!(clock.idle().count(), 0);
    }

    #[test]
    fn a_long_pause_is_shortened_and_the_rest_stays_true() {
        let busy = (0..10).chain(1_000_000..1_000_010);
        let clock = Clock::new(busy, 0.0, 26.0 + 18.0 * 5.0);
        let idle: Vec<_> = clock.idle().collect();
        assert_eq!((idle.len(), idle[0].from, idle[0].until), (1, 9, 1_000_000));
        assert!((clock.at(1) - 5.0).abs() < 1e-9, "{clock:?}");
        assert!((clock.at(1_000_001) - clock.at(1_000_000) - 5.0).abs() < 1e-9);
        assert!((idle[0].end - idle[0].start - IDLE).abs() < 1e-9);
    }

    #[test]
    fn a_pause_that_takes_little_room_is_left_as_it_is() {
        let busy = (0..1_000).chain(1_020..2_000);
        assert_eq!(Clock::new(busy.clone(), 0.0, 1_000.0).idle().count(), 0);
        assert_eq!(Clock::new(busy, 0.0, 10_000.0).idle().count(), 1);
    }

    #[test]
    fn ticks_are_round_and_keep_their_distance() {
        let clock = Clock::new([0, 250, 500, 750, 1_000], 0.0, 1000.0);
        let ticks: Vec<u64> = clock.ticks(90.0).into_iter().map(|(tick, _)| tick).collect();
        assert_eq!(ticks, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    }

    proptest! {
        #[test]
        fn later_never_lies_before_earlier_and_all_lies_inside(
            mut instants in proptest::collection::vec(any::<u64>(), 0..40),
            near in proptest::collection::vec(0_u64..1000, 0..40),
        ) {
            instants.extend(near);
            let clock = Clock::new(instants.iter().copied(), 10.0, 500.0);
            instants.sort_unstable();
            let places: Vec<f64> = instants.iter().map(|&at| clock.at(at)).collect();
            prop_assert!(places.is_sorted());
            prop_assert!(places.iter().all(|at| (9.99..=500.01).contains(at)), "{places:?}");
            prop_assert!(clock.ticks(60.0).len() <= 30);
        }
    }
}
