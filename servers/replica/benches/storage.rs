//! What storing costs: the log beside an embedded database (redb), on the disk of this directory.
//!
//! `TMPDIR=<a directory on the disk> cargo bench -p palco-replica --bench storage`
//!
//! A commit stores 1, 16 or 256 records with values of 256 bytes, of keys drawn from 100 000 that were stored before, and is
//! over when they would survive a crash. Rounds alternate between the two. The database has a row for each key and
//! commits with `Durability::Immediate`. Recovery reads a million keys back as records.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use palco_rambo::{Key, NodeId, Participant, Record, Settings, Tag, Tagged};
use palco_replica::storage::{Directory, Limits, Log, Owner};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
const OWNER: Owner = Owner { node: NodeId(7), shard: 0 };
const KEYS: u64 = 100_000;
const KEYS_RECOVERED: u64 = 1_000_000;
const ROUNDS: u64 = 5;
const COMMITS: u64 = 200;

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let mut report = std::io::stdout().lock();
    let mut say = |line: String| writeln!(report, "{line}").expect("somebody reads");
    say(format!("on {}", place.path().display()));
    for records in [1, 16, 256] {
        let mut log = Ours::begin(&place.path().join(format!("log-{records}")), KEYS);
        let mut database = Theirs::begin(&place.path().join(format!("redb-{records}")), KEYS, 2000);
        let (mut ours, mut theirs) = (Times::default(), Times::default());
        for round in 0..ROUNDS {
            for commit in 0..COMMITS {
                let number = 1 + round * COMMITS + commit;
                ours.take(|| log.commit(records, number));
                theirs.take(|| database.commit(records, number));
            }
        }
        say(format!("{records:4} records  log   {}", ours.line(records)));
        say(format!("{records:4} records  redb  {}", theirs.line(records)));
    }
    let path = place.path().join("recovery");
    let rows = place.path().join("recovery.redb");
    drop(Ours::begin(&path, KEYS_RECOVERED));
    drop(Theirs::begin(&rows, KEYS_RECOVERED, 50_000));
    for round in 0..3 {
        let (took, records) = Ours::recover(&path);
        say(format!(
            "recovery {round}  log   {records} records in {took:?}, {} B each",
            each(&path)
        ));
        let (took, records) = Theirs::recover(&rows);
        say(format!(
            "recovery {round}  redb  {records} records in {took:?}, {} B each",
            each(&rows)
        ));
    }
    let (took, bytes) = Ours::compact(&path);
    say(format!(
        "compaction   log   {KEYS_RECOVERED} keys, {bytes} bytes looked through in {took:?}"
    ));
}

/// Bytes on disk for each record.
fn each(path: &Path) -> u64 {
    let bytes = match std::fs::read_dir(path) {
        Ok(entries) => {
            entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
        }
        Err(_) => std::fs::metadata(path).map_or(0, |file| file.len()),
    };
    bytes / KEYS_RECOVERED
}

struct Times {
    latency: Histogram<u64>,
    /// Of this thread, which does all the work of either.
    cpu: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let latency =
            Histogram::new_with_max(60_000_000_000, 3).expect("three digits up to a minute");
        Self { latency, cpu: Duration::ZERO }
    }
}

impl Times {
    fn take(&mut self, run: impl FnOnce()) {
        let (began, cpu) = (Instant::now(), cpu());
        run();
        self.cpu += self::cpu() - cpu;
        self.latency.saturating_record(began.elapsed().as_nanos() as u64);
    }

    fn line(&self, records: u64) -> String {
        let micros = |ns: u64| ns as f64 / 1e3;
        format!(
            "{:9.0} records/s  p50 {:7.1} µs  p99 {:7.1} µs  max {:7.1} µs  CPU {:6.1} µs a commit",
            records as f64 * 1e9 / self.latency.mean(),
            micros(self.latency.value_at_quantile(0.5)),
            micros(self.latency.value_at_quantile(0.99)),
            micros(self.latency.max()),
            micros(self.cpu.as_nanos() as u64 / self.latency.len()),
        )
    }
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("a thread may ask for its own");
    let time = usage.user_time() + usage.system_time();
    Duration::from_nanos(u64::try_from(time.num_nanoseconds()).unwrap_or(0))
}

