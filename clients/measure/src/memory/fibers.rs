//! Futures at rest on a pool of fibers, which have no stack, and fibers that are suspended, which have one each.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use palco_fibers::{Pool, park};

use super::scale::{PORTIONS, own, weigh};
use crate::local::apart::Outcome;
use crate::local::meter::Plan;
use crate::local::on_fibers::no_fiber;
use crate::local::way::Way;
use crate::{Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 2] = [
    Way { section: Section::Memory, unit: Unit::Fiber, mechanism: "at-rest", round: at_rest },
    Way { section: Section::Memory, unit: Unit::Fiber, mechanism: "suspended", round: suspended },
];

/// Fibers in a portion.
const FIBERS: u64 = 500;

fn pool() -> Result<Pool, Unavailable> {
    let stacks = usize::try_from((PORTIONS + 2) * FIBERS).unwrap_or(usize::MAX);
    let built = Pool::builder().lwps(1).stacks_max(stacks).build();
    built.map_err(|error| Unavailable(format!("no pool of fibers: {error}")))
}

/// Weighs what `add` adds to a pool, one by one; each counts itself when it begins.
fn weigh_on_pool(mut add: impl FnMut(&Pool, Arc<AtomicU64>) -> Result<(), Unavailable>) -> Outcome {
    let pool = pool()?;
    let (begun, mut added) = (Arc::new(AtomicU64::new(0)), 0);
    weigh(FIBERS, own, |units| {
        for _ in 0..units {
            add(&pool, Arc::clone(&begun))?;
        }
        added += units;
        while begun.load(Ordering::Acquire) < added {
            thread::yield_now();
        }
        Ok(())
    })
}

fn at_rest(_: &Plan) -> Outcome {
    weigh_on_pool(|pool, begun| {
        let make = move || async move {
            begun.fetch_add(1, Ordering::Release);
            pending::<()>().await;
        };
        pool.run("at-rest".into(), None, make).map_err(|error| no_fiber(&error))
    })
}

fn suspended(_: &Plan) -> Outcome {
    weigh_on_pool(|pool, begun| {
        let body = move || {
            begun.fetch_add(1, Ordering::Release);
            // A wake that nobody meant changes nothing.
            loop {
                park();
            }
        };
        pool.spawn::<()>("suspended", body).map(drop).map_err(|error| no_fiber(&error))
    })
}
