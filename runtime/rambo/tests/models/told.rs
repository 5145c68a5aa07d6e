//! A trace, told in words.

use std::fmt::Write as _;

/// One step of a trace: who does what, and to which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// "w queries".
    pub(crate) what: String,
    /// The node that it is done to, if it is done to one: steps in a row that differ in it alone are told as one.
    pub(crate) node: Option<usize>,
}

impl Step {
    /// Something that is done to no node.
    pub(crate) fn alone(what: impl Into<String>) -> Self {
        Self { what: what.into(), node: None }
    }

    /// Something that is done to a node.
    pub(crate) fn at(what: impl Into<String>, node: usize) -> Self {
        Self { what: what.into(), node: Some(node) }
    }
}

/// The steps, with what is done to several nodes in a row told once.
pub(crate) fn tell(steps: &[Step]) -> String {
    let mut told = String::new();
    for steps in steps.chunk_by(|a, b| a.node.is_some() && a.what == b.what && b.node.is_some()) {
        if !told.is_empty() {
            told.push_str(" · ");
        }
        told.push_str(&steps[0].what);
        let nodes: Vec<String> =
            steps.iter().filter_map(|step| step.node).map(|node| node.to_string()).collect();
        if !nodes.is_empty() {
            write!(told, " {{{}}}", nodes.join(",")).expect("a string takes everything");
        }
    }
    told
}

/// A letter for one of few: 0 is `a`.
pub(crate) fn node_letter(number: u8) -> char {
    char::from(b'a' + number)
}

#[test]
fn what_is_done_to_several_nodes_is_told_once() {
    let steps = [Step::alone("w begins"), Step::at("w queries", 0), Step::at("w queries", 2)];
    assert_eq!(tell(&steps), "w begins · w queries {0,2}");
}
