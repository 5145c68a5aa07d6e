//! The definition, word for word (Herlihy & Wing 1990, §2): a history is linearizable if there is an order of its
//! operations, with some of those of unknown outcome and without the failed ones, in which each finds what it was told,
//! and nobody comes before an operation that had returned when it was called. All orders are tried. Shares no code with
//! the search: what a register does is written here a second time.

use palco_sim::history::{Asked, Change, Done, Operation, OperationId, Outcome};

/// Whether there is an order for what was known right after this event.
pub(crate) fn has_order(operations: &[Operation<'_>], event: u32) -> bool {
    let known: Vec<Known<'_>> = operations.iter().filter_map(|o| Known::of(o, event)).collect();
    let unknown: Vec<usize> = (0..known.len()).filter(|n| known[*n].told.is_none()).collect();
    (0..1_u32 << unknown.len()).any(|subset| {
        let left_out = |n: usize| {
            unknown.iter().position(|other| *other == n).is_some_and(|bit| subset & 1 << bit != 0)
        };
        let mut order: Vec<&Known<'_>> =
            (0..known.len()).filter(|n| !left_out(*n)).map(|n| &known[n]).collect();
        any_permutation(&mut order, 0, &|order| is_order(order))
    })
}

/// The first event after which there is no order.
pub(crate) fn first_refused(operations: &[Operation<'_>]) -> Option<u32> {
    let returns = operations.iter().filter_map(|o| o.returned.map(|returned| returned.event));
    let mut events: Vec<u32> = returns.collect();
    events.sort_unstable();
    events.into_iter().find(|event| !has_order(operations, *event))
}

/// Whether an order of these operations may begin so, by what was known right after this event.
pub(crate) fn may_begin_with(
    operations: &[Operation<'_>],
    event: u32,
    order: &[OperationId],
) -> bool {
    let known: Vec<Known<'_>> = operations.iter().filter_map(|o| Known::of(o, event)).collect();
    let place = |id: &OperationId| known.iter().find(|known| known.id == *id);
    let Some(ordered) = order.iter().map(place).collect::<Option<Vec<_>>>() else { return false };
    let mut left = known.iter().filter(|known| !order.contains(&known.id));
    let comes_too_late = |left: &Known<'_>| ordered.iter().any(|known| left.precedes(known));
    is_order(&ordered) && !left.any(comes_too_late)
}

/// What is known of an operation that did not fail.
struct Known<'a> {
    id: OperationId,
    called: u32,
    returned: Option<u32>,
    asked: &'a Asked,
    told: Option<&'a Done>,
}

impl<'a> Known<'a> {
    fn precedes(&self, other: &Self) -> bool {
        self.returned.is_some_and(|returned| returned < other.called)
    }

    fn of(operation: &Operation<'a>, event: u32) -> Option<Self> {
        let (id, called) = (operation.id, operation.event);
        if called > event {
            return None;
        }
        let asked = &operation.invocation.asked;
        let unknown = Self { id, called, returned: None, asked, told: None };
        match operation.returned.filter(|returned| returned.event <= event) {
            None => Some(unknown),
            Some(returned) => match returned.outcome {
                Outcome::Failed => None,
                Outcome::Unknown => Some(unknown),
                Outcome::Done(told) => {
                    Some(Self { returned: Some(returned.event), told: Some(told), ..unknown })
                }
            },
        }
    }
}

fn any_permutation<T>(items: &mut [T], fixed: usize, holds: &impl Fn(&[T]) -> bool) -> bool {
    if fixed == items.len() {
        return holds(items);
    }
    (fixed..items.len()).any(|next| {
        items.swap(fixed, next);
        let found = any_permutation(items, fixed + 1, holds);
        items.swap(fixed, next);
        found
    })
}

fn is_order(order: &[&Known<'_>]) -> bool {
    let respects_time = order
        .iter()
        .enumerate()
        .all(|(place, later)| !order[place + 1..].iter().any(|other| other.precedes(later)));
    let mut register = Contents { version: 0, value: None };
    respects_time && order.iter().all(|known| register.perform(known.asked, known.told))
}

struct Contents {
    version: u64,
    value: Option<Vec<u8>>,
}

impl Contents {
    /// Performs one operation; whether it finds what it was told.
    fn perform(&mut self, asked: &Asked, told: Option<&Done>) -> bool {
        let after = match asked {
            Asked::Read => None,
            Asked::Write(value) => Some(value.as_ref().map(|value| value.to_vec())),
            Asked::Change(change) => self.change(change),
        };
        let has_changed = after.is_some();
        if let Some(after) = after {
            (self.version, self.value) = (self.version + 1, after);
        }
        let holds = |value: &palco_rambo::Value| value.as_deref() == self.value.as_deref();
        match told {
            None => true,
            Some(Done::Read { value, .. }) => *asked == Asked::Read && holds(value),
            Some(Done::Wrote { .. }) => matches!(asked, Asked::Write(_)),
            Some(Done::Saw { version, value }) => {
                *asked == Asked::Read && *version == self.version && holds(value)
            }
            Some(Done::Changed { version, value }) => {
                matches!(asked, Asked::Change(_))
                    && has_changed
                    && *version == self.version
                    && holds(value)
            }
            Some(Done::Mismatch { version, value }) => {
                matches!(asked, Asked::Change(_))
                    && !has_changed
                    && *version == self.version
                    && holds(value)
            }
        }
    }

    fn change(&self, change: &Change) -> Option<Option<Vec<u8>>> {
        match change {
            Change::Swap { expected, value } if *expected == self.version => {
                Some(value.as_ref().map(|value| value.to_vec()))
            }
            Change::Swap { .. } => None,
            Change::Append(more) => {
                let mut value = self.value.clone().unwrap_or_default();
                value.extend_from_slice(more);
                Some(Some(value))
            }
            Change::Add(number) => {
                let text = self.value.clone().unwrap_or_else(|| b"0".to_vec());
                let present: i64 = String::from_utf8(text).ok()?.parse().ok()?;
                let sum = i128::from(present) + i128::from(*number);
                Some(Some(i64::try_from(sum).ok()?.to_string().into_bytes()))
            }
            Change::Set(value) => Some(Some(value.to_vec())),
            Change::Delete => Some(None),
        }
    }
}
