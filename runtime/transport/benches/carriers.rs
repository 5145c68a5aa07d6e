//! What an exchange between two nodes costs: `cargo bench -p palco-transport`. One operation is a request of 300 bytes and its
//! acknowledgement of as many, over loopback between two threads of one process; so many are outstanding all the time. The row
//! `tcp` is the least that sockets cost: the same frames, the same coalescing, no encryption, no queue. Rounds of all rows take
//! turns; a figure is the median of its rounds, and the processor time that of both nodes.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use palco_transport::libp2p::{Allowed, Libp2p, Settings};
use palco_transport::memory::Hub;
use palco_transport::{Carrier, Event, Introduction, Lane, NodeKey, Outbox};
use parking_lot::{Condvar, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PAYLOAD_BYTES: usize = 300;
const OUTSTANDING: [usize; 3] = [1, 64, 256];
const ROUNDS: usize = 7;
/// A longer one counts as this, which shows.
const LATENCY_NANOS_MAX: u64 = 60_000_000_000;
const ROUND: Duration = Duration::from_millis(700);

/// A way to exchange frames.
type Way = fn(&Arc<Client>);

const WAYS: [(&str, Way); 3] =
    [("tcp", over_tcp), ("libp2p", over_libp2p), ("memory", over_memory)];

/// Who asks, and measures.
struct Client {
    state: Mutex<State>,
    done: Condvar,
    requests: Vec<Bytes>,
}

struct State {
    begun: Instant,
    sent: Vec<Instant>,
    latencies: Histogram<u64>,
    outstanding: usize,
}

/// What one round has shown.
struct Round {
    per_second: f64,
    processor_micros: f64,
    p50_micros: f64,
    p99_micros: f64,
}

impl Client {
    fn new(outstanding: usize) -> Arc<Self> {
        let request = |slot: usize| {
            let mut request = u32::try_from(slot).expect("few").to_le_bytes().to_vec();
            request.resize(PAYLOAD_BYTES, 0);
            Bytes::from(request)
        };
        let now = Instant::now();
        let latencies = Histogram::new_with_max(LATENCY_NANOS_MAX, 3).expect("three digits fit");
        let state = State { begun: now, sent: vec![now; outstanding], latencies, outstanding };
        let requests = (0..outstanding).map(request).collect();
        Arc::new(Self { state: Mutex::new(state), done: Condvar::new(), requests })
    }

    fn begin(&self) {
        let mut state = self.state.lock();
        let now = Instant::now();
        (state.begun, state.outstanding) = (now, self.requests.len());
        state.sent.fill(now);
    }

    /// Takes in acknowledgements, and sends as many requests anew until the round is over.
    fn acknowledged<'a>(
        &self,
        frames: impl Iterator<Item = &'a [u8]>,
        mut send: impl FnMut(&Bytes),
    ) -> bool {
        let mut state = self.state.lock();
        for frame in frames {
            let slot = u32::from_le_bytes(*frame.first_chunk().expect("the slot")) as usize;
            let now = Instant::now();
            let nanos = now.duration_since(state.sent[slot]).as_nanos() as u64;
            state.latencies.saturating_record(nanos);
            if now.duration_since(state.begun) < ROUND {
                state.sent[slot] = now;
                send(&self.requests[slot]);
            } else {
                state.outstanding -= 1;
            }
        }
        let is_done = state.outstanding == 0;
        if is_done {
            self.done.notify_all();
        }
        is_done
    }

    fn wait(&self) {
        let mut state = self.state.lock();
        while state.outstanding > 0 {
            self.done.wait(&mut state);
        }
    }
}

fn over_tcp(client: &Arc<Client>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the client comes");
        exchange(stream, Vec::new(), |frames, out| {
            frames.for_each(|frame| put(frame, out));
            false
        })
    });
    let stream = TcpStream::connect(address).expect("the server listens");
    let mut first = Vec::new();
    client.begin();
    client.requests.iter().for_each(|request| put(request, &mut first));
    let client = Arc::clone(client);
    exchange(stream, first, |frames, out| client.acknowledged(frames, |frame| put(frame, out)))
        .expect("the server answers");
    server.join().expect("it does not panic").expect("until the client goes");
}

fn put(frame: &[u8], out: &mut Vec<u8>) {
    out.extend(u32::try_from(frame.len()).expect("small").to_le_bytes());
    out.extend_from_slice(frame);
}

/// Reads as much as there is, and writes all answers at once.
fn exchange(
    stream: TcpStream,
    mut out: Vec<u8>,
    mut answer: impl FnMut(&mut dyn Iterator<Item = &[u8]>, &mut Vec<u8>) -> bool,
) -> io::Result<()> {
    const FRAME: usize = 4 + PAYLOAD_BYTES;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stream = tokio::net::TcpStream::from_std(stream)?;
        let (mut read, mut filled) = (vec![0; 64 << 10], 0);
        loop {
            stream.write_all(&out).await?;
            out.clear();
            let bytes = stream.read(&mut read[filled..]).await?;
            if bytes == 0 {
                return Ok(());
            }
            filled += bytes;
            let whole = filled - filled % FRAME;
            if answer(&mut read[..whole].chunks_exact(FRAME).map(|frame| &frame[4..]), &mut out) {
                return Ok(());
            }
            read.copy_within(whole..filled, 0);
            filled -= whole;
        }
    })
}

