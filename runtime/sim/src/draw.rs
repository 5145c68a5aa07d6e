//! A recorded run as pictures: who sent what to whom, which configurations were active where, which tag was held when.
//!
//! | file | what |
//! |---|---|
//! | `window.rs` | [`Window`]: which part of a long run is worth a picture |
//! | `story.rs` | what happened as stretches of time: configurations, standstills, partitions |
//! | `clock.rs` | from the run's own time to a place, idle stretches shortened |
//! | `scene.rs`, `kind.rs` | what a picture has room for; colours of messages |
//! | `sequence.rs`, `configurations.rs`, `tags.rs` | the three pictures |
//! | `plot.rs` | [`Plot`]: curves over logarithmic axes |
//! | `usage.rs` | [`Usage`]: what clients saw of a real run |
//! | `page.rs` | one page that stands by itself |
//! | `markup.rs`, `words.rs` | elements that always end, text that stays in its place |
//!
//! Nothing here can run or be loaded: no script, no address. The same trace gives the same picture, byte for byte. A trace
//! may come from anywhere, so every text in it is foreign.

mod clock;
mod configurations;
mod kind;
mod markup;
mod page;
mod plot;
mod scene;
mod sequence;
mod story;
mod tags;
#[cfg(test)]
mod tests;
mod usage;
mod window;
mod words;

pub use page::{Real, Subject, page, plots_page, usage_page};
pub use plot::{Plot, Series};
pub use usage::{Row, Usage};
pub use window::{EVENTS_MAX, MESSAGES_MAX, Window};

use crate::Trace;
use markup::{Markup, Px};

/// Colours and strokes of every picture, for light, dark and paper.
const PICTURE_STYLE: &str = include_str!("draw/picture.css");

/// A message-sequence diagram of a window as a file of its own: SVG with its style inside.
///
/// Nodes stand side by side and time runs downwards, true to scale but for idle stretches, which are shortened and marked.
/// At most [`MESSAGES_MAX`] messages between at most 12 nodes are drawn; what is left out is said.
#[must_use]
pub fn svg(trace: &Trace, window: &Window) -> String {
    let picture = sequence::draw(&scene::Scene::of(trace, window));
    let mut svg = Markup::new();
    let (width, height) = (picture.width + 32.0, picture.height + 32.0);
    let area = format!("-16 -16 {} {}", Px(width), Px(height));
    let attributes: markup::Attributes<'_> = &[
        ("xmlns", &"http://www.w3.org/2000/svg"),
        ("viewBox", &area),
        ("width", &Px(width)),
        ("height", &Px(height)),
        ("role", &"img"),
    ];
    svg.within("svg", attributes, |svg| {
        svg.leaf("title", &[], &picture.title);
        svg.leaf("desc", &[], &picture.about);
        svg.within("style", &[], |svg| svg.ours(PICTURE_STYLE));
        let all: markup::Attributes<'_> = &[
            ("class", &"paper"),
            ("x", &"-16"),
            ("y", &"-16"),
            ("width", &Px(width)),
            ("height", &Px(height)),
        ];
        svg.void("rect", all);
        svg.append(&picture.inside);
    });
    svg.into_text()
}

/// What is inside a picture, and what it is called.
struct Picture {
    title: String,
    about: String,
    width: f64,
    height: f64,
    inside: Markup,
}

impl Picture {
    /// As a part of a page.
    fn figure(&self, page: &mut Markup) {
        let area = format!("0 0 {} {}", Px(self.width), Px(self.height));
        let wide = format!("max-width:{}px", Px(self.width));
        let attributes: markup::Attributes<'_> =
            &[("viewBox", &area), ("role", &"img"), ("style", &wide)];
        page.within("figure", &[], |page| {
            page.within("svg", attributes, |page| {
                page.leaf("title", &[], &self.title);
                page.leaf("desc", &[], &self.about);
                page.append(&self.inside);
            });
        });
    }
}
