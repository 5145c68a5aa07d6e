//! Some members that work together, threads or processes, each where it is told to be; all are heard when they are done.
//!
//! The leader is the calling thread. Members are made while nobody works, wait until all are ready, and end before the
//! call returns: the next one finds one thread and no children, whatever happened.

use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use palco_sys::{
    Alarm, Forked, FutexScope, SharedArea, Woken, exit_at_once, fork_child, futex_wait, futex_wake,
    is_single_threaded, open_pidfd, signal_pidfd, wait_pidfd,
};

use crate::sides::placement::{Placement, be_scheduled, stay_on};
use crate::sides::tally::Tally;
use crate::{Policy, Side, Unavailable, Unit};

/// How often a wait of a member is ended to see whether the others are still there.
const ALARM: Duration = Duration::from_secs(1);

/// So many alarms in a wait, and the others are taken for gone.
const ALARMS_MAX: u32 = 5;

/// Where a member runs and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Post {
    pub(crate) processor: u32,
    pub(crate) policy: Policy,
}

/// What a member has seen in the part that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) tally: Tally,
    pub(crate) strays: u64,
    /// Turns out of order, or messages that were not what was sent.
    pub(crate) wrong: u64,
}

impl Seen {
    /// As a report tells it.
    pub(crate) fn side(&self, foreign: Option<u64>) -> Side {
        Side {
            voluntary: self.tally.voluntary,
            involuntary: self.tally.involuntary,
            strays: self.strays,
            migrations: self.tally.migrations,
            foreign,
        }
    }
}

/// Where the leader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Signalled {
    Start = 1,
    GiveUp = 2,
}

/// Where a member stands; 0 is on its way.
const READY: u32 = 1;
const DONE: u32 = 2;
const FAILED: u32 = 3;
/// It had nothing to do, because the leader gave up.
const LEFT: u32 = 4;

const FIGURES: usize = 6;
const TEXT_BYTES: usize = 256;
const TEXT_WORDS: usize = TEXT_BYTES / size_of::<u64>();

/// What members and leader tell each other.
#[derive(Debug)]
pub(crate) struct Gate {
    area: SharedArea,
    members: usize,
    scope: FutexScope,
}

impl Gate {
    fn new(members: usize, scope: FutexScope) -> io::Result<Self> {
        let area = SharedArea::with_room(1 + members * FIGURES, members * TEXT_BYTES)?;
        Ok(Self { area, members, scope })
    }

    /// The line of a figure of a member; the first of them also holds its stage.
    fn line(member: usize, figure: usize) -> usize {
        1 + member * FIGURES + figure
    }

    fn stage(&self, member: usize) -> &AtomicU32 {
        self.area.word32(Self::line(member, 0))
    }

    fn enter(&self, member: usize, stage: u32) -> io::Result<()> {
        self.stage(member).store(stage, Ordering::Release);
        futex_wake(self.stage(member), 1, self.scope).map(drop)
    }

    /// A member is prepared, and waits for the leader.
    ///
    /// # Errors
    /// When the leader gives up, or is gone.
    pub(crate) fn ready(&self, member: usize) -> io::Result<()> {
        self.enter(member, READY)?;
        let signal = wait_while(self.area.word32(0), self.scope, |signal| signal == 0)?;
        if signal == Signalled::Start as u32 {
            return Ok(());
        }
        self.enter(member, LEFT)?;
        Err(gone())
    }

    /// The leader waits until every member is prepared.
    ///
    /// # Errors
    /// What a member could not do, in its words.
    pub(crate) fn gather(&self) -> io::Result<()> {
        (1..self.members).try_for_each(|member| self.reached(member, |stage| stage >= READY))
    }

    /// The leader lets all of them begin.
    pub(crate) fn start(&self) -> io::Result<()> {
        self.signal(Signalled::Start)
    }

    fn signal(&self, signal: Signalled) -> io::Result<()> {
        self.area.word32(0).store(signal as u32, Ordering::Release);
        futex_wake(self.area.word32(0), u32::MAX, self.scope).map(drop)
    }

