//! How long nobody is answered while a server dies or all servers are replaced, under a moderate load.

mod open;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::cluster::Cluster;
use super::palco::Site;
use super::store::{Peer, Store};
use super::{Progress, Stage, closed, etcd, palco};
use crate::actors::Refusal;
use crate::server::Server;
use open::{CLIENTS, Done, EVERY, Open};

/// How long everything is well before something happens, and how long is looked afterwards; but for short runs, where it
/// is three times as long as a cell.
const WELL: Duration = Duration::from_secs(10);

/// Bytes of a value that only takes up room.
const BULK_VALUE_BYTES: usize = 256 << 10;

/// Who takes the members' places.
const NEW: [&str; 3] = ["n4", "n5", "n6"];

/// What happens to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// SIGKILL to this server of palco, or to a member of etcd that follows.
    Kill,
    /// SIGKILL to the member of etcd that leads.
    KillLeader,
    /// All members make room for new ones, one after the other.
    OneByOne,
    /// All members make room for new ones in one step, with so many bytes in the registers.
    AtOnce(u64),
}

/// What was seen of one event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GapRow {
    /// Who.
    pub store: Store,
    /// What happened to it.
    pub event: String,
    /// Before it happened.
    pub before: Option<Calm>,
    /// From the event until the usual was seen again for a while.
    pub during: Option<Calm>,
    /// How long the event itself took, until the command that brought it about had ended; 0 for a kill.
    pub event_ms: f64,
    /// Attempts that failed and were made again elsewhere.
    pub failures: u64,
    /// Why there are no figures.
    pub refused: Option<String>,
}

/// How evenly a load was answered. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calm {
    /// Operations that ended.
    pub ops: u64,
    /// The longest time in which no operation of any client ended.
    pub gap_ms: f64,
    /// The longest time in which no operation of one client ended; it asks every 10 ms.
    pub client_gap_ms: f64,
    /// From the moment when an operation was due to its answer: half took less.
    pub p50_ms: f64,
    /// 999 of 1 000 took less.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl GapRow {
    /// Whether no gap of the whole system was longer than what one operation may normally take: the time between two
    /// operations that are due, and the 99.9th percentile before the event.
    #[must_use]
    pub fn is_without_gap(&self) -> Option<bool> {
        let (before, during) = (self.before?, self.during?);
        let between = EVERY.as_secs_f64() * 1e3 / CLIENTS as f64;
        Some(during.gap_ms <= between + before.p999_ms)
    }
}

impl Calm {
    /// Of what ended from `from` to `until`. What ended last before counts as the beginning of a gap.
    fn of(done: &[Done], from: Duration, until: Duration) -> Option<Self> {
        let within: Vec<_> =
            done.iter().copied().filter(|done| (from..until).contains(&done.at)).collect();
        let mut took: Vec<_> = within.iter().map(|done| done.took).collect();
        took.sort_unstable();
        let longest = |client: Option<usize>| {
            let is_of = |done: &&Done| client.is_none_or(|client| client == done.client);
            let before = done.iter().filter(is_of).take_while(|done| done.at < from).last();
            let begin = before.map_or(from, |done| done.at);
            let ends = within.iter().filter(is_of).map(|done| done.at).chain([until]);
            let gaps = ends.scan(begin, |last, at| {
                let gap = at.saturating_sub(*last);
                *last = at;
                Some(gap)
            });
            gaps.max().unwrap_or_default()
        };
        let quantile = |thousandths: usize| took.get(took.len() * thousandths / 1000);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        Some(Self {
            ops: within.len() as u64,
            gap_ms: ms(longest(None)),
            client_gap_ms: ms((0..CLIENTS).map(|client| longest(Some(client))).max()?),
            p50_ms: ms(*quantile(500)?),
            p999_ms: ms(*quantile(999)?),
            max_ms: ms(*took.last()?),
        })
    }
}

