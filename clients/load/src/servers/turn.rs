//! One turn: a server, one kind of work, and what was measured.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::contestant::{Contestant, Dialect};
use super::standing::Standing;
use super::workload::{Measure, Workload};
use super::{holder, memory, pressure};
use crate::actors::Refusal;
use crate::family;
use crate::generator::{
    self, Connections, Crowd, Distribution, Outcome, Plan, Protocol, Schedule, Talk,
};
use crate::stats;

/// Connections that requests of their own may have at once.
const AT_ONCE: usize = 64;
/// Connections that stay, and clients of the workload `crash`.
const KEPT: usize = 8;
/// Connections that say nothing.
const IDLE: usize = 1000;
/// Clients that never end their request, more than any team has workers.
const SLOW_WRITERS: usize = 16;
/// Clients that read a page at a time.
const SLOW_READERS: usize = 8;
const SLOW_EVERY: Duration = Duration::from_millis(10);
/// Requests that leak.
const LEAKS: u32 = 200;
const LEAK_EVERY: Duration = Duration::from_millis(2);
/// What is not answered by then is not.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long after its time a turn waits for answers.
const LINGER: Duration = Duration::from_millis(300);
/// A first answer of a server that has somebody to give it to a later client.
const FIRST_WITHIN: Duration = Duration::from_millis(200);
/// Who does not serve again by then does not.
const RECOVERS_WITHIN: Duration = Duration::from_secs(2);
/// How long a server must look the same until it has taken all idle connections, and how long that may take.
const STILL_FOR: Duration = Duration::from_millis(30);
const STILL_WITHIN: Duration = Duration::from_secs(3);
/// Connections of the search for the highest rate.
const SEARCHING: usize = 16;
/// How long each of its steps lasts.
const STEP: Duration = Duration::from_millis(150);
/// The shares of what a closed loop reaches that are tried.
const SHARES: [f64; 4] = [0.9, 0.7, 0.5, 0.35];
/// What is still fast enough.
const P99_MAX: Duration = Duration::from_millis(100);
const ANSWERED_MIN: f64 = 0.99;
/// Which part of the time somebody waited for a processor from which on a reader is told.
const PRESSURE_MAX: f64 = 0.5;
/// How late the generator may be itself.
const LATE_MAX: Duration = Duration::from_millis(1);

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) measured: Vec<(Measure, f64)>,
    pub(super) response: Option<Distribution>,
    pub(super) remarks: Vec<String>,
}

/// What is done in a turn.
pub(super) struct Task<'a> {
    pub(super) contestant: &'a Contestant,
    pub(super) workload: Workload,
    pub(super) standing: &'a Standing,
    pub(super) lasts: Duration,
    /// The core of the generator.
    pub(super) core: usize,
    /// Whether the highest rate is looked for.
    pub(super) searches: bool,
    pub(super) seed: u64,
}

/// Requests a second, the same for all.
pub(super) const fn rate(workload: Workload) -> Option<f64> {
    match workload {
        Workload::Short | Workload::Idle => Some(500.0),
        Workload::PingPong => Some(2000.0),
        Workload::Cpu => Some(400.0),
        Workload::Block | Workload::Large => Some(100.0),
        Workload::Slowloris => Some(200.0),
        Workload::Crash | Workload::Leak => None,
    }
}

