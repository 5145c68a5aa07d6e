//! The configuration timeline: at each node, when a configuration was learned and when it was removed. It shows as much
//! of the whole record as has room, and where the other pictures lie in it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Picture;
use super::clock::Clock;
use super::markup::{Markup, Px};
use super::scene::Scene;
use super::sequence::COLOURS;
use super::story::Story;
use super::words::{instant, length, several, short};
use crate::Trace;
use crate::trace::Happening;

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 52.0;
const ROW: f64 = 30.0;
const GAP: f64 = 5.0;
const TOP: f64 = 24.0;

/// Rows, at most.
const ROWS_MAX: usize = 24;

/// Bars and marks of a picture, about: the record is shown around the window until there are so many.
const CHANGES_MAX: usize = 1_200;

pub(super) fn draw(scene: &Scene<'_>) -> Picture {
    let range = range(scene.trace, scene.window.events());
    let story = Story::of(scene.trace, range.clone(), 0);
    let events = &scene.trace.events[range.clone()];
    let clock = Clock::new(
        events.iter().map(|event| event.at.as_nanos()).chain([story.from, story.until]),
        LEFT,
        WIDTH,
    );
    let mut nodes = scene.trace.nodes.clone();
    // Who never knew a configuration has nothing to show.
    nodes.retain(|node| scene.nodes.contains(node) || story.lives.contains_key(node));
    let others = nodes.len().saturating_sub(ROWS_MAX);
    if others > 0 {
        nodes.retain(|node| scene.nodes.contains(node));
    }
    let bottom = TOP + nodes.len() as f64 * ROW;
    let mut out = Markup::new();
    for (tick, x) in clock.ticks(90.0) {
        out.line("grid", (x, TOP - 4.0), (x, bottom));
        let class = if x > WIDTH - 24.0 { "tick end" } else { "tick middle" };
        out.label(class, (x, bottom + 14.0), &instant(tick));
    }
    for band in &story.bands {
        let (from, until) = (clock.at(band.from), clock.at(band.until));
        out.area("band", (from, TOP - 4.0), (until - from, bottom - TOP + 4.0), &band.what);
    }
    for (row, node) in nodes.iter().enumerate() {
        let y = TOP + row as f64 * ROW;
        out.label("name end", (LEFT - 8.0, y + 17.0), &short(&node.to_string(), 7));
        out.area(
            "lane",
            (LEFT, y),
            (WIDTH - LEFT, ROW - GAP),
            &format!("{node}: nothing known of what is active"),
        );
        if let Some(life) = story.lives.get(node) {
            bars(&mut out, life, story.slots(), &clock, (y, &node.to_string()));
        }
    }
    let mut last = f64::NEG_INFINITY;
    for idle in clock.idle() {
        let title = format!("{} in which nothing happened", length(idle.until - idle.from));
        out.area(
            "gap",
            (idle.start + 4.0, TOP - 4.0),
            ((idle.end - idle.start - 8.0).max(2.0), bottom - TOP + 4.0),
            &title,
        );
        let middle = (idle.start + idle.end) / 2.0;
        if middle - last > 76.0 {
            let words = format!("{} idle", length(idle.until - idle.from));
            out.label("tick middle", (middle, bottom + 26.0), &words);
            last = middle;
        }
    }
    window(&mut out, scene, &clock, bottom);
    for (at, what) in &story.violations {
        let x = clock.at(*at);
        out.within("g", &[], |out| {
            out.leaf("title", &[], &format!("at {}: {what}", instant(*at)));
            out.line("bad-line", (x, TOP - 8.0), (x, bottom));
            let tip = format!("M{} {}l-5 -8h10z", Px(x), Px(TOP - 6.0));
            out.void("path", &[("class", &"bad-tip"), ("d", &tip)]);
        });
    }
    let mut y = bottom + 46.0;
    for note in notes(scene, &range, others) {
        out.label("small", (0.0, y), &note);
        y += 15.0;
    }
    let title =
        format!("Active configurations from {} to {}", instant(story.from), instant(story.until));
    let about = "A row for each node; a bar is a configuration, from when it was learned until it was removed.".to_owned();
    Picture { title, about, width: WIDTH + 4.0, height: y, inside: out }
}