/// Every event, each with servers of its own.
pub(super) fn run(
    stage: &Stage<'_>,
    bulk_bytes: u64,
    progress: &mut dyn FnMut(Progress),
) -> Vec<GapRow> {
    let mut events = vec![
        (Store::Palco, Event::Kill),
        (Store::Palco, Event::OneByOne),
        (Store::Palco, Event::AtOnce(bulk_bytes)),
    ];
    if stage.settings.peers.contains(&Peer::Etcd) {
        events.extend([(Store::Etcd, Event::Kill), (Store::Etcd, Event::KillLeader)]);
    }
    let total = events.len();
    let row = |(done, (store, event)): (usize, (Store, Event))| {
        let what = format!("gaps of {}: {}", store.name(), event.name(store));
        let mut tell = |more: String| {
            progress(Progress { what: what.clone() + &more, done, total });
        };
        tell(String::new());
        let folder = format!("gaps-{done}");
        watch(stage, store, event, &folder, &mut tell).unwrap_or_else(|refusal| GapRow {
            store,
            event: event.name(store),
            before: None,
            during: None,
            event_ms: 0.0,
            failures: 0,
            refused: Some(refusal.to_string()),
        })
    };
    events.into_iter().enumerate().map(row).collect()
}

impl Event {
    fn name(self, store: Store) -> String {
        match self {
            Self::Kill if store == Store::Etcd => "a follower is killed".to_owned(),
            Self::Kill => "a member is killed".to_owned(),
            Self::KillLeader => "the leader is killed".to_owned(),
            Self::OneByOne => "all members are replaced, one by one".to_owned(),
            Self::AtOnce(bytes) => {
                format!("all members are replaced at once, with {} MiB", bytes >> 20)
            }
        }
    }
}

fn watch(
    stage: &Stage<'_>,
    store: Store,
    event: Event,
    folder: &str,
    tell: &mut dyn FnMut(String),
) -> Result<GapRow, Refusal> {
    let mut cluster = stage.start(store, folder)?;
    let directory = stage.directory.path().join(folder).join(store.folder());
    let program = stage.settings.palco.as_deref().unwrap_or(Path::new(""));
    let site = Site { program, directory: &directory, is_durable: store.is_durable() };
    let mut new = Vec::new();
    match event {
        Event::Kill | Event::KillLeader => {}
        Event::OneByOne => new = site.nodes(&NEW, &cluster.servers)?,
        Event::AtOnce(bytes) => {
            let count = usize::try_from(bytes).unwrap_or(usize::MAX) / BULK_VALUE_BYTES;
            let value = vec![b'b'; BULK_VALUE_BYTES];
            let filled = closed::fill(&cluster, count, bulk_key, &value, |done| {
                tell(format!(
                    ": {} of {} MiB written",
                    (done * BULK_VALUE_BYTES) >> 20,
                    bytes >> 20
                ));
            });
            stage.block_on(filled).map_err(Refusal::failed)?;
            tell(String::new());
            new = site.nodes(&NEW, &cluster.servers)?;
        }
    }
    let leader = stage.block_on(async { etcd_leader(&cluster).await })?;
    let well = WELL.min(stage.settings.lasts * 3);
    let value = stage.value();
    let open = Open::begin(stage.local, store, cluster.addresses(), value, stage.settings.seed);
    stage.wait(well);
    let happens = open.now();
    match event {
        // Anybody of palco is like any other; of etcd somebody who does not lead.
        Event::Kill => stage.block_on(kill(cluster.servers.remove((leader + 1) % 3)))?,
        Event::KillLeader => stage.block_on(kill(cluster.servers.remove(leader)))?,
        Event::OneByOne => {
            for (index, new) in new.into_iter().enumerate() {
                let by = &cluster.servers[index];
                let wish = ["--replace".to_owned(), format!("{}={}", by.name, new.name)];
                stage.block_on(reconfigure(site, by, wish))?;
                let old = std::mem::replace(&mut cluster.servers[index], new);
                open.go_to(cluster.addresses());
                stage.block_on(end(old))?;
            }
        }
        Event::AtOnce(_) => {
            let wish = ["--members".to_owned(), NEW.join(",")];
            stage.block_on(reconfigure(site, &cluster.servers[0], wish))?;
            let old = std::mem::replace(&mut cluster.servers, new);
            open.go_to(cluster.addresses());
            for server in old {
                stage.block_on(end(server))?;
            }
        }
    }
    let event_ms = match event {
        Event::Kill | Event::KillLeader => 0.0,
        Event::OneByOne | Event::AtOnce(_) => (open.now() - happens).as_secs_f64() * 1e3,
    };
    stage.wait(well);
    let until = open.now();
    let (done, failures) = open.end();
    Ok(GapRow {
        store,
        event: event.name(store),
        // Connecting is not yet the usual.
        before: Calm::of(&done, well / 10, happens),
        during: Calm::of(&done, happens, until),
        event_ms,
        failures,
        refused: None,
    })
}

