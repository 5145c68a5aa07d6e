//! All small histories, judged twice. What operations and answers they are made of is listed here; how they may overlap
//! is enumerated.

use palco_core::Time;
use palco_rambo::Key;
use palco_sim::history::{Asked, Change, ClientId, History, Invocation, OperationId, Outcome};

use crate::{
    random::agrees_with_naive,
    scene::{append, asks_write, bytes, changed, mismatch, read, saw, swap, write},
};

/// How the operations of a history overlap: calls, in the order of the operations, and returns.
type Shape = Vec<Step>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Call,
    Return(usize),
}

/// Of one key: operations with their outcomes, and operations that never return.
struct Vocabulary {
    key: Key,
    returning: Vec<(Asked, Outcome)>,
    open: Vec<Asked>,
}

/// All overlaps of so many operations by so many clients. A client whose operation does not return asks nothing more,
/// and another takes its place.
fn shapes(operations: usize, clients: usize) -> Vec<Shape> {
    let mut shapes = Vec::new();
    extend(&mut Vec::new(), 0, operations, &mut shapes);
    shapes.retain(|shape| overlap(shape) <= clients);
    shapes
}

/// All shapes that begin with this one, in which so many operations were called.
fn extend(shape: &mut Shape, called: usize, operations: usize, shapes: &mut Vec<Shape>) {
    if called == operations {
        shapes.push(shape.clone());
    } else {
        shape.push(Step::Call);
        extend(shape, called + 1, operations, shapes);
        shape.pop();
    }
    for operation in 0..called {
        if !shape.contains(&Step::Return(operation)) {
            shape.push(Step::Return(operation));
            extend(shape, called, operations, shapes);
            shape.pop();
        }
    }
}

/// How many operations that return are under way together, at most.
fn overlap(shape: &Shape) -> usize {
    let returns = |operation| shape.contains(&Step::Return(operation));
    let (mut called, mut open, mut most) = (0, 0, 0);
    for step in shape {
        match step {
            Step::Call => {
                open += usize::from(returns(called));
                called += 1;
                most = most.max(open);
            }
            Step::Return(_) => open -= 1,
        }
    }
    most
}

fn history(key: &Key, shape: &Shape, words: &[(&Asked, Option<&Outcome>)]) -> History {
    let mut history = History::default();
    for (nanos, step) in (0..).zip(shape) {
        let at = Time::from_nanos(nanos);
        match step {
            Step::Call => {
                let (asked, client) = (words[history.len()].0.clone(), history.len() as u32);
                let (client, key) = (ClientId(client), key.clone());
                history.call(Invocation { client, key, asked, at });
            }
            Step::Return(operation) => {
                let outcome = words[*operation].1.expect("it returns").clone();
                history.end(OperationId(*operation as u32), at, outcome);
            }
        }
    }
    history
}

/// Judges every history of this shape, and counts those with and those without an order.
fn judge_all(vocabulary: &Vocabulary, shape: &Shape, operations: usize, counts: &mut (u64, u64)) {
    let Vocabulary { key, returning, open } = vocabulary;
    let choices: Vec<Vec<(&Asked, Option<&Outcome>)>> = (0..operations)
        .map(|operation| match shape.contains(&Step::Return(operation)) {
            true => returning.iter().map(|(asked, outcome)| (asked, Some(outcome))).collect(),
            false => open.iter().map(|asked| (asked, None)).collect(),
        })
        .collect();
    let total: usize = choices.iter().map(Vec::len).product();
    for number in 0..total {
        let mut rest = number;
        let words: Vec<(&Asked, Option<&Outcome>)> = choices
            .iter()
            .map(|choices| {
                let choice = choices[rest % choices.len()];
                rest /= choices.len();
                choice
            })
            .collect();
        match agrees_with_naive(&history(key, shape, &words)) {
            None => counts.0 += 1,
            Some(_) => counts.1 += 1,
        }
    }
}

