//! Two tasks on a current-thread runtime of tokio, without its drivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinError, yield_now};

use super::apart::Outcome;
use super::meter::{Meter, Next, Plan};
use super::turns::{Player, pair};
use super::way::Way;
use crate::{Raw, Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 3] =
    [task("tokio-yield", by_yield), task("tokio-notify", by_notify), task("tokio-mpsc", by_mpsc)];

const fn task(mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Switch, unit: Unit::Task, mechanism, round }
}

/// A runtime on the calling thread.
pub(crate) fn runtime() -> Result<Runtime, Unavailable> {
    let built = Builder::new_current_thread().build();
    built.map_err(|error| Unavailable(format!("tokio has no runtime: {error}")))
}

/// Runs both as tasks; the future of `block_on` is none.
fn both(
    lead: impl Future<Output = (Meter, Player)> + Send + 'static,
    follow: impl Future<Output = ()> + Send + 'static,
) -> Outcome {
    let runtime = runtime()?;
    let (meter, player) = runtime
        .block_on(async {
            let (lead, follow) = (tokio::spawn(lead), tokio::spawn(follow));
            let led = lead.await?;
            follow.await?;
            Ok(led)
        })
        .map_err(|error: JoinError| Unavailable(format!("a task has not ended well: {error}")))?;
    Ok(Raw { out_of_turn: Some(player.out_of_turn()), ..meter.raw() })
}

/// Each yields until the turn is its own. tokio puts tasks that yield aside and takes them back in reverse, A B B A, so a
/// turn takes one yield or two: that is what passing it on costs here.
fn by_yield(plan: &Plan) -> Outcome {
    let [mut player, mut other] = pair();
    let mut meter = Meter::start(plan, 2)?;
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let lead = async move {
        loop {
            player.hop();
            while !player.is_on() {
                yield_now().await;
            }
            if meter.trip() == Next::Over {
                over.store(true, Ordering::Relaxed);
                return (meter, player);
            }
        }
    };
    let follow = async move {
        loop {
            while !other.is_on() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                yield_now().await;
            }
            other.hop();
        }
    };
    both(lead, follow)
}

fn by_notify(plan: &Plan) -> Outcome {
    let [mut player, mut other] = pair();
    let mut meter = Meter::start(plan, 2)?;
    let shared = Arc::new(([Notify::new(), Notify::new()], AtomicBool::new(false)));
    let others = Arc::clone(&shared);
    let lead = async move {
        let (bells, over) = &*shared;
        loop {
            player.hop();
            bells[1].notify_one();
            bells[0].notified().await;
            if meter.trip() == Next::Over {
                over.store(true, Ordering::Relaxed);
                bells[1].notify_one();
                return (meter, player);
            }
        }
    };
    let follow = async move {
        let (bells, over) = &*others;
        loop {
            bells[1].notified().await;
            if over.load(Ordering::Relaxed) {
                return;
            }
            other.hop();
            bells[0].notify_one();
        }
    };
    both(lead, follow)
}

fn by_mpsc(plan: &Plan) -> Outcome {
    let [mut player, mut other] = pair();
    let mut meter = Meter::start(plan, 2)?;
    let (to_other, mut from_player) = mpsc::channel::<()>(1);
    let (to_player, mut from_other) = mpsc::channel::<()>(1);
    let lead = async move {
        loop {
            player.hop();
            if to_other.send(()).await.is_err() || from_other.recv().await.is_none() {
                return (meter, player);
            }
            if meter.trip() == Next::Over {
                return (meter, player);
            }
        }
    };
    let follow = async move {
        while from_player.recv().await.is_some() {
            other.hop();
            if to_player.send(()).await.is_err() {
                return;
            }
        }
    };
    both(lead, follow)
}