    fn reached(&self, member: usize, far_enough: impl Fn(u32) -> bool) -> io::Result<()> {
        let stage = wait_while(self.stage(member), self.scope, |stage| !far_enough(stage))?;
        if stage != FAILED {
            return Ok(());
        }
        let mut text = [0; TEXT_BYTES];
        self.area.copy_out(member * TEXT_WORDS, &mut text);
        let text = String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned();
        Err(io::Error::other(format!("member {member}: {text}")))
    }

    /// Runs a member to its end.
    fn act(&self, member: usize, post: Post, work: impl FnOnce(&Self) -> io::Result<Seen>) {
        let posted = || {
            let _alarm = Alarm::set(ALARM, ALARM)?;
            take(post)?;
            work(self)
        };
        // A panic in a copy of the process must not unwind into what the original is about to do.
        let told = match catch_unwind(AssertUnwindSafe(posted)) {
            Ok(Ok(seen)) => self.leave(member, seen),
            Ok(Err(error)) => self.fail(member, &error),
            Err(_panic) => self.fail(member, &"it panicked"),
        };
        // It cannot be told that nothing can be told: the leader stops waiting after some alarms.
        drop(told);
    }

    fn leave(&self, member: usize, seen: Seen) -> io::Result<()> {
        let Tally { voluntary, involuntary, cpu_nanos, migrations } = seen.tally;
        let migrations = migrations.map_or(0, |migrations| migrations + 1);
        let figures = [voluntary, involuntary, cpu_nanos, migrations, seen.strays, seen.wrong];
        for (at, figure) in figures.into_iter().enumerate() {
            self.area.word(Self::line(member, at)).store(figure, Ordering::Relaxed);
        }
        self.enter(member, DONE)
    }

    fn fail(&self, member: usize, why: &impl Display) -> io::Result<()> {
        if self.stage(member).load(Ordering::Acquire) == LEFT {
            return Ok(());
        }
        let mut text = why.to_string().into_bytes();
        text.truncate(TEXT_BYTES);
        self.area.copy_in(member * TEXT_WORDS, &text);
        self.enter(member, FAILED)
    }

    /// What a member has left, once it is done.
    fn seen(&self, member: usize) -> io::Result<Seen> {
        self.reached(member, |stage| stage >= DONE)?;
        let figure = |at| self.area.word(Self::line(member, at)).load(Ordering::Relaxed);
        let tally = Tally {
            voluntary: figure(0),
            involuntary: figure(1),
            cpu_nanos: figure(2),
            migrations: figure(3).checked_sub(1),
        };
        Ok(Seen { tally, strays: figure(4), wrong: figure(5) })
    }

    /// What all have seen, the leader first. If anything went wrong, nobody is left waiting for the leader.
    ///
    /// # Errors
    /// What a member says, if one has failed: that is nearer to the cause than what the leader has noticed of it.
    fn all_seen(&self, lead: io::Result<Seen>) -> io::Result<Vec<Seen>> {
        let all = lead.and_then(|lead| {
            let others = (1..self.members).map(|member| self.seen(member));
            std::iter::once(Ok(lead)).chain(others).collect::<io::Result<Vec<_>>>()
        });
        let Err(error) = all else { return all };
        self.signal(Signalled::GiveUp)?;
        Err(self.cause().unwrap_or(error))
    }

    /// What the first member that has failed says, once all have come to an end or one does not.
    fn cause(&self) -> Option<io::Error> {
        let ended = |member| self.reached(member, |stage| stage >= DONE).err();
        let first = (1..self.members).find_map(ended);
        first.filter(|error| error.kind() != io::ErrorKind::TimedOut)
    }
}

/// Waits until the word is another one, and returns it.
///
/// # Errors
/// `TimedOut` when nothing happens for some alarms.
pub(crate) fn wait_while(
    word: &AtomicU32,
    scope: FutexScope,
    is_so: impl Fn(u32) -> bool,
) -> io::Result<u32> {
    let mut alarms = 0;
    loop {
        let value = word.load(Ordering::Acquire);
        if !is_so(value) {
            return Ok(value);
        }
        if futex_wait(word, value, scope, None)? == Woken::Interrupted {
            alarms += 1;
            if alarms > ALARMS_MAX {
                return Err(gone());
            }
        }
    }
}

/// Repeats a call that the alarm ends, until the others are taken for gone.
pub(crate) fn patiently<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut alarms = 0;
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                alarms += 1;
                if alarms > ALARMS_MAX {
                    return Err(gone());
                }
            }
            answer => return answer,
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the others do not answer")
}

