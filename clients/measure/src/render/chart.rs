//! What pictures are drawn with: scales, axes, marks. A picture is drawn twice, for a wide page and for a narrow one.

mod bars;
mod lines;
mod scale;
mod strip;

pub(crate) use bars::{Bar, bars, short};
pub(crate) use lines::{Axis, Lines, Series};
pub(crate) use scale::Scale;
pub(crate) use strip::strip;

use super::markup::{Markup, Px};
use crate::Unit;

/// Width of a picture on a wide page and on a narrow one, in its own units; a unit is about a pixel.
pub(crate) const WIDE: f64 = 720.0;
/// See [`WIDE`].
pub(crate) const NARROW: f64 = 350.0;

/// What a picture is called, and what it shows, for those who do not see it.
#[derive(Clone, Debug)]
pub(crate) struct Caption {
    pub(crate) title: String,
    pub(crate) about: String,
}

impl Caption {
    pub(crate) fn new(title: impl Into<String>, about: impl Into<String>) -> Self {
        Self { title: title.into(), about: about.into() }
    }
}

/// One picture with its names.
pub(crate) fn svg(
    caption: &Caption,
    class: &str,
    (width, height): (f64, f64),
    draw: impl FnOnce(&mut Markup),
) -> Markup {
    let mut markup = Markup::new();
    let area = format!("0 0 {} {}", Px(width), Px(height));
    let attributes: super::markup::Attributes<'_> =
        &[("class", &class), ("viewBox", &area), ("role", &"img")];
    markup.within("svg", attributes, |markup| {
        markup.leaf("title", &[], &caption.title);
        markup.leaf("desc", &[], &caption.about);
        draw(markup);
    });
    markup
}

/// A straight line.
pub(crate) fn rule(markup: &mut Markup, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    markup.void(
        "line",
        &[("class", &class), ("x1", &Px(x1)), ("y1", &Px(y1)), ("x2", &Px(x2)), ("y2", &Px(y2))],
    );
}

/// Words in a picture; the class says how they are aligned.
pub(crate) fn label(markup: &mut Markup, class: &str, (x, y): (f64, f64), text: &str) {
    markup.leaf("text", &[("class", &class), ("x", &Px(x)), ("y", &Px(y))], text);
}

/// What lies below the scale: a hollow mark that points downwards, at its foot.
pub(crate) fn below(markup: &mut Markup, unit: Unit, (x, y): (f64, f64), title: &str) {
    let corners = format!(
        "{},{} {},{} {},{}",
        Px(x - 4.5),
        Px(y - 5.0),
        Px(x + 4.5),
        Px(y - 5.0),
        Px(x),
        Px(y + 3.0)
    );
    let class = format!("mark {} below", unit.name());
    markup.within("polygon", &[("class", &class), ("points", &corners)], |markup| {
        markup.leaf("title", &[], title);
    });
}

/// The mark of a unit, which is told by its shape as well as by its colour.
pub(crate) fn mark(markup: &mut Markup, unit: Unit, class: &str, (x, y): (f64, f64), title: &str) {
    const R: f64 = 3.6;
    let polygon = |corners: &[(f64, f64)]| {
        let corners = corners.iter().map(|(dx, dy)| format!("{},{}", Px(x + dx), Px(y + dy)));
        corners.collect::<Vec<_>>().join(" ")
    };
    let class = format!("mark {} {class}", unit.name());
    let corners = match unit {
        Unit::Fiber => {
            let place: super::markup::Attributes<'_> =
                &[("class", &class), ("cx", &Px(x)), ("cy", &Px(y)), ("r", &Px(R))];
            return markup.within("circle", place, |markup| markup.leaf("title", &[], title));
        }
        Unit::Inline => polygon(&[(-R, 0.0), (R, 0.0), (0.0, R + 1.0)]),
        Unit::Task => polygon(&[(0.0, -R - 1.0), (R + 1.0, 0.0), (0.0, R + 1.0), (-R - 1.0, 0.0)]),
        Unit::Thread => polygon(&[(-R, -R), (R, -R), (R, R), (-R, R)]),
        Unit::Process => polygon(&[(0.0, -R - 1.0), (R + 0.5, R), (-R - 0.5, R)]),
    };
    markup.within("polygon", &[("class", &class), ("points", &corners)], |markup| {
        markup.leaf("title", &[], title);
    });
}
