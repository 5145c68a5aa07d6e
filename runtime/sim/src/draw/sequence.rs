//! The message-sequence diagram: a line for each node, time downwards, messages from line to line.

mod legend;
mod operations;
mod room;
mod strokes;

use super::Picture;
use super::clock::Clock;
use super::kind::{Family, is_answer};
use super::markup::{Markup, Px};
use super::scene::{Flight, NODES_MAX, Scene};
use super::words::{instant, length, lines, several, short};
use operations::Operations;
use room::Room;
use strokes::{arrow, cross, itself};

/// Where the lines of the nodes begin; to the left are times.
const LEFT: f64 = 78.0;
/// Room above and below for names.
const HEAD: f64 = 50.0;
const FOOT: f64 = 26.0;
/// Between two lines.
const NEAR: f64 = 92.0;
const FAR: f64 = 196.0;
/// What lines share if they are few.
const WIDTH: f64 = 1000.0;
/// Width of a configuration on a line.
const STRIPE: f64 = 4.0;

/// Violations whose text is in the picture, at most; of all there is a line.
const VIOLATIONS_MAX: usize = 4;

/// Names of configurations have so many colours in turn.
pub(super) const COLOURS: u64 = 6;

/// A picture as it is drawn.
struct Diagram<'a> {
    scene: &'a Scene<'a>,
    clock: Clock,
    spacing: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The picture of a scene.
pub(super) fn draw(scene: &Scene<'_>) -> Picture {
    let lanes = scene.nodes.len().max(1) as f64;
    let spacing = (WIDTH / lanes).clamp(NEAR, FAR);
    let mut instants: Vec<u64> = scene.instants().collect();
    instants.sort_unstable();
    instants.dedup();
    // What is written beside the last line needs as much room as it would have between lines that are far apart.
    let right = LEFT + spacing * lanes + (FAR - spacing) / 2.0;
    let mut inside = Markup::new();
    let top = legend::draw(&mut inside, scene, right) + HEAD;
    let tall = (instants.len() as f64 * 6.5).clamp(180.0, 2300.0);
    let bottom = top + tall;
    let clock = Clock::new(instants, top, bottom);
    let diagram = Diagram { scene, clock, spacing, right, top, bottom };
    let mut y = diagram.draw(&mut inside) + FOOT + 14.0;
    for note in &scene.left_out {
        inside.label("small", (0.0, y), &format!("{note}."));
        y += 15.0;
    }
    let title = format!(
        "{} from {} to {}",
        several(scene.messages.len(), "message", "messages"),
        instant(scene.story.from),
        instant(scene.story.until)
    );
    let about = "Nodes side by side, time downwards; an arrow is a message, its slope the time that it took.".to_owned();
    Picture { title, about, width: right, height: y, inside }
}

