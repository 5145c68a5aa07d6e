//! What the run has found, and what of it is a promise.

mod plot;
mod rows;

use std::time::Duration;

use palco_urgent::Policy;
use serde::{Deserialize, Serialize};

use super::turns::Found;
use super::{Beside, Settings, Solution};
use crate::machine::Machine;
use crate::report::{Facts, Section, markdown, plain};
use rows::word;
pub use rows::{EffectRow, FlowRow, Latency, SilenceRow, WakeRow};

/// Name and version of the JSON form.
const SCHEMA: &str = "palco-bench-urgent/1";

/// The urgent thread in real time is to have what was sent within this, 99 times of 100, beside hogs: 250 µs.
pub const WAKE_P99_MAX: Duration = Duration::from_micros(250);

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "Hogs are threads of this process that compute without a pause, at usual priority; there are more of them than cores.",
    "Who sends is a thread in real time too, of a lower priority than the urgent thread's. Were it a usual one, it would \
     wait for a processor itself, and the figures would be those of its own scheduling; were it higher, it could keep the \
     urgent thread from the processor that both have.",
    "To the urgent thread: the clock (CLOCK_MONOTONIC) is read right before write(2) on a connection of the port, or right \
     before send(2) with MSG_OOB, and again at the desk of the urgent thread, when the command is read and checked, or the \
     watch has reported the connection. Between two sends are 0.7 to 2.3 ms, so the urgent thread sleeps each time. \
     `usual` shows that the tail, not the middle, is what real time is for.",
    "To the effect: a request that computes, with a checkpoint each 100 µs (`cpu` of the service work), is held and resumed \
     again and again. The time ends when the client has read `held`: the answer of the port, or the urgent byte that \
     acknowledges. So it includes the way of whoever serves to its checkpoint, for which it must get a processor: real \
     time of the urgent thread does not help there, and beside hogs a thread waits its turn. A process is stopped by the \
     kernel wherever it is. A hold that has not come about within 300 ms is answered as pending.",
    "Bytes during a hold: `count` of the service work, read as fast as it comes, under model per-connection. After the port \
     has said that the request is held, what was in flight is read until nothing has come for 50 ms; then bytes are \
     counted. In flight are the buffers of both sockets, mostly.",
    "64 KiB: the receiver reads nothing, its buffer has 4 KiB, so bytes queue at the sender; when nothing has moved for 60 ms, \
     one urgent byte is sent. \
     `announced` is when recv(MSG_OOB) says EAGAIN instead of EINVAL: the kernel does so in the same place where it raises \
     SIGURG. `EPOLLPRI` and the byte itself come only when the byte has arrived, for which the receiver must read. What \
     send_urgent refused was sent all the same, past palco, to see whether it would have been heard. – is: not in time.",
    "Below 64 KiB it is announced, but not at once: while the receiver has no room the sender sends nothing but probes, the \
     first after about 200 ms, each next one after twice the pause (RFC 9293, 3.8.6.1), and the announcement goes with the \
     next of them. The longer the reader has stood still, the later it is told: see the last rows. While bytes still move, \
     any segment carries it, also past 64 KiB (not shown). So what send_urgent refuses is what stays silent once the reader \
     stands still; how long what it sends will take, it cannot know.",
    "The urgent pointer has 16 bits (RFC 9293, 3.8.5), so TCP cannot point past 64 KiB. A command at the port overtakes any \
     number of queued bytes, because it is not behind them.",
];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UrgentReport {
    /// Name and version of this form.
    pub schema: String,
    /// What it ran on.
    pub machine: Machine,
    /// Rounds of every row.
    pub rounds: usize,
    /// Threads that computed.
    pub hogs: usize,
    /// How the thread that sends was scheduled.
    pub sender: String,
    /// After so long, and as long as its reader had stood still, urgent data was called silent, in milliseconds.
    pub silent_after_ms: u64,
    /// Targets and properties.
    pub verdicts: Vec<Verdict>,
    /// From the send to the urgent thread.
    pub wakes: Vec<WakeRow>,
    /// From the send to the effect.
    pub effects: Vec<EffectRow>,
    /// Bytes during a hold.
    pub flows: Vec<FlowRow>,
    /// Urgent data behind bytes that nobody reads.
    pub silence: Vec<SilenceRow>,
    /// How to read the figures.
    pub notes: Vec<String>,
}

