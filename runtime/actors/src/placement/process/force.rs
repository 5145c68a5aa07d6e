//! Signals to a process, and what follows where it does not obey: first asked, through the shared page and `EINTR`;
//! then made to, by `SIGSTOP`, `SIGCONT` and `SIGKILL` through its pidfd.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal as Unix;
use palco_core::{ExitReason, Time};
use palco_processes::{Exit, denied_syscall_name, kernel_oom_kills, usage};

use palco_sys::{FATAL_OUT_OF_MEMORY, FATAL_SYSTEM_CALL};

use super::link::Link;
use super::options::{ProcessOptions, Recycle};
use super::wire::ToChild;
use crate::signal::{INTERRUPT, KILL, STEP, SUSPEND};
use crate::supervision::random;

/// How long a process may take to obey a suspend or a kill by itself.
const OBEY_WITHIN: Duration = Duration::from_millis(100);

/// How often a process that does not answer is nudged: at first, and at most.
const NUDGE_FIRST: Duration = Duration::from_millis(1);
const NUDGE_MAX: Duration = Duration::from_millis(64);

/// How often its memory is looked at, if that is limited.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const SIGKILL: i32 = Unix::SIGKILL as i32;

/// How often the kernel has killed for want of memory, when that was last looked at.
#[derive(Debug)]
pub(crate) struct OomKills(AtomicU64);

impl OomKills {
    /// As often as by now.
    pub(crate) fn now() -> Self {
        Self(AtomicU64::new(kernel_oom_kills().unwrap_or(u64::MAX)))
    }

    /// Whether it has happened since the last look.
    fn have_grown(&self) -> bool {
        let now = kernel_oom_kills().unwrap_or_default();
        now > self.0.fetch_max(now, Ordering::Relaxed)
    }
}

/// What has been demanded of one process.
pub(super) struct Force {
    /// The bits that are raised in the page.
    raised: u32,
    nudge: Option<(Time, Duration)>,
    /// When suspend or kill is no longer a request.
    suspend_by: Option<Time>,
    kill_by: Option<Time>,
    /// By `SIGSTOP`.
    is_frozen: bool,
    was_killed: bool,
    was_unresponsive: bool,
    unresponsive_after: Option<Duration>,
    /// Its beats when they were last seen to grow, and when that was.
    beats: (u64, Time),
    next_look: Option<Time>,
    recycle: Limits,
    has_recycled: bool,
}

/// When one process is to be replaced.
struct Limits {
    messages: Option<u64>,
    rss_bytes: Option<u64>,
    at: Option<Time>,
    next_look: Option<Time>,
    is_limited: bool,
}

impl Limits {
    fn new(recycle: &Recycle, now: Time) -> Self {
        // Up to a tenth earlier or later.
        let spread = |limit: u64| limit - limit / 10 + random() % (limit / 5 + 1);
        Self {
            messages: recycle.messages.map(|limit| spread(limit).max(1)),
            rss_bytes: recycle.rss_bytes.map(spread),
            at: recycle.age_s.map(|age| now + Duration::from_millis(spread(age * 1_000))),
            next_look: recycle.rss_bytes.map(|_| now + LOOK_EVERY),
            is_limited: *recycle != Recycle::default(),
        }
    }
}

impl Force {
    pub(super) fn new(options: &ProcessOptions, now: Time) -> Self {
        Self {
            raised: 0,
            nudge: None,
            suspend_by: None,
            kill_by: None,
            is_frozen: false,
            was_killed: false,
            was_unresponsive: false,
            unresponsive_after: options.unresponsive_after,
            beats: (0, now),
            next_look: None,
            recycle: Limits::new(&options.recycle, now),
            has_recycled: false,
        }
    }

    /// A process that has not yet introduced itself knows no signals but the last one.
    pub(super) fn before_ready(&mut self, link: &Link, bits: u32, now: Time) {
        if bits & KILL != 0 && !self.was_killed {
            let by = *self.kill_by.get_or_insert(now + OBEY_WITHIN);
            if now >= by {
                self.kill(link);
            }
        }
    }

    /// Whether nothing is demanded, and nothing is to be looked at from time to time.
    pub(super) fn is_at_rest(&self) -> bool {
        self.raised == 0 && self.nudge.is_none() && !self.recycle.is_limited && !self.is_frozen
    }

    /// Raises and clears what has changed; returns the bits that have taken hold and are to be cleared here as well.
    pub(super) fn pass_on(
        &mut self,
        link: &mut Link,
        bits: u32,
        now: Time,
        is_at_work: bool,
    ) -> u32 {
        // Taken there since: it is the process that clears these.
        let taken = self.raised & (INTERRUPT | STEP) & !link.page.signals();
        self.raised &= !taken;
        let mut wanted = bits & !taken;
        // Meant for a message that has been handed over: not before its handler runs.
        let is_early = is_at_work && !link.page.standing().is_busy;
        if is_early && self.raised & INTERRUPT == 0 && wanted & INTERRUPT != 0 {
            wanted &= !INTERRUPT;
            self.nudge.get_or_insert((now + NUDGE_FIRST, NUDGE_FIRST));
        }
        let is_waiting = wanted != bits & !taken;
        let (fresh, gone) = (wanted & !self.raised, self.raised & !wanted);
        if gone & SUSPEND != 0 {
            self.suspend_by = None;
            if std::mem::take(&mut self.is_frozen) {
                let _ = link.child().signal(Unix::SIGCONT);
            }
        }
        if fresh | gone != 0 {
            link.page.clear(gone);
            link.page.raise(fresh);
            self.raised = wanted;
            self.nudge = Some((now, NUDGE_FIRST));
        }
        if fresh & STEP != 0 && std::mem::take(&mut self.is_frozen) {
            let _ = link.child().signal(Unix::SIGCONT);
        }
        if fresh & SUSPEND != 0 {
            self.suspend_by = Some(now + OBEY_WITHIN);
        }
        if fresh & KILL != 0 {
            self.kill_by = Some(now + OBEY_WITHIN);
        }
        self.demand(link, now, is_waiting);
        taken
    }