/// Judges every history of up to so many operations.
fn judge_up_to(operations: usize, clients: usize, vocabulary: &Vocabulary) -> (u64, u64) {
    let mut counts = (0, 0);
    for operations in 0..=operations {
        for shape in shapes(operations, clients) {
            judge_all(vocabulary, &shape, operations, &mut counts);
        }
    }
    counts
}

#[track_caller]
fn expect_both_verdicts((good, bad): (u64, u64)) {
    assert!(good > 10_000 && bad > 10_000, "{good} good, {bad} bad: too few to tell anything");
}

#[test]
fn shapes_are_as_many_as_there_are_overlaps() {
    let counts = |operations, clients| {
        let shapes = shapes(operations, clients);
        (shapes.len(), shapes.iter().filter(|shape| shape.len() == 2 * operations).count())
    };
    assert_eq!(counts(0, 3), (1, 1));
    assert_eq!(counts(1, 3), (2, 1));
    // Both return: one after the other, nested, crossed. Only one does: the first before or after the other is called, or
    // the second. None does.
    assert_eq!(counts(2, 2), (3 + 3 + 1, 3));
    assert_eq!(counts(2, 1), (1 + 3 + 1, 1));
    assert_eq!(counts(3, 3).1, 5 * 3);
    assert_eq!(counts(4, 4).1, 7 * 5 * 3);
}

#[test]
fn all_histories_of_four_operations_of_three_clients_on_a_register() {
    let failed = (asks_write("x"), Outcome::Failed);
    let vocabulary = Vocabulary {
        key: Key::register("a"),
        returning: vec![write("x"), write("y"), write(""), read("x"), read("y"), read(""), failed],
        open: vec![asks_write("x"), asks_write("y"), asks_write("")],
    };
    expect_both_verdicts(judge_up_to(4, 3, &vocabulary));
}

#[test]
fn all_histories_of_three_operations_of_three_clients_on_a_compared_key() {
    let vocabulary = Vocabulary {
        key: Key::cas("a"),
        returning: vec![
            saw(0, ""),
            saw(1, "1"),
            saw(1, "2"),
            saw(2, "2"),
            saw(2, "11"),
            saw(3, "111"),
            changed(append("1"), 1, "1"),
            changed(append("1"), 2, "11"),
            changed(append("1"), 2, "21"),
            changed(append("1"), 3, "21"),
            changed(swap(0, "1"), 1, "1"),
            changed(swap(1, "2"), 2, "2"),
            mismatch(swap(0, "1"), 1, "1"),
            mismatch(swap(1, "2"), 0, ""),
            mismatch(swap(1, "2"), 2, "11"),
            changed(Change::Add(1), 1, "1"),
            changed(Change::Add(1), 2, "2"),
            changed(Change::Add(1), 3, "12"),
            changed(Change::Set(bytes("2")), 1, "2"),
            changed(Change::Set(bytes("2")), 3, "2"),
            changed(Change::Delete, 2, ""),
            (Asked::Change(append("1")), Outcome::Failed),
        ],
        open: [append("1"), swap(1, "2"), Change::Add(1)].map(Asked::Change).into(),
    };
    expect_both_verdicts(judge_up_to(3, 3, &vocabulary));
}

#[test]
fn all_histories_of_four_operations_of_two_clients_on_a_compared_key() {
    let vocabulary = Vocabulary {
        key: Key::cas("a"),
        returning: vec![
            saw(0, ""),
            saw(1, "x"),
            saw(2, "xx"),
            saw(2, "y"),
            changed(append("x"), 1, "x"),
            changed(append("x"), 2, "xx"),
            changed(append("x"), 3, "yx"),
            changed(swap(1, "y"), 2, "y"),
            mismatch(swap(1, "y"), 2, "xx"),
        ],
        open: [append("x"), swap(1, "y")].map(Asked::Change).into(),
    };
    expect_both_verdicts(judge_up_to(4, 2, &vocabulary));
}