fn bulk_key(number: usize) -> String {
    format!("bulk:{number:06}")
}

/// The member that leads; the first one where there is no such thing.
async fn etcd_leader(cluster: &Cluster) -> Result<usize, Refusal> {
    if cluster.store != Store::Etcd {
        return Ok(0);
    }
    let leader = etcd::leader(&cluster.addresses()).await;
    leader.ok_or_else(|| Refusal::failed("no member of etcd says that it leads"))
}

/// Kills a server beside the load, which goes on.
async fn kill(mut server: Server) -> Result<(), Refusal> {
    beside(move || server.process.kill()).await
}

/// Ends a server that nobody needs any more; its clients find the others then.
async fn end(server: Server) -> Result<(), Refusal> {
    beside(move || {
        drop(server);
        Ok(())
    })
    .await
}

async fn reconfigure(site: Site<'_>, by: &Server, wish: [String; 2]) -> Result<(), Refusal> {
    let command = site.reconfiguring(by, &wish);
    beside(move || palco::said_by_command(command).map(drop)).await
}

async fn beside(
    work: impl FnOnce() -> Result<(), Refusal> + Send + 'static,
) -> Result<(), Refusal> {
    spawn_blocking(work).await.map_err(Refusal::failed)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(client: usize, ms: u64) -> Done {
        Done { client, at: Duration::from_millis(ms), took: Duration::from_millis(1) }
    }

    #[test]
    fn a_gap_begins_with_what_ended_last_and_may_last_to_the_end() {
        let done = [at(0, 10), at(1, 20), at(0, 50), at(0, 60)];
        let calm = Calm::of(&done, Duration::from_millis(30), Duration::from_millis(70)).unwrap();
        assert_eq!((calm.ops, calm.gap_ms), (2, 30.0));
        // The second client was not answered any more.
        assert_eq!(calm.client_gap_ms, 50.0);
        assert_eq!(Calm::of(&done, Duration::from_millis(80), Duration::from_millis(90)), None);
    }

    #[test]
    fn no_gap_is_one_that_an_operation_may_take() {
        let calm = Calm {
            ops: 1,
            gap_ms: 5.0,
            client_gap_ms: 9.0,
            p50_ms: 1.0,
            p999_ms: 4.5,
            max_ms: 9.0,
        };
        let row = |gap_ms| GapRow {
            store: Store::Palco,
            event: String::new(),
            before: Some(calm),
            during: Some(Calm { gap_ms, ..calm }),
            event_ms: 0.0,
            failures: 0,
            refused: None,
        };
        assert_eq!(row(5.0).is_without_gap(), Some(true));
        assert_eq!(row(5.2).is_without_gap(), Some(false));
        assert_eq!(GapRow { during: None, ..row(1.0) }.is_without_gap(), None);
    }
}