/// Where the outbox of the connection is put.
#[derive(Default)]
struct Connected {
    outbox: Mutex<Option<Outbox>>,
    changed: Condvar,
}

impl Connected {
    fn set(&self, outbox: Outbox) {
        *self.outbox.lock() = Some(outbox);
        self.changed.notify_all();
    }

    fn wait(&self) -> Outbox {
        let mut outbox = self.outbox.lock();
        loop {
            if let Some(outbox) = &*outbox {
                return outbox.clone();
            }
            self.changed.wait(&mut outbox);
        }
    }
}

fn push(outbox: &Outbox, frame: &Bytes) {
    outbox.try_push(Lane::Normal, frame.clone()).expect("little is outstanding");
}

/// Ears of the one who acknowledges.
fn server() -> impl Fn(Event) + Send + Sync {
    let connected = Mutex::new(None);
    move |event| match event {
        Event::Connected { outbox, .. } => *connected.lock() = Some(outbox),
        Event::Frames { frames, .. } => {
            let outbox = connected.lock();
            let outbox = outbox.as_ref().expect("connected before");
            frames.iter().for_each(|frame| push(outbox, frame));
        }
        Event::Lost { .. } | Event::Refused { .. } => {}
    }
}

/// Ears of the one who asks.
fn asker(client: &Arc<Client>, connected: &Arc<Connected>) -> impl Fn(Event) + Send + Sync + use<> {
    let (client, connected) = (Arc::clone(client), Arc::clone(connected));
    move |event| match event {
        Event::Connected { outbox, .. } => connected.set(outbox),
        Event::Frames { frames, .. } => {
            let outbox = connected.wait();
            client.acknowledged(frames.iter().map(AsRef::as_ref), |frame| push(&outbox, frame));
        }
        Event::Lost { .. } | Event::Refused { .. } => {}
    }
}

fn ask(client: &Client, connected: &Connected) {
    let outbox = connected.wait();
    client.begin();
    client.requests.iter().for_each(|request| push(&outbox, request));
    client.wait();
}

fn introduction() -> Introduction {
    let text = || "bench".to_owned();
    Introduction { cluster: text(), build: text(), name: text() }
}

fn over_libp2p(client: &Arc<Client>) {
    let settings =
        || Settings { allowed: Allowed::Any, ..Settings::new(NodeKey::generate(), introduction()) };
    let connected = Arc::default();
    let a = Libp2p::start(settings(), Arc::new(asker(client, &connected))).expect("a free port");
    let b = Libp2p::start(settings(), Arc::new(server())).expect("a free port");
    a.seek(b.me(), &b.addresses()).expect("its addresses");
    ask(client, &connected);
}

fn over_memory(client: &Arc<Client>) {
    let (hub, connected) = (Hub::new().expect("a thread"), Arc::default());
    let (a, b) = (NodeKey::generate().peer(), NodeKey::generate().peer());
    let a = hub.join(a, introduction(), Arc::new(asker(client, &connected)));
    let _b = hub.join(b, introduction(), Arc::new(server()));
    a.seek(b, &[]).expect("no address is needed");
    ask(client, &connected);
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("of this process");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.try_into().expect("time has passed"))
}

fn round(way: Way, outstanding: usize) -> Round {
    let client = Client::new(outstanding);
    let before = processor_time();
    way(&client);
    let spent = processor_time() - before;
    let state = client.state.lock();
    let operations = state.latencies.len() as f64;
    // By Little's law: what is outstanding is rate times latency. A clock or a count that is wrong shows here.
    let little = state.latencies.mean() / 1e9 * operations / ROUND.as_secs_f64();
    assert!(
        (0.5..2.0).contains(&(little / outstanding as f64)),
        "{little} of {outstanding} outstanding"
    );
    let micros = |quantile| state.latencies.value_at_quantile(quantile) as f64 / 1e3;
    Round {
        per_second: operations / ROUND.as_secs_f64(),
        processor_micros: spent.as_secs_f64() * 1e6 / operations,
        p50_micros: micros(0.5),
        p99_micros: micros(0.99),
    }
}

fn median(rounds: &[Round], of: fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    let mut load = String::new();
    std::fs::File::open("/proc/loadavg")?.read_to_string(&mut load)?;
    writeln!(out, "load before: {load}")?;
    writeln!(out, "| outstanding | carrier | operations/s | processor µs/op | p50 µs | p99 µs |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for outstanding in OUTSTANDING {
        let mut rounds = WAYS.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for ((_, way), rounds) in WAYS.iter().zip(&mut rounds) {
                rounds.push(round(*way, outstanding));
            }
        }
        for ((name, _), rounds) in WAYS.iter().zip(&rounds) {
            let of = |of| median(rounds, of);
            writeln!(
                out,
                "| {outstanding} | {name} | {:.0} | {:.2} | {:.0} | {:.0} |",
                of(|round| round.per_second),
                of(|round| round.processor_micros),
                of(|round| round.p50_micros),
                of(|round| round.p99_micros),
            )?;
        }
    }
    Ok(())
}