/// Something that was promised, and whether it is so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// What was promised.
    pub promise: String,
    /// What was found.
    pub found: String,
    /// Whether it is so.
    pub is_kept: bool,
    /// Of a figure, or of what must always be so.
    pub kind: VerdictKind,
}

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// A figure, which depends on the machine.
    Target,
    /// Something that must be so on any machine.
    Property,
}

impl UrgentReport {
    pub(super) fn new(machine: Machine, settings: &Settings, found: &Found) -> Self {
        let mut report = Self {
            schema: SCHEMA.to_owned(),
            machine,
            rounds: settings.rounds.max(1),
            hogs: settings.hogs,
            sender: found.sender.to_string(),
            silent_after_ms: u64::try_from(settings.silent_after.as_millis()).unwrap_or(u64::MAX),
            verdicts: Vec::new(),
            wakes: found.wakes.iter().filter_map(WakeRow::of).collect(),
            effects: found.held.iter().map(EffectRow::of).collect(),
            flows: found.flows.iter().map(FlowRow::of).collect(),
            silence: found.tries.iter().filter_map(SilenceRow::of).collect(),
            notes: NOTES.iter().map(|note| (*note).to_owned()).collect(),
        };
        report.verdicts = vec![report.promptness(), report.stillness(), report.honesty()];
        report
    }

    /// Whether every property holds; targets are not among them.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(|verdict| match verdict.kind {
            VerdictKind::Property => verdict.is_kept,
            VerdictKind::Target => true,
        })
    }

    fn promptness(&self) -> Verdict {
        let most = WAKE_P99_MAX.as_secs_f64() * 1e6;
        let wanted = Policy::default();
        let rows: Vec<_> = self
            .wakes
            .iter()
            .filter(|row| row.policy == wanted && row.beside == Beside::Hogs)
            .collect();
        let is_it = |row: &&&WakeRow| row.obtained == format!("{wanted:#}");
        let is_real_time = rows.iter().filter(is_it).count() == Solution::ALL.len();
        let p99 = |row: &&WakeRow| format!("{} {:.0} µs", row.solution.name(), row.latency.p99_us);
        let mut found = rows.iter().map(p99).collect::<Vec<_>>().join(", ");
        if !is_real_time {
            found.push_str("; real time was not obtained");
        }
        Verdict {
            promise: format!(
                "p99 to the urgent thread, {wanted} beside {} hogs, at most {most:.0} µs",
                self.hogs
            ),
            found,
            is_kept: is_real_time && rows.iter().all(|row| row.latency.p99_us <= most),
            kind: VerdictKind::Target,
        }
    }

    fn stillness(&self) -> Verdict {
        let bytes = self.flows.iter().map(|row| row.held_bytes).max().unwrap_or(0);
        let holds: usize = self.flows.iter().map(|row| row.holds).sum();
        let failures = self.flows.iter().filter(|row| row.failure.is_some()).count();
        let mut found = format!("at most {bytes} in {holds} holds");
        if failures > 0 {
            found.push_str(&format!(", {failures} rows with failures"));
        }
        Verdict {
            promise: "0 bytes of a held answer, and bytes before and after".to_owned(),
            found,
            is_kept: !self.flows.is_empty() && self.flows.iter().all(FlowRow::holds),
            kind: VerdictKind::Property,
        }
    }

    fn honesty(&self) -> Verdict {
        let sum = |of: fn(&SilenceRow) -> usize| self.silence.iter().map(of).sum::<usize>();
        let (tries, silent) = (sum(|row| row.tries), sum(|row| row.silent));
        Verdict {
            promise: "send_urgent refuses as silenced exactly what stays silent".to_owned(),
            found: format!("{silent} of {tries} silent, {} refused", sum(|row| row.silenced)),
            is_kept: !self.silence.is_empty() && self.silence.iter().all(|row| row.agrees),
            kind: VerdictKind::Property,
        }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }

    /// As a Markdown page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let text = markdown("Out of band", &self.facts(), &self.sections(), &self.notes);
        format!("{text}\n## 64 KiB, drawn\n\n```text\n{}```\n", self.plot())
    }

    /// For a terminal.
    #[must_use]
    pub fn to_table(&self) -> String {
        format!("{}\n{}", plain(&self.facts(), &self.sections()), self.plot())
    }

    fn plot(&self) -> String {
        plot::plot(&self.silence, self.silent_after_ms)
    }

    fn facts(&self) -> Facts {
        let mut facts = self.machine.facts();
        facts.push(("Rounds", format!("{}, interleaved", self.rounds)));
        facts.push(("Hogs", format!("{} threads that compute, usual scheduling", self.hogs)));
        facts.push(("Who sends", self.sender.clone()));
        facts
    }

    fn sections(&self) -> Vec<Section> {
        let section = |title: &str, head: &[&str], rows: Vec<Vec<String>>| Section {
            title: title.to_owned(),
            head: head.iter().map(|cell| (*cell).to_owned()).collect(),
            rows,
        };
        let verdicts = self.verdicts.iter().map(Verdict::cells).collect();
        let wakes = self.wakes.iter().map(WakeRow::cells).collect();
        let flows = self.flows.iter().map(FlowRow::cells).collect();
        let silence = self.silence.iter().map(SilenceRow::cells).collect();
        vec![
            section("Promises", &["promise", "found", "kept"], verdicts),
            section("To the urgent thread", &WakeRow::HEAD, wakes),
            section("To the effect: hold until `held`, p50 / p99 ms", &EFFECT_HEAD, self.effects()),
            section("Bytes during a hold", &FlowRow::HEAD, flows),
            section("Behind bytes that nobody reads", &SilenceRow::HEAD, silence),
        ]
    }

    /// A row for each cell and each company, a column for each policy and solution.
    fn effects(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for (model, place) in super::stage::cells() {
            for beside in Beside::ALL {
                let of_row = |row: &&EffectRow| {
                    row.model == model && row.place == place && row.beside == beside
                };
                let found: Vec<_> = self.effects.iter().filter(of_row).collect();
                let mut cells = vec![format!("{model} × {place}"), beside.name().to_owned()];
                for (policy, solution) in EFFECT_COLUMNS {
                    let mut row = found.iter();
                    let row = row.find(|row| row.policy == policy && row.solution == solution);
                    cells.push(row.map_or("–".to_owned(), |row| row.times()));
                }
                cells.push(not_held(&found));
                rows.push(cells);
            }
        }
        rows
    }
}