fn bars(
    out: &mut Markup,
    life: &super::story::Life,
    slots: u64,
    clock: &Clock,
    (y, node): (f64, &str),
) {
    let tall = (ROW - GAP) / slots as f64;
    for active in &life.configurations {
        let (from, until) = (clock.at(active.from), clock.at(active.until));
        let top = y + (active.index % slots) as f64 * tall;
        let ending = if active.is_removed { "removed" } else { "still active" };
        let title = format!(
            "{node}: {} active from {} on, {ending} at {}",
            active.name,
            instant(active.from),
            instant(active.until)
        );
        out.area(
            &format!("c{}", active.index % COLOURS),
            (from, top),
            (until - from - 0.5, tall - 0.5),
            &title,
        );
        let name = format!("c{}", active.index);
        if tall >= 9.0 && until - from > name.len() as f64 * 7.0 + 8.0 {
            out.label("on-bar", (from + 4.0, top + tall / 2.0 + 3.5), &name);
        }
    }
    for stop in &life.breaks {
        let (from, until) = (clock.at(stop.from), clock.at(stop.until));
        let title =
            format!("{node}: {} from {} to {}", stop.what, instant(stop.from), instant(stop.until));
        out.area("away", (from, y), (until - from, ROW - GAP), &title);
        out.line("broken", (from, y + (ROW - GAP) / 2.0), (until, y + (ROW - GAP) / 2.0));
    }
    for (at, what) in &life.marks {
        out.area(
            "bad-mark",
            (clock.at(*at) - 1.0, y),
            (2.0, ROW - GAP),
            &format!("{node}: {what} at {}", instant(*at)),
        );
    }
}

/// Where the other pictures lie.
fn window(out: &mut Markup, scene: &Scene<'_>, clock: &Clock, bottom: f64) {
    let (from, until) = (clock.at(scene.story.from), clock.at(scene.story.until));
    out.area(
        "window",
        (from, TOP - 6.0),
        ((until - from).max(3.0), bottom - TOP + 8.0),
        "drawn below",
    );
    let class = if from > WIDTH / 2.0 { "small end" } else { "small" };
    // Beside the tip of a violation, not on it.
    let x = if from > WIDTH / 2.0 { until.max(from + 3.0) - 8.0 } else { from };
    out.label(class, (x, TOP - 11.0), "the messages below");
}

/// As much around the window as has room.
fn range(trace: &Trace, window: Range<usize>) -> Range<usize> {
    let mut maps: BTreeMap<_, _> = BTreeMap::new();
    let is_change: Vec<bool> = trace
        .events
        .iter()
        .map(|event| match &event.what {
            Happening::Learned { node, map } => {
                maps.insert(*node, map.version()) != Some(map.version())
            }
            Happening::Fault { .. } | Happening::Violation { .. } => true,
            Happening::Message { .. }
            | Happening::Asked { .. }
            | Happening::Told { .. }
            | Happening::Held { .. } => false,
        })
        .collect();
    let mut range = window;
    let mut left = CHANGES_MAX;
    // Half of it for what was before, then all that is left for what came after, then again for before.
    for (share, is_forward) in [(left / 2, false), (left, true), (left, false)] {
        let mut taken = 0;
        while taken < share.min(left) {
            let next = if is_forward { Some(range.end) } else { range.start.checked_sub(1) };
            let Some(&change) = next.and_then(|next| is_change.get(next)) else { break };
            if is_forward {
                range.end += 1;
            } else {
                range.start -= 1;
            }
            taken += usize::from(change);
        }
        left -= taken;
    }
    range
}

fn notes(scene: &Scene<'_>, range: &Range<usize>, others: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let missing = scene.trace.events.len() - range.len();
    let dropped = usize::try_from(scene.trace.dropped).unwrap_or(usize::MAX);
    if missing > 0 || dropped > 0 {
        let all = several(missing.saturating_add(dropped), "event", "events");
        notes.push(format!("Not the whole run: {all} before or after this are not drawn here."));
    }
    if others > 0 {
        notes.push(format!(
            "Only the {} of the picture below have a row.",
            several(scene.nodes.len(), "node", "nodes")
        ));
    }
    notes
}
