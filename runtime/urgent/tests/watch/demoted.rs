//! An urgent thread whose desk computes for ever. In this program, since the guard demotes every guarded thread of it.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libtest_mimic::Failed;
use palco_core::{Answer, Key, RequestId, RequestState, Verb};
use palco_urgent::{Desk, Policy, Soon, ThreadSettings, UrgentThread, Watch, send_urgent};

/// Computes from the first urgent byte until it is told to stop.
#[derive(Default)]
struct Stubborn {
    stop: AtomicBool,
}

impl Desk for Stubborn {
    fn admits(&self, _: &RequestId, _: &Key) -> bool {
        false
    }

    fn act(&self, _: RequestId, _: Verb) -> Soon<Answer> {
        Box::pin(async { Answer::reached(RequestState::NotFound) })
    }

    fn heard(&self, _: u64) -> Soon<()> {
        while !self.stop.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        Box::pin(async {})
    }
}

pub(crate) fn says_so() -> Result<(), Failed> {
    let desk = Arc::new(Stubborn::default());
    let watch = Arc::new(Watch::new()?);
    let settings =
        ThreadSettings { compute_max: Duration::from_millis(50), ..ThreadSettings::default() };
    let as_desk = Arc::clone(&desk) as Arc<dyn Desk>;
    let thread = UrgentThread::start(settings, as_desk, Arc::clone(&watch), None)?;
    let obtained = thread.obtained();
    if obtained.policy != Policy::Fifo(50) {
        eprintln!("real time is not permitted here: {obtained}");
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    watch.add(&server, 1)?;
    send_urgent(&client, b'H')?;
    let demoted = loop {
        let now = thread.obtained();
        if now.why.is_some() {
            break now;
        }
    };
    desk.stop.store(true, Ordering::Release);
    assert!(!matches!(demoted.policy, Policy::Fifo(_)), "{demoted}");
    assert!(demoted.to_string().contains("it was SCHED_FIFO 50 and computed"), "{demoted}");
    Ok(())
}