fn take(post: Post) -> io::Result<()> {
    stay_on(post.processor)?;
    be_scheduled(post.policy)
}

/// Runs the leader and one member for each kit beside it. As processes, the leader does not keep the members' kits, nor
/// they the leader's.
///
/// # Errors
/// The first thing that went wrong, with the number of the member, from 1 on; `Deadlock` for processes while this one has
/// several threads.
pub(crate) fn run<L, K: Send>(
    unit: Unit,
    posts: &[Post],
    (lead_kit, lead): (L, impl FnOnce(L, &Gate) -> io::Result<Seen>),
    kits: Vec<K>,
    work: &(impl Fn(usize, K, &Gate) -> io::Result<Seen> + Sync),
) -> io::Result<Vec<Seen>> {
    let scope = scope_of(unit);
    let gate = Gate::new(kits.len() + 1, scope)?;
    let _alarm = Alarm::set(ALARM, ALARM)?;
    let (gate, post) = (&gate, |member: usize| posts[member % posts.len()]);
    let numbered = (1..).zip(kits);
    match scope {
        FutexScope::Private => with_threads(|threads| {
            let begun = numbered.into_iter().try_for_each(|(member, kit)| {
                let act = move || gate.act(member, post(member), |gate| work(member, kit, gate));
                thread::Builder::new().spawn_scoped(threads, act).map(drop)
            });
            let seen = begun.and_then(|()| led(post(0), || lead(lead_kit, gate)));
            gate.all_seen(seen)
        }),
        FutexScope::Shared => {
            let mut children = Children::default();
            for (member, kit) in numbered {
                match fork_child()? {
                    Forked::Copy => {
                        drop(lead_kit);
                        gate.act(member, post(member), |gate| work(member, kit, gate));
                        exit_at_once(0)
                    }
                    Forked::Original { pid } => children.0.push(open_pidfd(pid)?),
                }
            }
            let seen = led(post(0), || lead(lead_kit, gate));
            let all = gate.all_seen(seen);
            if all.is_ok() {
                children.reap()?;
            }
            all
        }
    }
}

/// As [`thread::scope`], and returns when the threads are gone from the kernel's list, too: a scope ends when they have
/// done their work, a moment before, and a process that forks must have one thread.
pub(crate) fn with_threads<'e, T>(
    run: impl for<'s> FnOnce(&'s thread::Scope<'s, 'e>) -> io::Result<T>,
) -> io::Result<T> {
    let was_alone = is_single_threaded()?;
    let result = thread::scope(run);
    while was_alone && !is_single_threaded()? {
        thread::yield_now();
    }
    result
}

/// Whether such members can be made now.
///
/// # Errors
/// Processes are forked by a process of one thread only.
pub(crate) fn check_unit(unit: Unit) -> Result<(), Unavailable> {
    if unit == Unit::Process && !is_single_threaded().unwrap_or(false) {
        let text = "processes are forked by a process of one thread only, and this one has more";
        return Err(Unavailable(text.to_owned()));
    }
    Ok(())
}

/// Where the members are one process, the kernel finds sleepers by the address alone.
pub(crate) fn scope_of(unit: Unit) -> FutexScope {
    match unit {
        Unit::Process => FutexScope::Shared,
        Unit::Inline | Unit::Fiber | Unit::Task | Unit::Thread => FutexScope::Private,
    }
}

/// The leader at its post, and back.
fn led(post: Post, lead: impl FnOnce() -> io::Result<Seen>) -> io::Result<Seen> {
    let place = Placement::save()?;
    let seen = take(post).and_then(|()| lead());
    drop(place);
    seen
}

/// Killed and reaped when dropped, unless they were reaped before.
#[derive(Default)]
struct Children(Vec<std::os::fd::OwnedFd>);

impl Children {
    /// Waits for the end of all, who have said that they are done.
    fn reap(&mut self) -> io::Result<()> {
        self.0.drain(..).try_for_each(|child| wait_pidfd(child).map(drop))
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in self.0.drain(..) {
            // One that has ended meanwhile cannot be killed, but reaped.
            let _ = signal_pidfd(&child, Signal::SIGKILL as i32);
            let _ = wait_pidfd(child);
        }
    }
}

#[cfg(test)]
mod tests;
