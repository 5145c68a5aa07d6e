//! An open load: every client has a moment for each operation, whatever became of the one before.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use palco_measure::Chance;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, sleep_until, timeout};

use super::super::client::{Clients, Task};
use super::super::closed::{KEYS, key};
use super::super::store::Store;

/// Clients, and how often each of them asks: 1 600 operations a second in all, every second one a write.
pub(super) const CLIENTS: usize = 16;
pub(super) const EVERY: Duration = Duration::from_millis(10);

/// Who has no answer by then asks another server, on a new connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Between two attempts when nobody answers.
const RETRY_AFTER: Duration = Duration::from_millis(1);

/// An operation that ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Done {
    pub(super) client: usize,
    /// Since the load began.
    pub(super) at: Duration,
    /// From the moment when it was due.
    pub(super) took: Duration,
}

/// A load that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    shared: Rc<Shared>,
    asking: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    addresses: RefCell<Vec<SocketAddr>>,
    value: Vec<u8>,
    begun: Instant,
    done: RefCell<Vec<Done>>,
    failures: Cell<u64>,
}

impl Open {
    /// Begins on a `LocalSet`.
    pub(super) fn begin(
        local: &LocalSet,
        store: Store,
        addresses: Vec<SocketAddr>,
        value: Vec<u8>,
        seed: u64,
    ) -> Self {
        let shared = Rc::new(Shared {
            store,
            addresses: RefCell::new(addresses),
            value,
            begun: Instant::now(),
            done: RefCell::default(),
            failures: Cell::new(0),
        });
        let mut asking = JoinSet::new();
        for client in 0..CLIENTS {
            let chance = Chance::named(seed, &format!("open client {client}"));
            asking.spawn_local_on(ask(Rc::clone(&shared), client, chance), local);
        }
        Self { shared, asking }
    }

    /// Clients that have to look for a server look among these from now on.
    pub(super) fn go_to(&self, addresses: Vec<SocketAddr>) {
        *self.shared.addresses.borrow_mut() = addresses;
    }

    /// Time since it began.
    pub(super) fn now(&self) -> Duration {
        self.shared.begun.elapsed()
    }

    /// Everything that ended, in this order, and how many attempts failed.
    pub(super) fn end(mut self) -> (Vec<Done>, u64) {
        self.asking.abort_all();
        (self.shared.done.take(), self.shared.failures.get())
    }
}

async fn ask(shared: Rc<Shared>, client: usize, mut chance: Chance) {
    // Spread over the interval, so that the whole system is asked evenly.
    let first = EVERY * u32::try_from(client).unwrap_or(0) / u32::try_from(CLIENTS).unwrap_or(1);
    let mut due = shared.begun + first;
    let (mut home, mut connected) = (client, None);
    let mut is_set = client.is_multiple_of(2);
    loop {
        sleep_until(due.into()).await;
        let keys = [key(chance.below(KEYS))];
        loop {
            let addresses = shared.addresses.borrow().clone();
            let address = addresses[home % addresses.len()];
            let attempt = async {
                if connected.is_none() {
                    connected = Some(Clients::connect(shared.store, &[address], 1).await?);
                }
                let Some(clients) = &mut connected else { return Ok(()) };
                let task = Task { is_set, keys: &keys, value: &shared.value };
                clients.clients[0].act(task).await
            };
            if let Ok(Ok(())) = timeout(ANSWER_WITHIN, attempt).await {
                break;
            }
            shared.failures.set(shared.failures.get() + 1);
            connected = None;
            home += 1;
            sleep(RETRY_AFTER).await;
        }
        let now = Instant::now();
        let done = Done {
            client,
            at: now.duration_since(shared.begun),
            took: now.saturating_duration_since(due),
        };
        shared.done.borrow_mut().push(done);
        is_set = !is_set;
        // Moments that have passed meanwhile are not made up for: their operations would be the load after the gap.
        while due <= now {
            due += EVERY;
        }
    }
}
