//! Whether what clients were told can be true: both checkers of the simulator over a recorded history.
//!
//! The floor judges every operation by its tag or version; the search judges each key without looking at tags. Nothing is
//! judged here by rules of its own.

mod last;

use std::collections::HashMap;

use palco_rambo::{Key, Tag, Value};
use palco_sim::floor::{Entered, Floor};
use palco_sim::history::{Asked, Done, Event, History, Operation, Outcome};
use palco_sim::linearizability::{Limits, Verdict, check_key};

pub(crate) use last::Last;

/// Objections that are told, at most.
const OBJECTIONS_MAX: usize = 20;

/// What was found out about a history.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What cannot be true, in words.
    pub(crate) objections: Vec<String>,
    /// Keys for which a search came to its limit, in words: neither right nor wrong.
    pub(crate) undecided: Vec<String>,
}

/// Judges a complete history.
pub(crate) fn judge(history: &History, limits: Limits) -> Judged {
    let mut judged = Judged { objections: floor(history), undecided: Vec::new() };
    for (key, operations) in history.per_key() {
        match check_key(key, &operations, limits) {
            Verdict::Linearizable => {}
            Verdict::Violated(violation) => judged.objections.push(violation.to_string()),
            Verdict::Undecided { key, steps_max } => {
                let operations = operations.len();
                judged.undecided.push(format!(
                    "key {key}: no order of its {operations} operations was found within {steps_max} steps, nor that there is none"
                ));
            }
        }
    }
    judged.objections.truncate(OBJECTIONS_MAX);
    judged
}

fn floor(history: &History) -> Vec<String> {
    let mut floor = Floor::default();
    let mut objections = Vec::new();
    let mut object = |judged: palco_sim::floor::Judged| {
        if let Err(violation) = judged
            && objections.len() < OBJECTIONS_MAX
        {
            objections.push(violation.to_string());
        }
    };
    let operations = history.operations();
    for (key, tag, value) in taken_up(&operations) {
        let key = floor.intern(key);
        object(floor.issued(key, tag, value));
    }
    let mut entered: Vec<Option<Entered>> = Vec::with_capacity(operations.len());
    for event in history.events() {
        match event {
            Event::Call(call) => {
                let key = floor.intern(&call.key);
                entered.push(Some(floor.enter(key, call.client, call.at, call.asked.clone())));
            }
            Event::Return { operation, at, outcome } => {
                let Some(entered) = entered[operation.0 as usize].take() else { continue };
                match outcome {
                    Outcome::Done(done) => object(floor.done(entered, *at, done)),
                    Outcome::Failed => floor.failed(&entered),
                    // It may take effect at any later time.
                    Outcome::Unknown => {}
                }
            }
        }
    }
    object(floor.finish());
    objections
}

/// Writes of unknown outcome that somebody has seen: values are unlike each other, so a value says whose it is, and the
/// lowest tag that it was seen with is the write's. With another tag it has no right to be there.
fn taken_up<'a>(operations: &[Operation<'a>]) -> Vec<(&'a Key, Tag, &'a Value)> {
    let mut seen: HashMap<(&Key, &Value), Tag> = HashMap::new();
    for operation in operations {
        if let Some(Done::Read { tag, value }) = done(operation) {
            let lowest = seen.entry((&operation.invocation.key, value)).or_insert(*tag);
            *lowest = (*lowest).min(*tag);
        }
    }
    let unknown = operations.iter().filter(|operation| is_open(operation));
    unknown
        .filter_map(|operation| match &operation.invocation.asked {
            Asked::Write(value) => {
                let key = &operation.invocation.key;
                Some((key, *seen.get(&(key, value))?, value))
            }
            Asked::Read | Asked::Change(_) => None,
        })
        .collect()
}

fn done<'a>(operation: &Operation<'a>) -> Option<&'a Done> {
    operation.returned.and_then(|returned| returned.outcome.done())
}

/// Whether it may have happened, and may still.
fn is_open(operation: &Operation<'_>) -> bool {
    operation.returned.is_none_or(|returned| *returned.outcome == Outcome::Unknown)
}

#[cfg(test)]
mod tests;
