//! The way of the token, as each member walks it: wait for it, look whether it is one's turn, touch, hand it on.

use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use palco_sys::{FutexScope, PrivateArea, SharedArea, current_processor, futex_wake};

use crate::crew::wait_while;
use crate::sides::stopwatch::Stopwatch;

/// One word of each page is touched.
const PAGE_WORDS: usize = 4096 / size_of::<u64>();

/// How often a touch is timed.
const TOUCHES: usize = 101;

/// What all members share: the token, whose turn it is, and which laps count.
#[derive(Debug)]
pub(super) struct Course {
    area: SharedArea,
    pub(super) units: u32,
    scope: FutexScope,
}

/// Lines before those of the members.
const COMMON_LINES: usize = 3;

impl Course {
    pub(super) fn new(units: u32, scope: FutexScope) -> io::Result<Self> {
        let lines = usize::try_from(units).map_err(io::Error::other)? + COMMON_LINES;
        Ok(Self { area: SharedArea::with_room(lines, 0)?, units, scope })
    }

    /// Hops so far: every member knows what it must be when it has the token.
    #[inline]
    fn sequence(&self) -> &AtomicU64 {
        self.area.word(0)
    }

    /// The first lap that counts; 0 is none. Written before the token goes round, so all see it when they have it.
    #[inline]
    pub(super) fn begin(&self) -> &AtomicU64 {
        self.area.word(1)
    }

    /// The last lap, which does not count any more; 0 is none.
    #[inline]
    pub(super) fn end(&self) -> &AtomicU64 {
        self.area.word(2)
    }

    /// The number of the last lap in which this member got the token.
    #[inline]
    fn token(&self, member: usize) -> &AtomicU32 {
        self.area.word32(COMMON_LINES + member)
    }
}

/// A member on its way.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) course: &'a Course,
    number: usize,
    processor: u32,
    memory: Option<PrivateArea>,
    /// Times that it was on another processor.
    pub(super) strays: u64,
    /// Times that it had the token out of turn.
    pub(super) wrong: u64,
}

impl<'a> Member<'a> {
    pub(super) fn new(
        course: &'a Course,
        number: usize,
        processor: u32,
        memory: Option<PrivateArea>,
    ) -> Self {
        Self { course, number, processor, memory, strays: 0, wrong: 0 }
    }

    /// What was wrong in the warm-up does not count; a turn that is out of order then is so later, too.
    pub(super) fn forget(&mut self) {
        self.strays = 0;
    }

    /// Waits until it has the token in this lap.
    #[inline]
    pub(super) fn await_token(&self, lap: u64) -> io::Result<()> {
        // Laps are counted modulo 2³², and members are never a lap apart.
        let expected = lap as u32;
        let token = self.course.token(self.number);
        wait_while(token, self.course.scope, |lap| lap != expected).map(drop)
    }

    /// Has the token in this lap: checks the turn, touches its memory, hands it on.
    #[inline]
    pub(super) fn hop(&mut self, lap: u64) -> io::Result<()> {
        let course = self.course;
        let due = (lap - 1) * u64::from(course.units) + self.number as u64;
        let hops = course.sequence().load(Ordering::Relaxed);
        self.wrong += u64::from(hops != due);
        course.sequence().store(hops + 1, Ordering::Relaxed);
        self.strays += u64::from(current_processor() != self.processor);
        self.touch();
        let is_last = self.number + 1 == course.units as usize;
        let (next, lap) = if is_last { (0, lap + 1) } else { (self.number + 1, lap) };
        course.token(next).store(lap as u32, Ordering::Release);
        futex_wake(course.token(next), 1, course.scope).map(drop)
    }

    #[inline]
    fn touch(&self) {
        if let Some(memory) = &self.memory {
            let words = memory.words().iter().step_by(PAGE_WORDS);
            black_box(words.fold(0_u64, |sum, word| sum.wrapping_add(*word)));
        }
    }

    /// What the touch costs while nobody else runs: the median, in nanoseconds. Nothing without memory.
    pub(super) fn touch_nanos(&self, clock: Stopwatch) -> Option<f64> {
        self.memory.as_ref()?;
        self.touch();
        let mut touches = [0.0; TOUCHES];
        for touch in &mut touches {
            let begin = clock.now();
            self.touch();
            *touch = clock.nanos(clock.now().wrapping_sub(begin));
        }
        touches.sort_unstable_by(f64::total_cmp);
        touches.get(TOUCHES / 2).copied()
    }
}
