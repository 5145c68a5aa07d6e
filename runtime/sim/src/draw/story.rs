//! What happened as stretches of time: which configurations were active at whom, who stood still, who was cut off.

use std::collections::BTreeMap;
use std::ops::Range;

use palco_rambo::{ConfigurationMap, Index, NodeId};

use super::words;
use crate::Trace;
use crate::trace::Happening;

/// What is said about all that was wrong in one band, about.
const BAND_BYTES_MAX: usize = 600;

/// A part of a trace, told by node.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) lives: BTreeMap<NodeId, Life>,
    /// When anything was wrong between nodes: partitions, losses and the like, from the first until all is mended.
    pub(super) bands: Vec<Stretch>,
    /// What it was, and from when on.
    pub(super) notes: Vec<(u64, String)>,
    /// When, and what a check said.
    pub(super) violations: Vec<(u64, String)>,
}

/// What became of a node.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// In the order in which they were learned.
    pub(super) configurations: Vec<Active>,
    /// When it did not run.
    pub(super) breaks: Vec<Stretch>,
    /// Other things that were done to it.
    pub(super) marks: Vec<(u64, String)>,
    open: BTreeMap<Index, usize>,
}

/// A configuration at a node, from when it was learned until it was removed.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) index: Index,
    pub(super) from: u64,
    pub(super) until: u64,
    /// With its members.
    pub(super) name: String,
    /// Whether its removal was seen, or the picture only ends.
    pub(super) is_removed: bool,
}

/// A stretch of time in which something was wrong.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) what: String,
    is_open: bool,
}

/// What a fault does.
enum Effect {
    Begins,
    Ends,
    Marks,
}

impl Story {
    /// Of these events, and on until then. What was so before is known from the events before, as far as they were kept.
    pub(super) fn of(trace: &Trace, events: Range<usize>, until: u64) -> Self {
        let mut story = Self::default();
        let times = trace.events[events.clone()].iter().map(|event| event.at.as_nanos());
        story.from = times.clone().min().unwrap_or(0);
        story.until = times.max().unwrap_or(0).max(until);
        for event in &trace.events[..events.end] {
            story.take(event.at.as_nanos(), &event.what);
        }
        story.close();
        story
    }

    /// Configurations that were active at once at one node, at most; at least 1.
    pub(super) fn slots(&self) -> u64 {
        let lowest = |at: usize, life: &Life| {
            let newest = &life.configurations[at];
            let still = life.configurations[..at].iter().filter(|other| other.until > newest.from);
            still.map(|other| newest.index.saturating_sub(other.index) + 1).max().unwrap_or(1)
        };
        let deep = |life: &Life| {
            (0..life.configurations.len()).map(|at| lowest(at, life)).max().unwrap_or(1)
        };
        self.lives.values().map(deep).max().unwrap_or(1).clamp(1, palco_rambo::ACTIVE_MAX as u64)
    }

    fn take(&mut self, at: u64, what: &Happening) {
        match what {
            Happening::Learned { node, map } => {
                self.acts(*node, at);
                self.life(*node).learn(at, map);
            }
            Happening::Fault { node: Some(node), what } => self.life(*node).suffer(at, what),
            Happening::Fault { node: None, what } => self.between(at, what),
            Happening::Violation { what } if at >= self.from => {
                self.violations.push((at, what.clone()));
            }
            Happening::Violation { .. } => {}
            Happening::Message { from: node, .. }
            | Happening::Told { node, .. }
            | Happening::Held { node, .. } => self.acts(*node, at),
            Happening::Asked { .. } => {}
        }
    }

    /// Whoever does something does not stand still any more.
    fn acts(&mut self, node: NodeId, at: u64) {
        if let Some(life) = self.lives.get_mut(&node) {
            end(&mut life.breaks, at);
        }
    }

    /// Something goes wrong between nodes, or is mended.
    fn between(&mut self, at: u64, what: &str) {
        let words = words::short(what, 120);
        match between(what) {
            Effect::Ends => end(&mut self.bands, at),
            Effect::Marks => {}
            Effect::Begins => match self.bands.last_mut().filter(|last| last.is_open) {
                Some(open) if open.what.len() < BAND_BYTES_MAX => {
                    open.what.push_str("; ");
                    open.what.push_str(&words);
                }
                Some(_) => {}
                None => self.bands.push(Stretch::open(at, what)),
            },
        }
        self.notes.push((at, words));
    }

    fn life(&mut self, node: NodeId) -> &mut Life {
        self.lives.entry(node).or_default()
    }

    /// Cuts everything to the part that is told.
    fn close(&mut self) {
        let (from, until) = (self.from, self.until);
        let cut = |stretches: &mut Vec<Stretch>| {
            stretches.retain_mut(|stretch| {
                if stretch.is_open {
                    stretch.until = until;
                }
                stretch.from = stretch.from.max(from);
                stretch.from <= stretch.until && (stretch.until > from || stretch.is_open)
            });
        };
        cut(&mut self.bands);
        self.notes.retain(|(at, _)| *at >= from);
        for life in self.lives.values_mut() {
            cut(&mut life.breaks);
            life.marks.retain(|(at, _)| *at >= from);
            for &open in life.open.values() {
                life.configurations[open].until = until;
            }
            life.configurations.retain_mut(|active| {
                active.from = active.from.max(from);
                active.until > active.from || !active.is_removed
            });
        }
    }
}

impl Life {
    fn learn(&mut self, at: u64, map: &ConfigurationMap) {
        let gone: Vec<Index> =
            self.open.keys().copied().filter(|&index| map.find(index).is_none()).collect();
        for index in gone {
            if let Some(open) = self.open.remove(&index) {
                let active = &mut self.configurations[open];
                (active.until, active.is_removed) = (at, true);
            }
        }
        for configuration in map.active() {
            let index = configuration.index();
            self.open.entry(index).or_insert_with(|| {
                let name = configuration.to_string();
                self.configurations.push(Active {
                    index,
                    from: at,
                    until: at,
                    name,
                    is_removed: false,
                });
                self.configurations.len() - 1
            });
        }
    }

    fn suffer(&mut self, at: u64, what: &str) {
        match effect(what) {
            Effect::Begins => {
                end(&mut self.breaks, at);
                self.breaks.push(Stretch::open(at, what));
            }
            Effect::Ends => end(&mut self.breaks, at),
            Effect::Marks => self.marks.push((at, words::short(what, 60))),
        }
    }
}

impl Stretch {
    fn open(from: u64, what: &str) -> Self {
        Self { from, until: from, what: words::short(what, 120), is_open: true }
    }
}

fn end(stretches: &mut [Stretch], at: u64) {
    if let Some(last) = stretches.last_mut().filter(|last| last.is_open) {
        (last.until, last.is_open) = (at, false);
    }
}

/// What something done to a node does, by the first word of its description.
fn effect(what: &str) -> Effect {
    match first_word(what) {
        "crash" | "disk" | "pause" => Effect::Begins,
        "back" | "starts" => Effect::Ends,
        _ => Effect::Marks,
    }
}

/// What something done to several does.
fn between(what: &str) -> Effect {
    match first_word(what) {
        "mended" => Effect::Ends,
        "partly" => Effect::Marks,
        _ => Effect::Begins,
    }
}

fn first_word(what: &str) -> &str {
    what.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default()
}
