//! How many instances a door has, and how its latest one ended.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_listener::Event;
use palco_processes::Exit;
use parking_lot::Mutex;

/// The instances of one door.
#[derive(Debug, Default)]
pub(crate) struct Present {
    count: AtomicU32,
    /// Of those the ones that have not started their program yet.
    starting: AtomicU32,
    left: Event,
    latest: Mutex<Option<(Exit, Duration)>>,
    programs: Mutex<BTreeMap<i32, (Option<IpAddr>, bool)>>,
}

/// One of them; gone when dropped.
#[derive(Debug)]
pub(crate) struct Presence(Arc<Present>);

/// One that has not started its program yet; it has when this is dropped.
#[derive(Debug)]
pub(crate) struct Starting(Arc<Present>);

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.starting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Present {
    pub(crate) fn enter(self: &Arc<Self>) -> Presence {
        self.count.fetch_add(1, Ordering::AcqRel);
        Presence(Arc::clone(self))
    }

    /// One more is about to start a program; how many were before it.
    pub(crate) fn start(self: &Arc<Self>) -> (Starting, u32) {
        let before = self.starting.fetch_add(1, Ordering::Relaxed);
        (Starting(Arc::clone(self)), before)
    }

    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// Waits until there is none. Cancel-safe.
    pub(crate) async fn nobody(&self) {
        loop {
            let left = self.left.listen();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }

    /// The programs that run: process, address of the client, and whether it accepts itself.
    pub(crate) fn programs(&self) -> Vec<(i32, Option<IpAddr>, bool)> {
        let programs = self.programs.lock();
        programs.iter().map(|(pid, (source, is_single))| (*pid, *source, *is_single)).collect()
    }

    /// How the latest program ended, and how long it ran; said once.
    pub(crate) fn take_latest(&self) -> Option<(Exit, Duration)> {
        self.latest.lock().take()
    }
}

impl Presence {
    /// Says which program it is.
    pub(crate) fn begin(&self, pid: i32, source: Option<IpAddr>, is_single: bool) {
        self.0.programs.lock().insert(pid, (source, is_single));
    }

    /// Says how that program ended.
    pub(crate) fn end(&self, pid: i32, exit: Exit, ran: Duration) {
        self.0.programs.lock().remove(&pid);
        *self.0.latest.lock() = Some((exit, ran));
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.left.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use palco_threads::block_on;

    use super::*;

    #[test]
    fn the_last_one_to_leave_is_noticed() {
        let present = Arc::new(Present::default());
        let (first, second) = (present.enter(), present.enter());
        drop(first);
        assert_eq!(present.count(), 1);
        second.begin(17, None, true);
        assert_eq!(present.programs(), [(17, None, true)]);
        second.end(17, Exit::Exited(3), Duration::ZERO);
        assert_eq!(present.programs(), []);
        let leaving = std::thread::spawn(move || drop(second));
        block_on(present.nobody());
        leaving.join().unwrap();
        assert_eq!(present.take_latest(), Some((Exit::Exited(3), Duration::ZERO)));
        assert_eq!(present.take_latest(), None);
    }
}
