//! Finds LWPs that do not come to a scheduling point, says what holds them, and lends a spare to the work that can move.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::lwp::{Duty, Lwp};
use crate::shared::Shared;
use crate::stall::{Probe, Stall, StallState};

/// A turn that is longer is a stall.
const STALL: Duration = Duration::from_millis(1);
/// How often it looks while something looks stalled, and at first.
const INTERVAL_MIN: Duration = Duration::from_millis(1);
/// How often it looks when nothing was stalled for long.
const INTERVAL_MAX: Duration = Duration::from_millis(10);
/// Looks in vain before the interval doubles.
const PATIENCE: u32 = 16;
/// Stalls that are kept to look at, and names that are counted.
const STALLS_KEPT: usize = 64;
const NAMES_KEPT: usize = 256;
/// The stack of the watchdog's thread, on which `on_stall` runs too.
const STACK_BYTES: usize = 256 << 10;

pub(crate) type OnStall = Arc<dyn Fn(&Stall) + Send + Sync>;

/// What the watchdog knows, and how it is woken.
pub(crate) struct Watch {
    on_stall: Option<OnStall>,
    notes: Mutex<Notes>,
    /// Set while it waits for somebody to work.
    is_resting: AtomicBool,
    rest: Mutex<()>,
    bell: Condvar,
}

struct Notes {
    recent: VecDeque<Stall>,
    by_name: HashMap<String, u64>,
    lwps: Vec<Noted>,
}

#[derive(Default, Clone)]
struct Noted {
    stalls: u64,
    /// The turn that was seen last, and when first.
    turn: u64,
    since: Option<Instant>,
    is_blocked: bool,
    /// The stall of this turn is noted already.
    is_noted: bool,
}

impl Watch {
    pub(crate) fn new(places: usize, on_stall: Option<OnStall>) -> Self {
        let notes = Notes {
            recent: VecDeque::new(),
            by_name: HashMap::new(),
            lwps: vec![Noted::default(); places],
        };
        Self {
            on_stall,
            notes: Mutex::new(notes),
            is_resting: AtomicBool::new(false),
            rest: Mutex::new(()),
            bell: Condvar::new(),
        }
    }

    /// An LWP has woken up: there is something to watch. Also when the pool stops.
    pub(crate) fn somebody_works(&self) {
        fence(Ordering::SeqCst);
        if self.is_resting.load(Ordering::SeqCst) {
            let _rest = self.rest.lock();
            self.is_resting.store(false, Ordering::SeqCst);
            self.bell.notify_one();
        }
    }

    /// Stalls of an LWP so far, and since when its turn lasts as far as it was seen.
    pub(crate) fn of(&self, lwp: &Lwp) -> (u64, Option<Duration>) {
        let notes = self.notes.lock();
        let noted = &notes.lwps[lwp.index];
        let is_current = noted.turn == lwp.running.turn();
        (noted.stalls, noted.since.filter(|_| is_current).map(|since| since.elapsed()))
    }

    pub(crate) fn recent(&self) -> Vec<Stall> {
        self.notes.lock().recent.iter().cloned().collect()
    }

    pub(crate) fn by_name(&self) -> Vec<(String, u64)> {
        let notes = self.notes.lock();
        let mut counts: Vec<_> =
            notes.by_name.iter().map(|(name, count)| (name.clone(), *count)).collect();
        counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        counts
    }

    fn note(&self, stall: &Stall) {
        let mut notes = self.notes.lock();
        notes.lwps[stall.lwp].stalls += 1;
        notes.lwps[stall.lwp].is_noted = true;
        if notes.recent.len() == STALLS_KEPT {
            notes.recent.pop_front();
        }
        notes.recent.push_back(stall.clone());
        let is_known = notes.by_name.contains_key(&stall.running);
        if is_known || notes.by_name.len() < NAMES_KEPT {
            *notes.by_name.entry(stall.running.clone()).or_default() += 1;
        }
    }
}

/// Starts the thread, which ends with the pool.
pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<()> {
    let shared = Arc::clone(shared);
    let name = format!("{}/watch", shared.name);
    palco_threads::spawn_named(&name, STACK_BYTES, move || Watchdog::new(&shared).run())?;
    Ok(())
}

struct Watchdog<'a> {
    shared: &'a Arc<Shared>,
    probes: Vec<Option<Probe>>,
    interval: Duration,
    looks_in_vain: u32,
}

impl<'a> Watchdog<'a> {
    fn new(shared: &'a Arc<Shared>) -> Self {
        let probes = shared.lwps.iter().map(|_| None).collect();
        Self { shared, probes, interval: INTERVAL_MIN, looks_in_vain: 0 }
    }

    fn run(mut self) {
        while !self.shared.is_stopping() {
            self.rest();
            let mut is_suspicious = false;
            for index in 0..self.shared.lwps.len() {
                is_suspicious |= self.look_at(index);
            }
            self.settle_spares();
            self.adapt(is_suspicious);
        }
    }

