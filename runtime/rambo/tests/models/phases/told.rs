//! What happens, in words.

use super::{Action, Kind, Phases, Progress, State};
use crate::told::Step;

/// One step: operations are `w0` or `r1`, the letter for the kind and the number for the place in the run.
pub(super) fn step(model: &Phases, before: &State, action: Action) -> Step {
    let name = |operation: usize| {
        let kind = match model.operations[operation] {
            Kind::Write => 'w',
            Kind::Read => 'r',
        };
        format!("{kind}{operation}")
    };
    let of = |phase: usize| {
        let kind = if phase.is_multiple_of(2) { "query" } else { "propagation" };
        format!("{}'s {kind}", name(phase / 2))
    };
    match action {
        Action::Begin { operation } => Step::alone(format!("{} begins", name(operation))),
        Action::Deliver { phase, node } => Step::at(format!("{} reaches", of(phase)), node),
        Action::Hear { operation, phase, node, tag } => {
            let open = Phases::phase(before, operation);
            let stale = if open == Some(phase) { "" } else { "stale " };
            Step::at(
                format!("{} hears {stale}{} answered with {tag:?} by", name(operation), of(phase)),
                node,
            )
        }
        Action::Fix { operation } => {
            let mut after = *before;
            model.fix(&mut after, operation);
            let at = &after.operations[operation];
            let verb = if at.progress == Progress::Done { "ends with" } else { "chooses" };
            Step::alone(format!("{} {verb} {:?}", name(operation), at.tag))
        }
        Action::Crash => Step::alone("the coordinator crashes"),
    }
}
