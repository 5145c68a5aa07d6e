//! What a run has found.

mod html;
mod text;

use std::time::Duration;

use palco_sim::draw::Usage;
use serde::Serialize;

use crate::endgame::Ending;
use crate::figures::Figures;
use crate::judge::Judged;
use crate::strike::Stretch;
use crate::{Counts, Fault, Gap, Latencies, Settings};

/// While a majority of the members is left alone, no gap may be longer: a client that has met a node which stands still
/// waits up to six seconds for it.
const GAP_MAX: Duration = Duration::from_secs(10);

/// Objections that are kept, at most.
const OBJECTIONS_MAX: usize = 50;

/// What is to be thought of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything was judged, and nothing was wrong.
    Holds,
    /// Something cannot be true, or was lost, or was not served.
    Violated,
    /// Nothing was found to be wrong, and for some keys a search came to its limit.
    Undecided,
    /// It was ended early: what was judged until then was not wrong.
    Interrupted,
    /// No operation was answered: there is nothing to judge.
    Nothing,
}

/// How one kind of fault went.
#[derive(Clone, Debug, Serialize)]
pub struct During {
    /// Which kind.
    pub fault: Fault,
    /// How often.
    pub times: u64,
    /// The longest time in which no operation ended well that began in such a fault, in milliseconds; until it was over, also
    /// after the fault.
    pub gap_ms: f64,
    /// The same, of those alone that left a majority of the members alone.
    pub gap_with_quorum_ms: Option<f64>,
    /// What operations took meanwhile that ended well.
    pub latencies: Option<Latencies>,
}

/// A whole run. Times are since its start.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// The command that does the same again.
    pub command: String,
    /// Its seed.
    pub seed: u64,
    /// Where nodes ran.
    pub ground: String,
    /// How long clients asked.
    pub lasted: Duration,
    /// How many clients.
    pub clients: u16,
    /// How their operations ended.
    pub counts: Counts,
    /// Operations that were judged.
    pub judged: u64,
    /// Complete histories that they were judged in.
    pub rounds: u64,
    /// Reads at the end, of every key through every node.
    pub last_reads: u64,
    /// What cannot be true.
    pub objections: Vec<String>,
    /// What could not be judged to the end.
    pub undecided: Vec<String>,
    /// What could not be had here.
    pub remarks: Vec<String>,
    /// The longest time in which no operation ended well.
    pub gap: Option<Gap>,
    /// Operations while nothing was wrong.
    pub calm: Option<Latencies>,
    /// By kind of fault.
    pub during: Vec<During>,
    /// All faults.
    pub faults: Vec<Stretch>,
    #[serde(skip)]
    usage: Usage,
}

/// All that a report is made of.
pub(crate) struct Findings<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) ground: &'static str,
    pub(crate) remarks: Vec<String>,
    pub(crate) figures: &'a Figures,
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) judged: Judged,
    /// What was wrong with the cluster itself.
    pub(crate) objections: Vec<String>,
    pub(crate) operations: u64,
    pub(crate) rounds: u64,
    pub(crate) ending: Ending,
    pub(crate) was_interrupted: bool,
}

impl Report {
    pub(crate) fn of(findings: Findings<'_>) -> Self {
        let Findings { settings, figures, stretches, judged, ending, .. } = findings;
        let mut objections = judged.objections;
        objections.extend(findings.objections);
        objections.extend(ending.judged.objections);
        objections.extend(unserved(figures, &stretches));
        objections.truncate(OBJECTIONS_MAX);
        let mut undecided = judged.undecided;
        undecided.extend(ending.judged.undecided);
        let verdict = match () {
            () if !objections.is_empty() => Verdict::Violated,
            () if findings.was_interrupted => Verdict::Interrupted,
            () if figures.counts.done == 0 => Verdict::Nothing,
            () if !undecided.is_empty() => Verdict::Undecided,
            () => Verdict::Holds,
        };
        let usage = html::usage(figures, &stretches);
        let during = Fault::ALL.into_iter().filter_map(|fault| during(fault, figures, &stretches));
        Self {
            verdict,
            command: settings.command.clone(),
            seed: settings.seed,
            ground: findings.ground.to_owned(),
            lasted: figures.lasted(),
            clients: settings.clients,
            counts: figures.counts,
            judged: findings.operations,
            rounds: findings.rounds,
            last_reads: ending.reads,
            objections,
            undecided,
            remarks: findings.remarks,
            gap: figures.longest_gap(Duration::ZERO, Duration::MAX),
            calm: figures.calm(),
            during: during.collect(),
            faults: stretches,
            usage,
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn longest<'a>(figures: &Figures, stretches: impl Iterator<Item = &'a Stretch>) -> Option<f64> {
    let gaps = stretches
        .map(|of| figures.longest_gap_by(of.from, of.until).map_or(0.0, |gap| ms(gap.length())));
    gaps.reduce(f64::max)
}

fn during(fault: Fault, figures: &Figures, stretches: &[Stretch]) -> Option<During> {
    let of_kind = || stretches.iter().filter(|of| of.fault == fault);
    Some(During {
        fault,
        times: of_kind().count() as u64,
        gap_ms: longest(figures, of_kind())?,
        gap_with_quorum_ms: longest(figures, of_kind().filter(|of| of.keeps_quorum)),
        latencies: figures.during(fault),
    })
}

/// Where clients were not served although a majority was left alone.
fn unserved(figures: &Figures, stretches: &[Stretch]) -> Vec<String> {
    let kept = stretches.iter().filter(|of| of.keeps_quorum);
    kept.filter_map(|of| {
        // Of a gap that begins before the fault, the fault has its own part alone.
        let gap = figures.longest_gap(of.from, of.until)?;
        let within = gap.until.min(of.until).saturating_sub(gap.from.max(of.from));
        (within > GAP_MAX).then(|| {
            format!(
                "no operation ended well for {:.1} s from {:.1} s on, although a majority of the members was left alone: {} ({})",
                within.as_secs_f64(),
                gap.from.as_secs_f64(),
                of.what,
                of.fault
            )
        })
    })
    .collect()
}