    /// Waits for the next look; while all LWPs sleep there is none.
    fn rest(&self) {
        let watch = &self.shared.watch;
        let mut rest = watch.rest.lock();
        watch.is_resting.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let all_sleep = self.shared.lwps.iter().all(|lwp| is_quiet(lwp));
        if all_sleep && !self.shared.is_stopping() {
            while watch.is_resting.load(Ordering::SeqCst) {
                watch.bell.wait(&mut rest);
            }
        }
        watch.is_resting.store(false, Ordering::SeqCst);
        watch.bell.wait_for(&mut rest, self.interval);
    }

    fn adapt(&mut self, is_suspicious: bool) {
        if is_suspicious {
            self.interval = INTERVAL_MIN;
            self.looks_in_vain = 0;
            return;
        }
        self.looks_in_vain += 1;
        if self.looks_in_vain >= PATIENCE {
            self.looks_in_vain = 0;
            self.interval = (self.interval * 2).min(INTERVAL_MAX);
        }
    }

    /// True if this LWP is in the same turn as at the last look.
    fn look_at(&mut self, index: usize) -> bool {
        let lwp = &self.shared.lwps[index];
        let look = lwp.running.look().filter(|_| !is_quiet(lwp));
        let watch = &self.shared.watch;
        let mut notes = watch.notes.lock();
        let noted = &mut notes.lwps[index];
        let Some((turn, name)) = look.and_then(|look| Some((look.turn, look.name?))) else {
            noted.since = None;
            noted.is_blocked = false;
            return false;
        };
        let since = match noted.since {
            Some(since) if noted.turn == turn => since,
            Some(_) | None => {
                let stalls = noted.stalls;
                let since = Some(Instant::now());
                *noted = Noted { stalls, turn, since, ..Noted::default() };
                return false;
            }
        };
        let lasts = since.elapsed();
        let is_noted = noted.is_noted;
        drop(notes);
        if lasts > STALL {
            self.judge(index, turn, name, lasts, is_noted);
        }
        true
    }

    fn judge(&mut self, index: usize, turn: u64, running: String, since: Duration, is_noted: bool) {
        let lwp = &self.shared.lwps[index];
        let Some(state) = probe(&mut self.probes[index], lwp.thread()) else { return };
        // What was read is about this turn only if the turn is still the same.
        if lwp.running.turn() != turn {
            return;
        }
        let watch = &self.shared.watch;
        watch.notes.lock().lwps[index].is_blocked = matches!(state, StallState::Blocked { .. });
        if is_noted {
            return;
        }
        let counts = &lwp.counts;
        let held = counts.ready.load(Ordering::Relaxed) + counts.suspended.load(Ordering::Relaxed);
        let stall = Stall { lwp: index, running, since, state, held };
        watch.note(&stall);
        if let Some(on_stall) = &watch.on_stall {
            let call = std::panic::AssertUnwindSafe(|| on_stall(&stall));
            if std::panic::catch_unwind(call).is_err() {
                tracing::error!("what is called on a stall panicked");
            }
        }
    }

    /// As many spares as LWPs are blocked, while there is work that could move.
    fn settle_spares(&self) {
        let shared = self.shared;
        let notes = shared.watch.notes.lock();
        let blocked = notes.lwps[..shared.count].iter().filter(|noted| noted.is_blocked).count();
        drop(notes);
        let spares = &shared.lwps[shared.count..];
        let at_work = spares.iter().filter(|lwp| lwp.duty() == Duty::Full).count();
        if at_work > blocked {
            let retires =
                spares.iter().rev().find(|lwp| lwp.change_duty(Duty::Full, Duty::Retiring));
            if let Some(lwp) = retires {
                lwp.ring();
            }
        } else if at_work < blocked && shared.has_unstarted() {
            let taken_back = spares.iter().any(|lwp| lwp.change_duty(Duty::Retiring, Duty::Full));
            if !taken_back {
                self.start_spare(spares);
            }
            shared.wake_one();
        }
    }

    fn start_spare(&self, spares: &[Arc<Lwp>]) {
        let Some(lwp) = spares.iter().find(|lwp| lwp.change_duty(Duty::Vacant, Duty::Full)) else {
            return;
        };
        match self.shared.start_lwp(lwp.index) {
            Ok(true) => {}
            Ok(false) => lwp.set_duty(Duty::Vacant),
            Err(error) => {
                tracing::warn!(%error, "no spare for an LWP that is blocked");
                lwp.set_duty(Duty::Vacant);
            }
        }
    }
}

fn is_quiet(lwp: &Lwp) -> bool {
    lwp.bell.is_asleep() || lwp.thread() == 0
}

fn probe(kept: &mut Option<Probe>, thread: i32) -> Option<StallState> {
    if !kept.as_ref().is_some_and(|probe| probe.is_of(thread)) {
        *kept = Probe::new(thread);
    }
    kept.as_ref()?.state()
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("recent", &self.recent().len()).finish_non_exhaustive()
    }
}