impl Diagram<'_> {
    /// Draws it all; says where the lines end.
    fn draw(&self, out: &mut Markup) -> f64 {
        let mut room = Room::new();
        self.bands(out);
        self.axis(out);
        self.lines(out);
        let operations = Operations::of(self.scene);
        self.messages(out, &mut room);
        operations.draw(
            out,
            &self.clock,
            &mut room,
            |node| self.x(node),
            self.spacing,
            self.slots(),
        );
        self.marks(out, &mut room);
        self.names(out, self.top - 18.0);
        let bottom = self.violations(out);
        self.names(out, bottom + FOOT - 6.0);
        bottom
    }

    /// Where the line of a node is.
    fn x(&self, node: usize) -> f64 {
        LEFT + (node as f64 + 0.5) * self.spacing
    }

    /// Half the width that configurations take on a line.
    fn slots(&self) -> f64 {
        self.scene.story.slots() as f64 * STRIPE / 2.0
    }

    /// Partitions and the like, and idle stretches.
    fn bands(&self, out: &mut Markup) {
        for band in &self.scene.story.bands {
            let (from, until) = (self.clock.at(band.from), self.clock.at(band.until));
            let title =
                format!("{} from {} to {}", band.what, instant(band.from), instant(band.until));
            out.area("band", (LEFT, from), (self.right - LEFT, until - from), &title);
        }
        let mut free = f64::NEG_INFINITY;
        for (at, what) in &self.scene.story.notes {
            let y = self.clock.at(*at);
            out.line("band-line", (LEFT, y), (self.right, y));
            // Each below the one before.
            free = free.max(y) + 11.0;
            if free < self.bottom {
                let words = short(what, ((self.right - LEFT) / 6.0) as usize);
                out.label("small end", (self.right - 4.0, free), &words);
            }
        }
        for idle in self.clock.idle() {
            let zigzag: Vec<String> = (0..)
                .map(|step| {
                    (LEFT + f64::from(step) * 8.0, idle.start + 10.0 + f64::from(step % 2) * 5.0)
                })
                .take_while(|(x, _)| *x <= self.right)
                .map(|(x, y)| format!("{},{}", Px(x), Px(y)))
                .collect();
            out.void("polyline", &[("class", &"idle"), ("points", &zigzag.join(" "))]);
            let words = format!("{} idle", length(idle.until - idle.from));
            out.label("small end", (LEFT - 8.0, idle.start + 16.0), &words);
        }
    }

    fn axis(&self, out: &mut Markup) {
        let idle: Vec<_> = self.clock.idle().collect();
        for (tick, y) in self.clock.ticks(52.0) {
            out.line("grid", (LEFT - 4.0, y), (self.right, y));
            // Not where the length of a shortened stretch is written.
            if idle.iter().all(|idle| (y - (idle.start + 12.0)).abs() > 11.0) {
                out.label("tick end", (LEFT - 8.0, y + 3.5), &instant(tick));
            }
        }
    }

    fn names(&self, out: &mut Markup, y: f64) {
        for (place, node) in self.scene.nodes.iter().enumerate() {
            let x = self.x(place);
            out.area("head", (x - 26.0, y - 14.0), (52.0, 20.0), &node.to_string());
            out.label("name middle", (x, y), &short(&node.to_string(), 8));
        }
    }

    /// The lines, with the configurations that are active, and where the node did not run.
    fn lines(&self, out: &mut Markup) {
        let slots = self.scene.story.slots();
        for (place, node) in self.scene.nodes.iter().enumerate() {
            let x = self.x(place);
            out.line("lifeline", (x, self.top - 12.0), (x, self.bottom + 6.0));
            let Some(life) = self.scene.story.lives.get(node) else { continue };
            for active in &life.configurations {
                let slot = (active.index % slots) as f64;
                let (from, until) = (self.clock.at(active.from), self.clock.at(active.until));
                let ending = if active.is_removed { "removed" } else { "still active" };
                let title = format!(
                    "{node}: {} active from {} on, {ending} at {}",
                    active.name,
                    instant(active.from),
                    instant(active.until)
                );
                let class = format!("c{}", active.index % COLOURS);
                out.area(
                    &class,
                    (x - self.slots() + slot * STRIPE, from),
                    (STRIPE, until - from),
                    &title,
                );
            }
            for stop in &life.breaks {
                let (from, until) = (self.clock.at(stop.from), self.clock.at(stop.until));
                let half = self.slots() + 3.0;
                let title = format!(
                    "{node}: {} from {} to {}",
                    stop.what,
                    instant(stop.from),
                    instant(stop.until)
                );
                out.area("away", (x - half, from), (2.0 * half, until - from), &title);
                out.line("broken", (x, from), (x, until));
                for end in [from, until] {
                    out.line("bad-line", (x - half - 3.0, end), (x + half + 3.0, end));
                }
            }
        }
    }

    fn messages(&self, out: &mut Markup, room: &mut Room) {
        let usual = usual(&self.scene.messages);
        for place in 0..NODES_MAX {
            let half = self.slots() + 2.0;
            room.take((self.x(place) - half, self.top), (2.0 * half, self.bottom - self.top));
        }
        let mut spoken: Option<(u64, usize, &str)> = None;
        for message in &self.scene.messages {
            let shape = self.shape(message, usual);
            out.within("g", &[], |out| {
                out.leaf("title", &[], &self.title(message));
                let family = Family::of(message.kind).class();
                let answer = if is_answer(message.kind) { " answer" } else { "" };
                match message.arrived {
                    Some(_) if message.from == message.to => itself(out, family, shape),
                    Some(_) => arrow(out, &format!("message {family}{answer}"), shape.0, shape.1),
                    None => {
                        out.line(&format!("message lost {family}{answer}"), shape.0, shape.1);
                        cross(out, shape.1);
                    }
                }
            });
            // Who says the same to several at once is quoted once.
            let says = (message.at, message.from, message.kind);
            if spoken != Some(says)
                && room.place_along(out, shape, message.kind, Family::of(message.kind).class())
            {
                spoken = Some(says);
            }
        }
    }

    /// From where to where an arrow goes. One that is lost ends on its way, about as late as others arrive.
    fn shape(&self, message: &Flight<'_>, usual: u64) -> ((f64, f64), (f64, f64)) {
        let side = if message.to < message.from { -1.0 } else { 1.0 };
        let (from, to) = (self.x(message.from), self.x(message.to));
        let start = (from + side * self.slots(), self.clock.at(message.at));
        match message.arrived {
            Some(arrived) => (start, (to - side * (self.slots() + 1.0), self.clock.at(arrived))),
            None => {
                let (x, y) =
                    (to - side * self.slots(), self.clock.at(message.at.saturating_add(usual)));
                (start, (start.0 + 0.62 * (x - start.0), start.1 + 0.62 * (y - start.1)))
            }
        }
    }

    fn title(&self, message: &Flight<'_>) -> String {
        let [from, to] = [message.from, message.to].map(|place| self.scene.nodes[place]);
        let came = match message.arrived {
            Some(arrived) => {
                let took = length(arrived - message.at);
                format!("sent at {}, came at {} ({took})", instant(message.at), instant(arrived))
            }
            None => format!("sent at {}, never came", instant(message.at)),
        };
        format!("{from} → {to}: {} {}\n{came}", short(message.kind, 40), short(message.detail, 300))
    }

    /// What was done to nodes, beside their lines.
    fn marks(&self, out: &mut Markup, room: &mut Room) {
        for (place, node) in self.scene.nodes.iter().enumerate() {
            let Some(life) = self.scene.story.lives.get(node) else { continue };
            let x = self.x(place) + self.slots() + 5.0;
            let marks = life.marks.iter().map(|(at, what)| (*at, what.as_str()));
            for (when, what) in
                marks.chain(life.breaks.iter().map(|stop| (stop.from, stop.what.as_str())))
            {
                let y = self.clock.at(when);
                let words = short(what, (self.spacing / 7.0) as usize);
                room.place(out, "bad small", (x, y + 10.0), &words, &instant(when));
            }
        }
    }

    /// What checks said, each below its instant; says where the last one ends.
    fn violations(&self, out: &mut Markup) -> f64 {
        let mut free = self.top;
        let wide = self.right - LEFT;
        for (number, (at, what)) in self.scene.story.violations.iter().enumerate() {
            let y = self.clock.at(*at);
            out.line("bad-line", (LEFT - 6.0, y), (self.right, y));
            if number >= VIOLATIONS_MAX {
                continue;
            }
            let lines = lines(what, (wide / 6.6) as usize, 3);
            let (start, tall) = (free.max(y), lines.len() as f64 * 15.0 + 9.0);
            out.area(
                "bad-box",
                (LEFT, start),
                (wide, tall),
                &format!("at {}: {what}", instant(*at)),
            );
            for (line, words) in lines.iter().enumerate() {
                out.label("bad strong", (LEFT + 8.0, start + 16.0 + line as f64 * 15.0), words);
            }
            free = start + tall + 2.0;
        }
        free.max(self.bottom)
    }
}

/// The time that messages take: in the middle of all that came.
fn usual(messages: &[Flight<'_>]) -> u64 {
    let mut took: Vec<u64> =
        messages.iter().filter_map(|message| Some(message.arrived? - message.at)).collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or(0)
}