/// Keys in an order that looks like chance, each once before any again.
fn record(at: u64, number: u64, keys: u64) -> Record {
    let key = at.wrapping_mul(7_368_787) % keys;
    let tag = Tag { sequence: number, node: OWNER.node, boot: 1, n: 1 };
    let value = vec![number as u8; 256].into();
    Record::Stored(Key::register(format!("key:{key:08}")), Tagged { tag, value: Some(value) })
}

struct Ours {
    log: Log,
    keys: u64,
    at: u64,
}

impl Ours {
    fn begin(path: &Path, keys: u64) -> Self {
        std::fs::create_dir(path).expect("a fresh directory");
        let medium = Directory::open(path).expect("it was made");
        let mut log = Log::create(Arc::new(medium), OWNER, Limits::default()).expect("a fresh log");
        log.append(&Record::Began { node: OWNER.node, boot: 1 }).expect("there is room");
        for at in 0..keys {
            log.append(&record(at, 0, keys)).expect("there is room");
        }
        log.flush().expect("there is room");
        Self { log, keys, at: 0 }
    }

    fn commit(&mut self, records: u64, number: u64) {
        for _ in 0..records {
            self.at += 1;
            self.log.append(&record(self.at, number, self.keys)).expect("there is room");
        }
        self.log.flush().expect("there is room");
    }

    fn open(path: &Path) -> palco_replica::storage::Reading {
        let medium = Arc::new(Directory::open(path).expect("it was written"));
        Log::open(medium, OWNER, Limits::default()).expect("it was written")
    }

    /// Reading alone, as the other side does.
    fn recover(path: &Path) -> (Duration, u64) {
        let began = Instant::now();
        let (log, recovered) = Self::open(path).finish().expect("it is whole");
        let took = began.elapsed();
        drop(log);
        (took, recovered.records - 1)
    }

    /// To a participant; then the same bytes again, looked through by a compaction.
    fn compact(path: &Path) -> (Duration, u64) {
        let mut reading = Self::open(path);
        let began = Instant::now();
        let participant =
            Participant::restore(Settings::new(OWNER.node), &mut reading, &mut Vec::new());
        let participant = participant.expect("a life began");
        let mut out = std::io::stderr().lock();
        writeln!(
            out,
            "{} registers restored in {:?}",
            participant.registers().len(),
            began.elapsed()
        )
        .expect("somebody reads");
        let (mut log, _) = reading.finish().expect("it is whole");
        let compaction = log.compaction().expect("it has grown");
        let began = Instant::now();
        let result = compaction.run(&std::sync::atomic::AtomicBool::new(false));
        (began.elapsed(), result.expect("there is room").read_bytes)
    }
}

struct Theirs {
    database: Database,
    keys: u64,
    at: u64,
}

impl Theirs {
    fn begin(path: &Path, keys: u64, per_commit: u64) -> Self {
        let database = Database::create(path).expect("a fresh file");
        let mut this = Self { database, keys, at: 0 };
        for _ in 0..keys / per_commit {
            this.commit(per_commit, 0);
        }
        this
    }

    fn commit(&mut self, records: u64, number: u64) {
        let mut transaction = self.database.begin_write().expect("nobody else writes");
        transaction.set_durability(Durability::Immediate).expect("it was not changed before");
        {
            let mut rows = transaction.open_table(ROWS).expect("a table");
            for _ in 0..records {
                self.at += 1;
                let Record::Stored(key, tagged) = record(self.at, number, self.keys) else {
                    unreachable!("only such are made")
                };
                let row = postcard::to_stdvec(&tagged).expect("it can be written");
                rows.insert(&*key.name, &*row).expect("there is room");
            }
        }
        transaction.commit().expect("there is room");
    }

    fn recover(path: &Path) -> (Duration, u64) {
        let began = Instant::now();
        let database = Database::open(path).expect("it was written");
        let transaction = database.begin_read().expect("it can be read");
        let rows = transaction.open_table(ROWS).expect("a table");
        let mut records = 0;
        for row in rows.iter().expect("it can be read") {
            let (key, row) = row.expect("it can be read");
            let tagged: Tagged = postcard::from_bytes(row.value()).expect("as it was written");
            let record = Record::Stored(Key::register(key.value().to_vec()), tagged);
            records += u64::from(matches!(std::hint::black_box(record), Record::Stored(..)));
        }
        (began.elapsed(), records)
    }
}
