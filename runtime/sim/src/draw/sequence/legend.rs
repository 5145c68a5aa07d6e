//! What the colours of a sequence diagram mean: only those that it has.

use std::collections::BTreeMap;

use super::COLOURS;
use super::strokes::{arrow, cross};
use crate::draw::kind::Family;
use crate::draw::markup::Markup;
use crate::draw::scene::Scene;
use crate::draw::words::short;

/// Width of a letter and height of a row.
const LETTER: f64 = 6.1;
const ROW: f64 = 18.0;

/// Rows of entries, as wide as the picture.
struct Rows<'a> {
    out: &'a mut Markup,
    right: f64,
    x: f64,
    y: f64,
}

impl Rows<'_> {
    fn entry(&mut self, width: f64, words: &str, mark: impl FnOnce(&mut Markup, (f64, f64))) {
        let taken = width + 26.0 + words.chars().count() as f64 * LETTER;
        if self.x > 0.0 && self.x + taken > self.right + 12.0 {
            (self.x, self.y) = (0.0, self.y + ROW);
        }
        mark(self.out, (self.x, self.y));
        self.out.label("legend", (self.x + width + 6.0, self.y), words);
        self.x += taken;
    }
}

/// Draws it; says how much height it takes.
pub(super) fn draw(out: &mut Markup, scene: &Scene<'_>, right: f64) -> f64 {
    let mut rows = Rows { out, right, x: 0.0, y: 12.0 };
    let has =
        |family: Family| scene.messages.iter().any(|message| Family::of(message.kind) == family);
    for family in Family::ALL.into_iter().filter(|&family| has(family)) {
        rows.entry(22.0, family.about(), |out, (x, y)| {
            arrow(out, &format!("message {}", family.class()), (x, y - 4.0), (x + 22.0, y - 4.0));
        });
    }
    if scene.messages.iter().any(|message| message.arrived.is_none()) {
        rows.entry(22.0, "lost", |out, (x, y)| {
            out.line("message lost other", (x, y - 4.0), (x + 18.0, y - 4.0));
            cross(out, (x + 18.0, y - 4.0));
        });
    }
    let lives = scene.nodes.iter().filter_map(|node| scene.story.lives.get(node));
    let names: BTreeMap<u64, &str> = lives
        .flat_map(|life| &life.configurations)
        .map(|active| (active.index, active.name.as_str()))
        .collect();
    for (index, name) in names.iter().take(COLOURS as usize) {
        rows.entry(9.0, &short(name, 28), |out, (x, y)| {
            out.area(&format!("c{}", index % COLOURS), (x, y - 9.0), (9.0, 9.0), name);
        });
    }
    rows.y
}