    /// A signal has taken hold in the process, which has said so.
    pub(super) fn has_taken(&mut self, bits: u32) {
        self.raised &= !bits;
    }

    /// What time alone brings about.
    fn demand(&mut self, link: &mut Link, now: Time, is_waiting: bool) {
        let is_settled = self.raised & !SUSPEND == 0
            && self.is_held(link) == (self.raised != 0)
            && !self.has_recycled
            && !is_waiting;
        if is_settled {
            self.nudge = None;
        }
        if let Some((at, pause)) = self.nudge
            && now >= at
        {
            // The frame wakes a process that waits for frames, the signal one that blocks in a handler.
            if pause == NUDGE_FIRST {
                let _ = link.put(0, &ToChild::Nudge, &[]);
            }
            let _ = link.child().signal_raw(palco_sys::interrupt_signal());
            self.nudge = Some((now + pause, (pause * 2).min(NUDGE_MAX)));
        }
        if self.suspend_by.is_some_and(|by| now >= by) {
            self.suspend_by = None;
            if !link.page.is_held() {
                self.is_frozen = link.child().signal(Unix::SIGSTOP).is_ok();
            }
        }
        if self.kill_by.is_some_and(|by| now >= by) && !self.was_killed {
            self.kill(link);
        }
    }

    pub(super) fn is_held(&self, link: &Link) -> bool {
        self.is_frozen || link.page.is_held()
    }

    fn kill(&mut self, link: &Link) {
        self.was_killed = true;
        self.kill_by = None;
        let _ = link.child().signal(Unix::SIGKILL);
    }

    /// Kills once.
    pub(super) fn kills_for_nonsense(&mut self, link: &Link) -> bool {
        let first = !self.was_killed;
        if first {
            self.kill(link);
        }
        first
    }

    pub(super) fn watches(&self) -> bool {
        self.unresponsive_after.is_some()
    }

    /// Kills a process whose handler makes no progress for too long.
    pub(super) fn watch(&mut self, link: &Link, now: Time, is_at_work: bool) {
        let Some(limit) = self.unresponsive_after else { return };
        let beats = link.page.beats();
        if beats != self.beats.0 || !is_at_work {
            self.beats = (beats, now);
        }
        self.next_look = is_at_work.then_some(self.beats.1 + limit);
        if is_at_work && now >= self.beats.1 + limit && !self.was_killed {
            self.was_unresponsive = true;
            self.kill(link);
        }
    }

    /// Whether the process is to be replaced; true once.
    pub(super) fn recycles(&mut self, link: &Link, now: Time, handled: u64) -> bool {
        let limits = &mut self.recycle;
        let mut due = limits.messages.is_some_and(|limit| handled >= limit)
            || limits.at.is_some_and(|at| now >= at);
        if let (Some(limit), Some(look)) = (limits.rss_bytes, limits.next_look)
            && now >= look
        {
            limits.next_look = Some(now + LOOK_EVERY);
            let used = usage(link.child().pid());
            due |= used.is_some_and(|usage| usage.rss_bytes > limit);
        }
        if due && !self.has_recycled {
            self.has_recycled = true;
            self.nudge = Some((now, NUDGE_FIRST));
            return true;
        }
        false
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<Time> {
        let nudge = self.nudge.map(|(at, _)| at);
        let age = self.recycle.at.filter(|_| !self.has_recycled);
        let rss = self.recycle.next_look.filter(|_| !self.has_recycled);
        let all = [nudge, self.suspend_by, self.kill_by, self.next_look, age, rss];
        let alive = all.into_iter().flatten().min();
        alive.filter(|_| !self.was_killed)
    }

    /// Why a process has ended that did not say it.
    pub(super) fn reason(&self, exit: Exit, fatal: u64, oom_kills: &OomKills) -> ExitReason {
        let (what, detail) = (fatal & !u64::from(u32::MAX), fatal as u32);
        match exit {
            _ if self.was_unresponsive => ExitReason::Unresponsive,
            Exit::Signaled { signal: SIGKILL, .. } if self.was_killed => ExitReason::Killed,
            Exit::Signaled { signal: SIGKILL, .. } if oom_kills.have_grown() => {
                ExitReason::OutOfMemory
            }
            Exit::Signaled { .. } if what == FATAL_OUT_OF_MEMORY => ExitReason::OutOfMemory,
            Exit::Signaled { .. } if what == FATAL_SYSTEM_CALL => {
                let call = denied_syscall_name(detail)
                    .map_or_else(|| format!("number {detail}"), str::to_owned);
                ExitReason::Denied(call.into())
            }
            Exit::Signaled { signal, core } => ExitReason::Signaled { signal, core },
            Exit::Exited(status) => ExitReason::Exited(status),
        }
    }
}
