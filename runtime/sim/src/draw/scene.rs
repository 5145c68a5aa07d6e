//! What a picture of a window has room for: its nodes, its messages, its clock's instants, and what is left out.

use std::collections::{BTreeMap, BTreeSet};

use palco_rambo::NodeId;

use super::story::Story;
use super::window::{Reason, Window};
use super::words::{count, several};
use crate::Trace;
use crate::trace::Happening;

/// Nodes in one picture, at most.
pub(super) const NODES_MAX: usize = 12;

/// A window with everything that its pictures need.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) trace: &'a Trace,
    pub(super) window: Window,
    pub(super) story: Story,
    /// Those that take part most, in the order of the trace.
    pub(super) nodes: Vec<NodeId>,
    pub(super) messages: Vec<Flight<'a>>,
    /// What is not drawn, in sentences.
    pub(super) left_out: Vec<String>,
}

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight<'a> {
    pub(super) at: u64,
    /// Positions among the nodes of the scene.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) arrived: Option<u64>,
    pub(super) kind: &'a str,
    pub(super) detail: &'a str,
}

impl<'a> Scene<'a> {
    pub(super) fn of(trace: &'a Trace, window: &Window) -> Self {
        // Also a window of another trace is one of this, cut to what there is.
        let reason = window.reason();
        let window = if reason == Reason::Asked || window.events().end > trace.events.len() {
            Window::new(trace, window.events())
        } else {
            window.clone()
        };
        let events = &trace.events[window.events()];
        let mut nodes = nodes(trace, &window);
        let before = Story::of(trace, window.events(), 0);
        let is_silent = |node: &NodeId| {
            let is_named =
                trace.events[window.events()].iter().any(|event| names(&event.what, *node));
            !is_named && !before.lives.contains_key(node)
        };
        // Who was not there yet has no line, unless nobody has.
        if !nodes.iter().all(is_silent) {
            nodes.retain(|node| !is_silent(node));
        }
        let place: BTreeMap<NodeId, usize> =
            nodes.iter().enumerate().map(|(place, &node)| (node, place)).collect();
        let mut messages = Vec::new();
        let mut elsewhere = 0;
        for event in events {
            if let Happening::Message { from, to, arrived, kind, detail } = &event.what {
                let (Some(&from), Some(&to)) = (place.get(from), place.get(to)) else {
                    elsewhere += 1;
                    continue;
                };
                let (at, arrived) = (event.at.as_nanos(), arrived.map(|at| at.as_nanos()));
                let arrived = arrived.map(|arrived| arrived.max(at));
                messages.push(Flight { at, from, to, arrived, kind, detail });
            }
        }
        let last = messages.iter().filter_map(|message| message.arrived).max();
        let story = Story::of(trace, window.events(), last.unwrap_or(0));
        let mut scene = Self { trace, window, story, nodes, messages, left_out: Vec::new() };
        scene.left_out = scene.missing(elsewhere);
        scene
    }

    /// Every instant at which something is drawn.
    pub(super) fn instants(&self) -> impl Iterator<Item = u64> {
        let events =
            self.trace.events[self.window.events()].iter().map(|event| event.at.as_nanos());
        let arrivals = self.messages.iter().filter_map(|message| message.arrived);
        events.chain(arrivals).chain([self.story.from, self.story.until])
    }

    fn missing(&self, elsewhere: usize) -> Vec<String> {
        let mut missing = Vec::new();
        let events = self.window.events();
        let before = events.start as u64 + self.trace.dropped;
        let after = self.trace.events.len() - events.end;
        if before > 0 {
            let before = usize::try_from(before).unwrap_or(usize::MAX);
            missing.push(format!("{} before are not drawn", several(before, "event", "events")));
        }
        if after > 0 {
            missing.push(format!("{} after are not drawn", several(after, "event", "events")));
        }
        let others = self.trace.nodes.len().saturating_sub(self.nodes.len());
        if others > 0 {
            missing.push(format!(
                "{} of the {} nodes have no line",
                count(others),
                count(self.trace.nodes.len())
            ));
        }
        if elsewhere > 0 {
            missing.push(format!(
                "{} to or from others are not drawn",
                several(elsewhere, "message", "messages")
            ));
        }
        missing
    }
}

/// Whether a node has a part in something.
fn names(what: &Happening, node: NodeId) -> bool {
    match what {
        Happening::Message { from, to, .. } => *from == node || *to == node,
        Happening::Asked { node: one, .. }
        | Happening::Told { node: one, .. }
        | Happening::Held { node: one, .. }
        | Happening::Learned { node: one, .. } => *one == node,
        Happening::Fault { node: one, .. } => *one == Some(node),
        Happening::Violation { .. } => false,
    }
}

/// Those with most to do in the window; all, where there is room.
fn nodes(trace: &Trace, window: &Window) -> Vec<NodeId> {
    let mut part: BTreeMap<NodeId, usize> = trace.nodes.iter().map(|&node| (node, 0)).collect();
    let mut order: Vec<NodeId> = trace.nodes.clone();
    let mut count = |node: NodeId, weight: usize| {
        *part.entry(node).or_insert_with(|| {
            order.push(node);
            0
        }) += weight;
    };
    for event in &trace.events[window.events()] {
        match &event.what {
            Happening::Message { from, to, .. } => {
                count(*from, 1);
                count(*to, 1);
            }
            Happening::Asked { node, .. }
            | Happening::Told { node, .. }
            | Happening::Held { node, .. }
            | Happening::Learned { node, .. } => count(*node, 1),
            Happening::Fault { node: Some(node), .. } => count(*node, 10),
            Happening::Fault { node: None, .. } | Happening::Violation { .. } => {}
        }
    }
    let mut busiest: Vec<NodeId> = order.clone();
    busiest.sort_by_key(|node| std::cmp::Reverse(part.get(node).copied().unwrap_or(0)));
    let kept: BTreeSet<NodeId> = busiest.into_iter().take(NODES_MAX).collect();
    let mut seen = BTreeSet::new();
    order.retain(|node| kept.contains(node) && seen.insert(*node));
    order
}
