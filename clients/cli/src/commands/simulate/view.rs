//! What runs came to, as data. All but `machine` is the same whenever and wherever the same runs are made.

use std::time::Duration;

use palco_measure::COMMIT;
use palco_rambo::Flaw;
use palco_sim::{Fault, Figures, QuorumKind, Scenario, Violation};
use serde::Serialize;
use serde_json::{Map, Value};

use super::runs::Verdict;
use super::{Mode, mode_of, name_of};
use crate::args::{Plan, Seeds};

/// Grows when a field changes its meaning or goes.
pub(super) const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub(super) struct Document {
    schema: u32,
    scenario: ScenarioView,
    seeds: SeedsView,
    modes: Vec<ModeView>,
    verdict: Verdict,
    machine: Machine,
}

#[derive(Serialize)]
struct ScenarioView {
    nodes: u32,
    members: u32,
    clients: u32,
    operations: u64,
    keys: u32,
    cas_percent: u32,
    read_percent: u32,
    value_bytes: u32,
    quorums: &'static str,
    faults: Vec<&'static str>,
    reconfigure_every_ns: Option<u64>,
    patience_ns: Option<u64>,
    active_max: usize,
    flaws: Vec<&'static str>,
}

#[derive(Serialize)]
struct SeedsView {
    from: u64,
    to: u64,
}

#[derive(Serialize)]
struct ModeView {
    mode: &'static str,
    /// As 16 hexadecimal digits: not every reader of JSON has such large numbers.
    digest: String,
    verdict: Verdict,
    figures: Value,
    runs_violated: u64,
    violations_all: u64,
    /// Of the runs with the smallest seeds.
    violations: Vec<ViolationView>,
}

#[derive(Serialize)]
pub(super) struct ViolationView {
    seed: u64,
    check: &'static str,
    at_ns: u64,
    what: String,
    command: String,
}

/// What depends on where and when it ran.
#[derive(Serialize)]
pub(super) struct Machine {
    commit: Option<&'static str>,
    jobs: usize,
    seconds: f64,
    operations_per_second: f64,
}

impl Machine {
    pub(super) fn of(jobs: usize, took: Duration, operations: u64) -> Self {
        let seconds = took.as_secs_f64();
        let commit = (!COMMIT.is_empty()).then_some(COMMIT);
        Self { commit, jobs, seconds, operations_per_second: operations as f64 / seconds.max(1e-9) }
    }
}

pub(super) fn document(plan: &Plan, modes: &[Mode]) -> Document {
    let Seeds { from, to } = plan.seeds;
    let done = modes.iter().map(|mode| mode.outcome.figures.done).sum();
    Document {
        schema: SCHEMA,
        scenario: scenario(&plan.scenarios[0]),
        seeds: SeedsView { from, to },
        modes: modes.iter().map(mode).collect(),
        verdict: Verdict::worst(modes.iter().map(|mode| mode.outcome.verdict())),
        machine: Machine::of(plan.jobs, modes.iter().map(|mode| mode.took).sum(), done),
    }
}

fn scenario(scenario: &Scenario) -> ScenarioView {
    let flaws = Flaw::ALL.into_iter().filter(|(flaw, _)| scenario.flaws.has(*flaw));
    ScenarioView {
        nodes: scenario.nodes,
        members: scenario.members,
        clients: scenario.clients,
        operations: scenario.operations,
        keys: scenario.keys,
        cas_percent: scenario.cas_percent,
        read_percent: scenario.read_percent,
        value_bytes: scenario.value_bytes,
        quorums: name_of(&QuorumKind::ALL, &scenario.quorums),
        faults: scenario.faults.iter().map(|fault| name_of(&Fault::ALL, &fault)).collect(),
        reconfigure_every_ns: scenario.reconfigure_every.map(nanos),
        patience_ns: scenario.patience.map(nanos),
        active_max: scenario.active_max,
        flaws: flaws.map(|(_, name)| name).collect(),
    }
}

fn mode(mode: &Mode) -> ModeView {
    let Mode { scenario, outcome, .. } = mode;
    let told = outcome.violations.iter();
    let violations =
        told.flat_map(|(seed, all)| all.iter().map(|one| violation(scenario, *seed, one)));
    ModeView {
        mode: mode_of(scenario),
        digest: format!("{:016x}", outcome.digest),
        verdict: outcome.verdict(),
        figures: figures(&outcome.figures),
        runs_violated: outcome.runs_violated,
        violations_all: outcome.violations_all,
        violations: violations.collect(),
    }
}

pub(super) fn violation(scenario: &Scenario, seed: u64, violation: &Violation) -> ViolationView {
    let Violation { check, at, what } = violation;
    let command = scenario.command(seed);
    ViolationView { seed, check, at_ns: at.as_nanos(), what: what.clone(), command }
}

/// The figures by their names, times as nanoseconds with `_ns` behind the name.
fn figures(figures: &Figures) -> Value {
    let value = serde_json::to_value(figures).expect("numbers have a form in JSON");
    let Value::Object(fields) = value else { return value };
    let fields = fields.into_iter().map(|(name, value)| match length(&value) {
        Some(nanos) => (name + "_ns", Value::from(nanos)),
        None => (name, value),
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

/// A [`Duration`] as serde writes it.
fn length(value: &Value) -> Option<u64> {
    let seconds = value.get("secs")?.as_u64()?;
    let nanos = u32::try_from(value.get("nanos")?.as_u64()?).ok()?;
    Some(self::nanos(Duration::new(seconds, nanos)))
}

pub(super) fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_nanoseconds_and_say_so() {
        let gap_max = Duration::from_millis(1_500);
        let value = figures(&sum(gap_max));
        assert_eq!((&value["gap_max_ns"], &value["runs"]), (&1_500_000_000_u64.into(), &0.into()));
        assert_eq!(value.get("gap_max"), None);
    }

    fn sum(gap_max: Duration) -> Figures {
        let mut figures = Figures::default();
        figures.gap_max = gap_max;
        figures
    }
}
