//! What is told when a history has no order: the smallest beginning of it that has none, and how far an order comes.

use std::fmt;

use palco_rambo::Key;

use super::{
    Limits, find,
    model::Model,
    problem::Problem,
    search::{DeadEnd, Found, Taken},
};
use crate::history::{Operation, OperationId, Outcome};

/// Operations of an order in a message, at most: its last ones.
const ORDER_SHOWN_MAX: usize = 12;

/// Operations outside an order in a message, at most: those called last.
const LEFT_SHOWN_MAX: usize = 24;

/// Why a history is refused. Its text says it to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Of which key.
    pub key: Key,
    /// The operation whose return cannot be explained by what happened up to it.
    pub refused: OperationId,
    /// The event of that return: the history up to and including it has no order.
    pub event: u32,
    /// Whether a shorter beginning has one.
    pub extent: Extent,
    /// The order that explains the most returns of this beginning.
    pub order: Vec<OperationId>,
    /// The operations of this beginning that are not in that order.
    pub left: Vec<OperationId>,
    text: String,
}

/// How small the beginning of a history is that a [`Violation`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Without the refused return there is an order.
    Smallest,
    /// There may be a smaller one without an order: the limit of a search came first.
    MaybeSmaller,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Violation {}

/// What was known of the operations right after this event.
fn beginning<'a>(operations: &[Operation<'a>], event: u32) -> Vec<Operation<'a>> {
    let called = operations.iter().filter(|operation| operation.event <= event);
    called
        .map(|operation| {
            let returned = operation.returned.filter(|returned| returned.event <= event);
            Operation { returned, ..*operation }
        })
        .collect()
}

/// Of a history without an order, where a search of the whole came as far as `dead_end`.
pub(super) fn explain<M: Model>(
    key: &Key,
    operations: &[Operation<'_>],
    dead_end: &DeadEnd,
    limits: Limits,
) -> Violation {
    let mut smallest = Smallest::<M>::new(operations, dead_end, limits);
    smallest.find();
    let Smallest { refused, dead_end, extent, .. } = smallest;
    let (event, refused) = refused;

    let operations = beginning(operations, event);
    let model = M::of(&operations);
    let problem = Problem::new(&operations, &model);
    let order: Vec<OperationId> = dead_end.order.iter().map(|taken| taken.id(&problem)).collect();
    let mut ordered = order.clone();
    ordered.sort_unstable();
    let left: Vec<OperationId> = operations
        .iter()
        .filter(|operation| {
            let failed = operation.returned.is_some_and(|r| *r.outcome == Outcome::Failed);
            !failed && ordered.binary_search(&operation.id).is_err()
        })
        .map(|operation| operation.id)
        .collect();
    let text = Text { key, operations: &operations, refused, extent, left: &left }.write(
        &model,
        &problem,
        &dead_end.order,
    );
    Violation { key: key.clone(), refused, event, extent, order, left, text }
}

/// The search for the smallest beginning without an order. An order of a beginning holds one of every shorter one, so
/// it is found by halving; but a search looks ahead to answers that come later, and may have given up too early.
struct Smallest<'o, 'a, M> {
    operations: &'o [Operation<'a>],
    limits: Limits,
    /// The returns at which a beginning may end, ascending.
    ends: Vec<(u32, OperationId)>,
    /// All before this index have an order.
    low: usize,
    /// The return of `ends` at which the smallest known beginning without an order ends.
    refused: (u32, OperationId),
    high: usize,
    dead_end: DeadEnd,
    extent: Extent,
    model: std::marker::PhantomData<M>,
}

impl<'o, 'a, M: Model> Smallest<'o, 'a, M> {
    fn new(operations: &'o [Operation<'a>], dead_end: &DeadEnd, limits: Limits) -> Self {
        let mut ends: Vec<(u32, OperationId)> = Vec::new();
        let mut done: Vec<u32> = Vec::new();
        for operation in operations {
            let (Some(returned), id) = (operation.returned, operation.id) else { continue };
            match returned.outcome {
                Outcome::Done(_) => {
                    done.push(returned.event);
                    ends.push((returned.event, id));
                }
                Outcome::Failed => ends.push((returned.event, id)),
                Outcome::Unknown => {}
            }
        }
        ends.sort_unstable();
        done.sort_unstable();
        let first = done[dead_end.explained as usize];
        let low = ends.partition_point(|(event, _)| *event < first);
        let high = ends.len() - 1;
        let (refused, dead_end) = (ends[high], dead_end.clone());
        let (extent, model) = (Extent::Smallest, std::marker::PhantomData);
        Self { operations, limits, ends, low, refused, high, dead_end, extent, model }
    }

    fn find(&mut self) {
        // Close to where the search stopped, as a rule: the stride grows from there, then the rest is halved.
        let mut stride = Some(1);
        while self.low < self.high {
            let middle = match &mut stride {
                Some(stride) => {
                    let ahead = self.low + *stride - 1;
                    *stride *= 2;
                    ahead.min(self.high - 1)
                }
                None => usize::midpoint(self.low, self.high),
            };
            match find::<M>(&beginning(self.operations, self.ends[middle].0), self.limits) {
                Found::None(dead_end) => {
                    (self.high, self.refused, self.dead_end) =
                        (middle, self.ends[middle], dead_end);
                    stride = None;
                }
                Found::Order => self.low = middle + 1,
                Found::Limit => {
                    // Neither: what is known to have no order must do.
                    self.extent = Extent::MaybeSmaller;
                    self.low = middle + 1;
                }
            }
        }
    }
}

struct Text<'o, 'a> {
    key: &'o Key,
    operations: &'o [Operation<'a>],
    refused: OperationId,
    extent: Extent,
    left: &'o [OperationId],
}

impl Text<'_, '_> {
    fn line(&self, id: OperationId) -> String {
        let place = self.operations.binary_search_by_key(&id, |operation| operation.id);
        self.operations[place.expect("it is of this beginning")].to_string()
    }

    fn write<M: Model>(&self, model: &M, problem: &Problem<'_>, order: &[Taken]) -> String {
        let mut text =
            format!("key {}: no order explains\n  {}\n", self.key, self.line(self.refused));
        text += match self.extent {
            Extent::Smallest => "which is the first return without one.\n",
            Extent::MaybeSmaller => "and maybe no earlier return: a search reached its limit.\n",
        };
        text += &format!("The order that explains most has {} operations", order.len());
        let skipped = order.len().saturating_sub(ORDER_SHOWN_MAX);
        text += if skipped > 0 { ", the last of them:\n" } else { ":\n" };
        let mut state = model.initial();
        for (place, taken) in order.iter().enumerate() {
            state = after(model, problem, state, *taken);
            if place >= skipped {
                let line = self.line(taken.id(problem));
                text += &format!("  {line}    then it holds {}\n", M::show(&state));
            }
        }
        text += "Outside it:\n";
        let skipped = self.left.len().saturating_sub(LEFT_SHOWN_MAX);
        if skipped > 0 {
            text += &format!("  {skipped} that were called earlier\n");
        }
        for id in &self.left[skipped..] {
            text += &format!("  {}\n", self.line(*id));
        }
        text
    }
}

fn after<M: Model>(model: &M, problem: &Problem<'_>, state: M::State, taken: Taken) -> M::State {
    let next = match taken {
        Taken::Completed(operation) => {
            let completed = &problem.completed[operation as usize];
            if completed.told.left_unchanged() {
                return state;
            }
            model.changed(&state, completed.asked, completed.told)
        }
        Taken::Unknown(group, _) => model.happened(&state, problem.unknowns[group as usize].asked),
    };
    next.expect("an order is made of such steps")
}
