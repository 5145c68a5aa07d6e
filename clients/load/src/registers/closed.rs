//! A closed loop: some clients, each with its operations under way, as fast as the answers come.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use palco_measure::Chance;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Client, Clients, Task};
use super::cluster::Cluster;
use super::store::Operation;
use super::witness::{Sent, Witness};

/// Registers that are asked for, all alike.
pub(super) const KEYS: usize = 10_000;

/// The longest answer that is told from longer ones: a minute.
const NANOS_MAX: u64 = 60_000_000_000;

/// Clients that fill the registers, and how much each has under way.
const FILLERS: usize = 16;
const FILL_AT_ONCE: usize = 16;

/// What is asked for, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load<'a> {
    pub(super) operation: Operation,
    pub(super) clients: usize,
    /// Operations that each has under way at once.
    pub(super) at_once: usize,
    /// After a warm-up of a tenth of it.
    pub(super) lasts: Duration,
    pub(super) value: &'a [u8],
    pub(super) seed: u64,
}

/// What one round of one cell has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Operations that ended in the measured time.
    pub(super) ops: u64,
    pub(super) seconds: f64,
    /// Of all server processes.
    pub(super) cpu_seconds: f64,
    /// Until an answer, or until all answers of what was asked at once.
    pub(super) p50_nanos: u64,
    pub(super) p99_nanos: u64,
    /// By operation, from the first to the last one of the round, the warm-up among them.
    pub(super) wire_bytes: Option<f64>,
    pub(super) wire_segments: Option<f64>,
    pub(super) flushes: Option<f64>,
}

/// What all clients of a round share.
struct Round {
    is_over: Cell<bool>,
    is_measured: Cell<bool>,
    failure: RefCell<Option<String>>,
    /// All that ended, and those that ended while it was measured.
    all: Cell<u64>,
    measured: Cell<u64>,
    nanos: RefCell<Histogram<u64>>,
}

/// The name of a register.
pub(super) fn key(number: usize) -> String {
    format!("bench:{number:06}")
}

/// Runs one round. Must be called on a `LocalSet`; an operation that fails ends it.
pub(super) async fn run(
    cluster: &Cluster,
    load: Load<'_>,
    witness: &Witness,
) -> Result<Sample, String> {
    let addresses = cluster.addresses();
    let clients = Clients::connect(cluster.store, &addresses, load.clients).await?;
    let round = Rc::new(Round {
        is_over: Cell::new(false),
        is_measured: Cell::new(false),
        failure: RefCell::default(),
        all: Cell::new(0),
        measured: Cell::new(0),
        nanos: RefCell::new(Histogram::new_with_bounds(1, NANOS_MAX, 3).expect("bounds far apart")),
    });
    let ports = cluster.ports();
    let (sent, flushes) = (witness.sent(&ports), witness.flushes());
    let mut asking = JoinSet::new();
    let Clients { clients, hosts } = clients;
    let value: Rc<[u8]> = load.value.into();
    for (number, client) in clients.into_iter().enumerate() {
        let chance = Chance::named(load.seed, &format!("client {number}"));
        let (round, value) = (Rc::clone(&round), Rc::clone(&value));
        let is_set = load.operation.is_set();
        asking.spawn_local(ask(client, is_set, load.at_once, value, chance, round));
    }
    sleep(load.lasts / 10).await;
    let (begun, cpu) = (Instant::now(), cluster.cpu_nanos());
    round.is_measured.set(true);
    sleep(load.lasts).await;
    round.is_measured.set(false);
    let (lasted, cpu) = (begun.elapsed(), cluster.cpu_nanos().saturating_sub(cpu));
    round.is_over.set(true);
    while asking.join_next().await.is_some() {}
    drop(hosts);
    if let Some(failure) = round.failure.take() {
        return Err(failure);
    }
    let all = round.all.get().max(1) as f64;
    let after = witness.sent(&ports);
    let between = |of: fn(Sent) -> u64| {
        let (before, after) = sent.zip(after)?;
        Some(of(after).saturating_sub(of(before)) as f64 / all)
    };
    let flushed = flushes.zip(witness.flushes());
    let nanos = round.nanos.borrow();
    Ok(Sample {
        ops: round.measured.get(),
        seconds: lasted.as_secs_f64(),
        cpu_seconds: cpu as f64 / 1e9,
        p50_nanos: nanos.value_at_quantile(0.5),
        p99_nanos: nanos.value_at_quantile(0.99),
        wire_bytes: between(|sent| sent.bytes),
        wire_segments: between(|sent| sent.segments),
        flushes: flushed.map(|(before, after)| after.saturating_sub(before) as f64 / all),
    })
}

async fn ask(
    mut client: Client,
    is_set: bool,
    at_once: usize,
    value: Rc<[u8]>,
    mut chance: Chance,
    round: Rc<Round>,
) {
    while !round.is_over.get() {
        let keys: Vec<_> = (0..at_once).map(|_| key(chance.below(KEYS))).collect();
        let asked = Instant::now();
        if let Err(error) = client.act(Task { is_set, keys: &keys, value: &value }).await {
            round.failure.borrow_mut().get_or_insert(error);
            round.is_over.set(true);
            return;
        }
        round.all.set(round.all.get() + at_once as u64);
        if round.is_measured.get() {
            round.measured.set(round.measured.get() + at_once as u64);
            let nanos = u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX);
            round.nanos.borrow_mut().saturating_record(nanos);
        }
    }
}

/// Writes this value to `count` registers whose names `name` makes; `progress` is told how many are done.
pub(super) async fn fill(
    cluster: &Cluster,
    count: usize,
    name: fn(usize) -> String,
    value: &[u8],
    mut progress: impl FnMut(usize),
) -> Result<(), String> {
    let mut clients = Clients::connect(cluster.store, &cluster.addresses(), FILLERS).await?;
    let at_once = if value.len() > 1 << 12 { 1 } else { FILL_AT_ONCE };
    let mut done = 0;
    while done < count {
        let writing = clients.clients.iter_mut().enumerate().map(|(number, client)| {
            let from = (done + number * at_once).min(count);
            let keys: Vec<_> = (from..(from + at_once).min(count)).map(name).collect();
            async move { client.act(Task { is_set: true, keys: &keys, value }).await }
        });
        futures_util::future::try_join_all(writing).await?;
        done = (done + FILLERS * at_once).min(count);
        progress(done);
    }
    Ok(())
}
