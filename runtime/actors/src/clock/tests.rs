//! Virtual time stops where it should; real time fires.

use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_threads::block_on;

use super::*;

struct Noted(AtomicU64);

impl Expire for Noted {
    fn expire(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn virtual_time_stands_still_until_advanced_and_stops_at_every_timer() {
    let clock = Clock::virtual_time();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut first = Box::pin(clock.sleep(Duration::from_secs(1)));
    let mut second = Box::pin(clock.sleep(Duration::from_secs(3)));
    block_on(async {
        let poll = |sleep: &mut Pin<Box<Sleep>>| {
            sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        assert!(!poll(&mut first) && !poll(&mut second));
        let note = || {
            seen.lock().push(clock.now().as_nanos() / 1_000_000_000);
            ready(())
        };
        clock.advance(Duration::from_secs(2), note).await;
        assert!(poll(&mut first) && !poll(&mut second));
        clock.advance(Duration::from_secs(2), note).await;
        assert!(poll(&mut second));
    });
    assert_eq!(clock.now(), Time::START + Duration::from_secs(4));
    assert!(seen.lock().contains(&1) && seen.lock().contains(&3));
}

/// Tells whom it shares its count with that it expired.
struct Telling(Arc<Noted>);

impl Expire for Telling {
    fn expire(&self) {
        self.0.expire();
    }
}

#[test]
fn a_deadline_that_nobody_waits_for_never_expires_and_the_others_do() {
    let clock = Clock::virtual_time();
    let (kept, forgotten) = (Arc::new(Noted(0.into())), Arc::new(Noted(0.into())));
    clock.expire_after(Duration::from_secs(1), Arc::clone(&kept) as Arc<dyn Expire>);
    clock.expire_after(Duration::from_secs(1), Arc::new(Telling(Arc::clone(&forgotten))));
    block_on(clock.advance(Duration::from_secs(5), || ready(())));
    assert_eq!(kept.0.load(Ordering::SeqCst), 1);
    assert_eq!(forgotten.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_real_sleep_completes_and_is_never_early() {
    let clock = Clock::real();
    let before = Instant::now();
    block_on(clock.sleep(Duration::from_millis(20)));
    assert!(before.elapsed() >= Duration::from_millis(20));
}

#[test]
fn a_real_deadline_expires() {
    let clock = Clock::real();
    let noted = Arc::new(Noted(0.into()));
    clock.expire_after(Duration::from_millis(1), Arc::clone(&noted) as _);
    while noted.0.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
}
