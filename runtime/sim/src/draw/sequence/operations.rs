//! What clients asked and were told, as bars beside the line of the node that they asked.

use std::collections::BTreeMap;

use palco_rambo::NodeId;

use super::room::Room;
use crate::draw::clock::Clock;
use crate::draw::markup::Markup;
use crate::draw::scene::Scene;
use crate::draw::words::{instant, short};
use crate::trace::Happening;

/// Bars side by side at a line, at most; more lie on each other.
const LANES_MAX: usize = 4;
/// From one bar to the next.
const LANE: f64 = 5.0;

/// All of a scene.
pub(super) struct Operations {
    bars: Vec<Bar>,
}

/// One request as far as it was seen.
struct Bar {
    node: usize,
    lane: usize,
    client: u32,
    request: u64,
    asked: Option<(u64, String)>,
    told: Option<(u64, String)>,
    from: u64,
    until: u64,
}

impl Operations {
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        let place: BTreeMap<NodeId, usize> =
            scene.nodes.iter().enumerate().map(|(place, &node)| (node, place)).collect();
        let mut bars: Vec<Bar> = Vec::new();
        let mut open: BTreeMap<(u32, u64), usize> = BTreeMap::new();
        for event in &scene.trace.events[scene.window.events()] {
            let at = event.at.as_nanos();
            match &event.what {
                Happening::Asked { client, node, request, what } => {
                    let Some(&node) = place.get(node) else { continue };
                    open.insert((*client, *request), bars.len());
                    let (client, request, asked) = (*client, *request, Some((at, what.clone())));
                    bars.push(Bar {
                        node,
                        lane: 0,
                        client,
                        request,
                        asked,
                        told: None,
                        from: at,
                        until: scene.story.until,
                    });
                }
                Happening::Told { client, node, request, what, tag } => {
                    let tag =
                        tag.map(|tag| tag.to_string()).filter(|tag| !what.contains(tag.as_str()));
                    let what = tag.map_or_else(|| what.clone(), |tag| format!("{tag} {what}"));
                    if let Some(bar) = open.remove(&(*client, *request)).map(|at| &mut bars[at]) {
                        (bar.told, bar.until) = (Some((at, what)), at);
                    } else if let Some(&node) = place.get(node) {
                        let (client, request, told) = (*client, *request, Some((at, what)));
                        bars.push(Bar {
                            node,
                            lane: 0,
                            client,
                            request,
                            asked: None,
                            told,
                            from: scene.story.from,
                            until: at,
                        });
                    }
                }
                Happening::Message { .. }
                | Happening::Held { .. }
                | Happening::Learned { .. }
                | Happening::Fault { .. }
                | Happening::Violation { .. } => {}
            }
        }
        deal(&mut bars);
        Self { bars }
    }

    pub(super) fn draw(
        &self,
        out: &mut Markup,
        clock: &Clock,
        room: &mut Room,
        x: impl Fn(usize) -> f64,
        spacing: f64,
        half: f64,
    ) {
        let place = |bar: &Bar| x(bar.node) + half + 4.0 + bar.lane as f64 * LANE;
        for bar in &self.bars {
            let (from, until) = (clock.at(bar.from), clock.at(bar.until));
            out.area("operation", (place(bar), from), (3.0, until - from), &bar.title());
            room.take((place(bar) - 1.0, from), (LANE, until - from));
        }
        for bar in &self.bars {
            let most = ((spacing - 36.0) / 5.3) as usize;
            let x = place(bar) + 5.0;
            let told = bar.told.iter().map(|(at, what)| (at, format!("◂ {what}"), 3.0));
            for (at, words, shift) in
                told.chain(bar.asked.iter().map(|(at, what)| (at, format!("▸ {what}"), 6.0)))
            {
                room.place(
                    out,
                    "client",
                    (x, clock.at(*at) + shift),
                    &short(&words, most),
                    &bar.title(),
                );
            }
        }
    }
}

impl Bar {
    fn title(&self) -> String {
        let mut title = format!("client {} request {}", self.client, self.request);
        if let Some((at, what)) = &self.asked {
            title += &format!("\nasked at {}: {}", instant(*at), short(what, 200));
        }
        match &self.told {
            Some((at, what)) => {
                title += &format!("\ntold at {}: {}", instant(*at), short(what, 200))
            }
            None => title += "\nnot told anything so far",
        }
        title
    }
}

/// Gives bars of one node that overlap different places.
fn deal(bars: &mut [Bar]) {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|&at| (bars[at].from, at));
    let mut free: BTreeMap<usize, [u64; LANES_MAX]> = BTreeMap::new();
    for at in order {
        let bar = &mut bars[at];
        let lanes = free.entry(bar.node).or_default();
        bar.lane = lanes.iter().position(|&until| until <= bar.from).unwrap_or(LANES_MAX - 1);
        lanes[bar.lane] = lanes[bar.lane].max(bar.until);
    }
}
