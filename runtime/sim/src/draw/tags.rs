//! The tags: for each key and node a staircase of the tag held, over the same time as the messages.

use std::collections::{BTreeMap, BTreeSet};

use palco_rambo::{NodeId, Tag};

use super::Picture;
use super::clock::Clock;
use super::markup::{Attributes, Markup, Px};
use super::scene::Scene;
use super::words::{instant, several, short};
use crate::trace::Happening;

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 52.0;
/// Where the last tag is written.
const RIGHT: f64 = 1_005.0;
const ROW: f64 = 32.0;
const STEP: f64 = 26.0;
const GROUP: f64 = 24.0;

/// Keys that are drawn, at most: those with most to show.
const KEYS_MAX: usize = 4;

/// What a node held for a key: from when on which tag.
type Stairs = Vec<(u64, Tag)>;

pub(super) fn draw(scene: &Scene<'_>) -> Option<Picture> {
    let held = held(scene);
    let keys = chosen(scene, &held);
    if keys.is_empty() {
        return None;
    }
    let clock = Clock::new(scene.instants(), LEFT, RIGHT);
    let rows: usize = keys.iter().map(|key| held[key].len()).sum();
    let bottom = keys.len() as f64 * GROUP + rows as f64 * ROW;
    let mut out = Markup::new();
    for (tick, x) in clock.ticks(90.0) {
        out.line("grid", (x, GROUP - 6.0), (x, bottom));
        out.label("tick middle", (x, bottom + 14.0), &instant(tick));
    }
    let mut y = 0.0;
    for &key in &keys {
        y += GROUP;
        out.label("group", (0.0, y - 8.0), &format!("key {}", short(key, 60)));
        let tags: BTreeSet<Tag> = held[key].values().flatten().map(|(_, tag)| *tag).collect();
        for (node, stairs) in &held[key] {
            out.label("name end", (LEFT - 8.0, y + 17.0), &short(&node.to_string(), 7));
            staircase(&mut out, scene, stairs, &tags, &clock, (*node, y));
            y += ROW;
        }
    }
    for idle in clock.idle() {
        out.area(
            "gap",
            (idle.start + 4.0, GROUP - 6.0),
            ((idle.end - idle.start - 8.0).max(2.0), bottom - GROUP + 6.0),
            "nothing happened",
        );
    }
    for (at, what) in &scene.story.violations {
        let x = clock.at(*at);
        out.within("g", &[], |out| {
            out.leaf("title", &[], &format!("at {}: {what}", instant(*at)));
            out.line("bad-line", (x, GROUP - 8.0), (x, bottom));
        });
    }
    let mut height = bottom + 22.0;
    if held.len() > keys.len() {
        let more = several(held.len() - keys.len(), "other key is", "other keys are");
        out.label("small", (0.0, height + 8.0), &format!("{more} not drawn."));
        height += 16.0;
    }
    let title =
        format!("Tags held from {} to {}", instant(scene.story.from), instant(scene.story.until));
    let about = "A strip for each key and node; a step upwards is a larger tag.".to_owned();
    Some(Picture { title, about, width: WIDTH, height, inside: out })
}

/// By key and node; what was held before the window begins with it.
fn held<'a>(scene: &Scene<'a>) -> BTreeMap<&'a str, BTreeMap<NodeId, Stairs>> {
    let mut held: BTreeMap<&str, BTreeMap<NodeId, Stairs>> = BTreeMap::new();
    let nodes: BTreeSet<NodeId> = scene.nodes.iter().copied().collect();
    let window = scene.window.events();
    for (position, event) in scene.trace.events[..window.end].iter().enumerate() {
        let Happening::Held { node, key, tag } = &event.what else { continue };
        if !nodes.contains(node) {
            continue;
        }
        let stairs = held.entry(key).or_default().entry(*node).or_default();
        let at = event.at.as_nanos().max(scene.story.from);
        if position < window.start {
            stairs.clear();
        }
        stairs.push((at, *tag));
    }
    held
}

/// Keys that a violation names, then those at which most happened.
fn chosen<'a>(
    scene: &Scene<'_>,
    held: &BTreeMap<&'a str, BTreeMap<NodeId, Stairs>>,
) -> Vec<&'a str> {
    let is_named = |key: &str| {
        let letters = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
        scene.story.violations.iter().any(|(_, what)| what.split(letters).any(|word| word == key))
    };
    let steps = |key: &str| {
        let nodes = &held[key];
        nodes.values().map(|stairs| stairs.len()).sum::<usize>() - nodes.len()
    };
    let mut keys: Vec<&str> = held.keys().copied().collect();
    keys.sort_by_key(|key| (!is_named(key), std::cmp::Reverse(steps(key))));
    keys.truncate(KEYS_MAX);
    keys
}

fn staircase(
    out: &mut Markup,
    scene: &Scene<'_>,
    stairs: &Stairs,
    tags: &BTreeSet<Tag>,
    clock: &Clock,
    (node, y): (NodeId, f64),
) {
    let floor = y + STEP;
    let rank: BTreeMap<Tag, usize> =
        tags.iter().enumerate().map(|(rank, &tag)| (tag, rank)).collect();
    let level = |tag: &Tag| floor - 2.0 - (rank[tag] + 1) as f64 / tags.len() as f64 * (STEP - 4.0);
    out.area("lane", (LEFT, y), (RIGHT - LEFT, STEP), &format!("{node}: nothing seen to be held"));
    let Some((first, _)) = stairs.first() else { return };
    let start = clock.at(*first);
    let mut path = format!("M{} {}", Px(start), Px(floor));
    for (place, (at, tag)) in stairs.iter().enumerate() {
        let until = stairs.get(place + 1).map_or(scene.story.until, |(next, _)| *next);
        path += &format!("H{}V{}", Px(clock.at(*at)), Px(level(tag)));
        if until == scene.story.until {
            path += &format!("H{}", Px(clock.at(until)));
        }
    }
    path += &format!("V{}z", Px(floor));
    let shape: Attributes<'_> = &[("class", &"stairs"), ("d", &path)];
    out.void("path", shape);
    for (place, (at, tag)) in stairs.iter().enumerate() {
        let until = stairs.get(place + 1).map_or(scene.story.until, |(next, _)| *next);
        let (from, to) = (clock.at(*at), clock.at(until));
        out.area(
            "step",
            (from, y),
            (to - from, STEP),
            &format!("{node} holds {tag} from {} on", instant(*at)),
        );
        // Words of a step, where it is wide enough; the last is written behind.
        let words = tag.sequence.to_string();
        if to - from > words.len() as f64 * 6.0 + 8.0 {
            out.label("on-step", (from + 4.0, floor - 4.0), &words);
        }
    }
    if let Some((_, last)) = stairs.last() {
        out.label("small", (RIGHT + 6.0, y + 17.0), &short(&last.to_string(), 17));
    }
}