const EFFECT_HEAD: [&str; 7] = [
    "server",
    "beside",
    "fifo:50, port",
    "fifo:50, urgent data",
    "usual, port",
    "usual, urgent data",
    "not held",
];

const EFFECT_COLUMNS: [(Policy, Solution); 4] = [
    (Policy::Fifo(50), Solution::Port),
    (Policy::Fifo(50), Solution::Data),
    (Policy::Usual, Solution::Port),
    (Policy::Usual, Solution::Data),
];

/// How often the word was another.
fn not_held(rows: &[&EffectRow]) -> String {
    let sum = |of: fn(&EffectRow) -> usize| rows.iter().map(|row| of(row)).sum::<usize>();
    let others = [
        ("pending", sum(|row| row.pending)),
        ("ended", sum(|row| row.ended)),
        ("unanswered", sum(|row| row.unanswered)),
    ];
    let total: usize = others.iter().map(|(_, count)| count).sum();
    let mut text = format!("{total} of {}", sum(EffectRow::called));
    for (what, count) in others.into_iter().filter(|(_, count)| *count > 0) {
        text.push_str(&format!(", {count} {what}"));
    }
    text
}

impl Verdict {
    fn cells(&self) -> Vec<String> {
        let kept = match (self.kind, self.is_kept) {
            (VerdictKind::Property, is_kept) => word(is_kept),
            (VerdictKind::Target, true) => "reached",
            (VerdictKind::Target, false) => "missed",
        };
        vec![self.promise.clone(), self.found.clone(), kept.to_owned()]
    }
}

#[cfg(test)]
mod tests;