impl Task<'_> {
    pub(super) fn take(&self) -> Result<Turn, Refusal> {
        match self.workload {
            Workload::Crash => self.crash(),
            Workload::Leak => self.leak(),
            Workload::Idle => self.idle(),
            Workload::Short
            | Workload::PingPong
            | Workload::Cpu
            | Workload::Block
            | Workload::Slowloris
            | Workload::Large => self.paced(),
        }
    }

    /// What one request is.
    fn talk(&self) -> Result<Talk, Refusal> {
        let (protocol, request) = match (self.contestant.dialect, self.workload) {
            (Dialect::Http, Workload::Large) => (Protocol::Http, "GET /large".to_owned()),
            (Dialect::Http, _) => (Protocol::Http, "GET /small".to_owned()),
            (Dialect::Resp, _) => (Protocol::Kv, "SET palco bench".to_owned()),
            (Dialect::Plain, Workload::Cpu) => (Protocol::Work, "cpu 1000".to_owned()),
            (Dialect::Plain, Workload::Block) => (Protocol::Work, "block 5".to_owned()),
            (Dialect::Plain, Workload::Slowloris) => (Protocol::Work, "sleep 0".to_owned()),
            (Dialect::Plain, Workload::Leak) => (Protocol::Work, "leak 1024".to_owned()),
            (Dialect::Plain, _) => (Protocol::Echo, "x".repeat(64)),
        };
        Talk::new(protocol, request).map_err(Refusal::failed)
    }

    fn connections(&self) -> Connections {
        match self.workload {
            Workload::PingPong => Connections::Kept(KEPT),
            Workload::Large => Connections::Kept(KEPT / 2),
            Workload::Idle => Connections::Kept(1),
            _ => Connections::PerRequest(AT_ONCE),
        }
    }

    fn crowd(&self) -> Vec<Crowd> {
        match self.workload {
            Workload::Slowloris => {
                vec![Crowd::SlowWriters { connections: SLOW_WRITERS, every: SLOW_EVERY }]
            }
            Workload::Large => vec![Crowd::SlowReaders {
                connections: SLOW_READERS,
                bytes: 4096,
                every: SLOW_EVERY,
            }],
            _ => Vec::new(),
        }
    }

    fn plan(&self, schedule: Schedule, lasts: Duration) -> Result<Plan, Refusal> {
        Ok(Plan {
            address: self.standing.address,
            talk: self.talk()?,
            connections: self.connections(),
            schedule,
            crowd: Vec::new(),
            warm_up: Duration::ZERO,
            lasts,
            answer_within: ANSWER_WITHIN,
            linger: LINGER,
            core: Some(self.core),
            seed: self.seed,
        })
    }

    fn constant(&self) -> Schedule {
        Schedule::Constant { per_s: rate(self.workload).unwrap_or(1.0) }
    }

    /// At the fixed rate, after a warm-up; then what is as fast as can be.
    fn paced(&self) -> Result<Turn, Refusal> {
        run(&self.plan(self.constant(), self.lasts / 6)?)?;
        let mut turn = self.at_rate()?;
        if matches!(self.workload, Workload::Short | Workload::PingPong) {
            self.busy(&mut turn)?;
        }
        let has_end = matches!(
            self.workload,
            Workload::Short | Workload::PingPong | Workload::Cpu | Workload::Block
        );
        if has_end && self.searches {
            turn.measured.push((Measure::Saturation, self.saturation()?));
        }
        Ok(turn)
    }

    fn at_rate(&self) -> Result<Turn, Refusal> {
        let plan = Plan { crowd: self.crowd(), ..self.plan(self.constant(), self.lasts)? };
        family::settle();
        let (cpu, stalled, begun) = (self.standing.cpu_nanos()?, pressure::total(), Instant::now());
        let outcome = run(&plan)?;
        let stalled = pressure::total().zip(stalled).map(|(after, before)| after - before);
        let share = stalled.map(|time| time.as_secs_f64() / begun.elapsed().as_secs_f64());
        family::settle();
        let micros = self.standing.cpu_nanos()?.saturating_sub(cpu) as f64 / 1e3;
        let mut turn = Turn::default();
        let mut answers = outcome.answered as f64;
        let has_busy = matches!(self.workload, Workload::Short | Workload::PingPong);
        let cpu_measure = if has_busy { Measure::SparseCpu } else { Measure::Cpu };
        if self.workload == Workload::Large {
            // What slow readers got was served as well.
            answers += outcome.crowd.bytes_in as f64 / super::LARGE_BYTES as f64;
        }
        if outcome.answered > 0 {
            let (p50, p99) = (outcome.response.p50(), outcome.response.p99());
            turn.measured.extend([
                (cpu_measure, micros / answers),
                (Measure::P50, p50.as_secs_f64() * 1e6),
                (Measure::P99, p99.as_secs_f64() * 1e6),
            ]);
        }
        let due = outcome.intended.max(1) as f64;
        turn.measured.push((Measure::Answered, outcome.answered as f64 / due));
        if share.is_some_and(|share| share > PRESSURE_MAX) {
            turn.remarks.push("somebody waited for a processor most of the time".to_owned());
        }
        if outcome.lateness.p99() > LATE_MAX {
            turn.remarks.push("the generator was late itself by over 1 ms".to_owned());
        }
        if let Some(error) = outcome.error.as_ref().filter(|_| outcome.failed.all() > 0) {
            turn.remarks.push(format!("not all were answered: {error}"));
        }
        turn.response = Some(outcome.response);
        Ok(turn)
    }

    /// As fast as answers come: connections one after the other, or on all that stay at once.
    fn busy(&self, turn: &mut Turn) -> Result<(), Refusal> {
        let mut plan = self.plan(Schedule::Closed, STEP)?;
        if let Connections::PerRequest(at_once) = &mut plan.connections {
            *at_once = 1;
        }
        let before = holder::threads(&self.standing.pids());
        let cpu = self.standing.cpu_nanos()?;
        let outcome = run(&plan)?;
        family::settle();
        let micros = self.standing.cpu_nanos()?.saturating_sub(cpu) as f64 / 1e3;
        if outcome.answered > 0 {
            turn.measured.push((Measure::Cpu, micros / outcome.answered as f64));
        }
        turn.measured.extend(outcome.fairness.map(|index| (Measure::Fairness, index)));
        if self.workload == Workload::Short && self.contestant.workers > 1 {
            turn.measured.extend(self.balance(&before).map(|index| (Measure::Balance, index)));
        }
        Ok(())
    }

    /// How alike the workers have been loaded since then.
    fn balance(&self, before: &HashMap<i32, u64>) -> Option<f64> {
        let after = holder::threads(&self.standing.pids());
        let used = |(thread, nanos): (&i32, &u64)| {
            nanos.saturating_sub(before.get(thread).copied().unwrap_or(0)) as f64
        };
        let mut used: Vec<f64> = after.iter().map(used).collect();
        used.sort_by(|a, b| b.total_cmp(a));
        used.resize(self.contestant.workers, 0.0);
        stats::jain(used.iter().copied())
    }

    /// The highest rate that holds, as a share of what a closed loop reaches.
    fn saturation(&self) -> Result<f64, Refusal> {
        let connections = match self.connections() {
            Connections::PerRequest(_) => Connections::PerRequest(SEARCHING),
            kept @ Connections::Kept(_) => kept,
        };
        let closed = run(&Plan { connections, ..self.plan(Schedule::Closed, STEP)? })?;
        for share in SHARES {
            let per_s = (closed.per_s() * share).max(1.0);
            let outcome = run(&self.plan(Schedule::Constant { per_s }, STEP)?)?;
            let answered = outcome.answered as f64 / outcome.intended.max(1) as f64;
            if answered >= ANSWERED_MIN && outcome.response.p99() < P99_MAX {
                return Ok(per_s);
            }
        }
        Ok(0.0)
    }

    /// A thousand connections that say nothing, what they take, and one that asks beside them.
    fn idle(&self) -> Result<Turn, Refusal> {
        let weigh = || Some((memory::own_kib(&self.standing.pids())?, memory::kernel_kib()?));
        run(&self.plan(self.constant(), self.lasts / 6)?)?;
        family::settle();
        let before = weigh();
        let connect = |_| TcpStream::connect_timeout(&self.standing.address, ANSWER_WITHIN).ok();
        let idle: Vec<TcpStream> = (0..IDLE).map_while(connect).collect();
        let after = still(weigh);
        let mut turn = self.at_rate()?;
        if idle.len() < IDLE {
            turn.remarks.push(format!("it held {} connections only", idle.len()));
        }
        if let Some(((own, kernel), (own_before, kernel_before))) = after.zip(before) {
            let grown = (own + kernel) as f64 - (own_before + kernel_before) as f64;
            let each = grown.max(0.0) / idle.len().max(1) as f64;
            turn.measured.push((Measure::MemoryPerConnection, each));
        }
        Ok(turn)
    }

    fn leak(&self) -> Result<Turn, Refusal> {
        let weigh = || memory::own_kib(&self.standing.pids());
        let unknown = || Refusal::failed("the kernel does not tell what a process takes");
        let before = weigh().ok_or_else(unknown)?;
        let moments = (0..LEAKS).map(|number| LEAK_EVERY * number).collect();
        let outcome = run(&self.plan(Schedule::Trace(moments), LEAK_EVERY * LEAKS)?)?;
        family::settle();
        let after = weigh().ok_or_else(unknown)?;
        let answered = outcome.answered as f64 / outcome.intended.max(1) as f64;
        let grown = after.saturating_sub(before) as f64 / 1024.0;
        let measured = vec![(Measure::Answered, answered), (Measure::Growth, grown)];
        Ok(Turn { measured, ..Turn::default() })
    }

    /// Kills who serves the first of some clients.
    fn crash(&self) -> Result<Turn, Refusal> {
        let mut turn = Turn::default();
        let mut served = Vec::new();
        for number in 0..KEPT {
            let mut client =
                self.connect(if number == 0 { RECOVERS_WITHIN } else { FIRST_WITHIN })?;
            let is_served = self.converse(&mut client);
            if number == 0 && !is_served {
                return Err(Refusal::failed("it did not answer the first client"));
            }
            if is_served {
                client.set_read_timeout(Some(RECOVERS_WITHIN)).map_err(Refusal::failed)?;
                served.push(client);
            }
        }
        let mut others = served.split_off(1);
        let first = served[0].local_addr().map_err(Refusal::failed)?;
        let pids = self.standing.pids();
        let pid = holder::holder(&pids, self.standing.address, first);
        let pid = pid.ok_or_else(|| Refusal::failed("nobody holds the first client's socket"))?;
        // Who has started all others is replaced by nobody.
        let patience = if pid == pids[0] { Duration::ZERO } else { RECOVERS_WITHIN };
        kill(Pid::from_raw(pid), Signal::SIGKILL).map_err(Refusal::failed)?;
        let killed = Instant::now();
        let recovered = loop {
            if self.connect(FIRST_WITHIN).is_ok_and(|mut client| self.converse(&mut client)) {
                break Some(killed.elapsed());
            }
            if killed.elapsed() > patience {
                break None;
            }
            thread::sleep(Duration::from_millis(1));
        };
        if others.is_empty() {
            turn.remarks.push("it serves one client at a time: there were no others".to_owned());
        } else {
            let lost =
                others.iter_mut().filter_map(|client| (!self.converse(client)).then_some(()));
            let lost = lost.count() as f64 / others.len() as f64;
            turn.measured.push((Measure::Lost, lost));
        }
        match recovered {
            Some(time) => turn.measured.push((Measure::Recovery, time.as_secs_f64() * 1e3)),
            None => turn.remarks.push("nobody was served any more".to_owned()),
        }
        Ok(turn)
    }

    fn connect(&self, patience: Duration) -> Result<TcpStream, Refusal> {
        let client = TcpStream::connect_timeout(&self.standing.address, patience);
        let client = client.map_err(Refusal::failed)?;
        client.set_read_timeout(Some(patience)).map_err(Refusal::failed)?;
        Ok(client)
    }

    /// Whether one request is answered.
    fn converse(&self, client: &mut TcpStream) -> bool {
        let request: &[u8] = match self.contestant.dialect {
            Dialect::Plain => &[b'x'; 64],
            Dialect::Http => b"GET /small HTTP/1.1\r\nHost: palco\r\n\r\n",
            Dialect::Resp => b"PING\r\n",
        };
        let mut answer = [0; 4096];
        client.write_all(request).is_ok() && client.read(&mut answer).is_ok_and(|count| count > 0)
    }
}

fn run(plan: &Plan) -> Result<Outcome, Refusal> {
    generator::run(plan, |_| {}, &AtomicBool::new(false)).map_err(Refusal::failed)
}

/// What is weighed once it stays as it is.
fn still(weigh: impl Fn() -> Option<(u64, u64)>) -> Option<(u64, u64)> {
    let begun = Instant::now();
    let mut before = weigh()?;
    loop {
        thread::sleep(STILL_FOR);
        let now = weigh()?;
        let is_still = now.0.abs_diff(before.0) <= before.0 / 200;
        if is_still || begun.elapsed() > STILL_WITHIN {
            return Some(now);
        }
        before = now;
    }
}
