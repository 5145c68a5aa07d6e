//! The books: whatever happens, every message is handled, queued or dropped for a reason, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use palco_actors::{
    ActorRef, AskError, Backoff, Restart, SendError, Signal, SpawnOptions, Strategy, Supervision,
    Supervisor,
};

use crate::harness::{LIMIT, Stage, background, in_every_place, poll_once};
use crate::probe::{Log, Probe, act, deliberate_panic};

in_every_place!(real: [a_storm_loses_nothing], simulated: []);

const SENDERS: u64 = 6;
const STEPS: u64 = 400;
const ACTORS: usize = 4;

/// Small numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What one sender knows to have been accepted.
#[derive(Default)]
struct Tally {
    accepted: AtomicU64,
}

async fn a_storm_loses_nothing(stage: &Stage) {
    let policy = Supervision::default()
        .with_strategy(Strategy::RestForOne)
        .with_intensity(u32::MAX, Duration::from_secs(3_600))
        .with_backoff(Backoff { first_ms: 0, max_ms: 1 });
    let supervisor = stage.system.spawn(SpawnOptions::new(), move || Supervisor::new(policy));
    let supervisor = supervisor.unwrap();
    let log = Log::default();
    let actors: Vec<_> = (0..ACTORS)
        .map(|_| {
            let options = stage.options().restart(Restart::Always).mailbox_messages_max(4);
            supervisor.supervise(options, Probe::lives("target", &log, &[])).unwrap()
        })
        .collect();
    let tally = Arc::new(Tally::default());
    let senders = (1..=SENDERS)
        .map(|seed| background(send_at_random(seed, actors.clone(), Arc::clone(&tally))));
    join_all(senders.collect::<Vec<_>>()).await;
    for actor in &actors {
        // Alive after all that, under the same address.
        actor.any().signal(Signal::Resume);
        while actor.ask(act(async |_, _| ()), LIMIT).await.is_err() {}
    }
    supervisor.stop();
    supervisor.exited().await;
    let sent: u64 = actors.iter().map(|actor| actor.any().snapshot().sent).sum();
    let known = tally.accepted.load(Ordering::SeqCst);
    assert!(sent >= known + ACTORS as u64, "{sent} of {known} known ones were counted");
    for actor in &actors {
        let books = actor.any().snapshot();
        assert_eq!(books.sent, books.handled + books.dropped_total(), "{books:?}");
    }
}

async fn send_at_random(seed: u64, actors: Vec<ActorRef<Probe>>, tally: Arc<Tally>) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    for _ in 0..STEPS {
        let actor = &actors[dice.roll(ACTORS as u64) as usize];
        let accepted = match dice.roll(16) {
            0 => actor.tell(deliberate_panic()).await.is_ok(),
            1 => {
                let signal = [Signal::Kill, Signal::Interrupt, Signal::Suspend, Signal::Inspect];
                actor.any().signal(signal[dice.roll(4) as usize]);
                actor.any().signal(Signal::Resume);
                false
            }
            2 => {
                // Given up before, while or after it is queued or handled.
                let mut ask = Box::pin(actor.ask(act(async |_, cx| cx.checkpoint().await), LIMIT));
                for _ in 0..dice.roll(3) {
                    if poll_once(&mut ask).await.is_ready() {
                        break;
                    }
                }
                false
            }
            3 => {
                let asked = actor.ask(act(async |_, _| ()), Duration::from_millis(1)).await;
                !matches!(asked, Err(AskError::Full(_) | AskError::Closed(_)))
            }
            4..8 => {
                let asked = actor.ask(act(async |_, cx| cx.checkpoint().await), LIMIT).await;
                !matches!(asked, Err(AskError::Full(_) | AskError::Closed(_)))
            }
            8..12 => actor.tell(act(async |_, cx| cx.checkpoint().await)).await.is_ok(),
            _ => !matches!(
                actor.try_tell(act(async |_, _| ())),
                Err(SendError::Full(_) | SendError::Closed(_))
            ),
        };
        tally.accepted.fetch_add(u64::from(accepted), Ordering::SeqCst);
    }
}
