//! Arrows and crosses.

use crate::draw::markup::{Attributes, Markup, Px};

/// A line with a head at its end, which is part of it: nothing is referred to.
pub(super) fn arrow(out: &mut Markup, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let long = dx.hypot(dy).max(1e-6);
    let (ux, uy) = (dx / long, dy / long);
    let corner = |side: f64| (x2 - 6.5 * ux - side * 2.8 * uy, y2 - 6.5 * uy + side * 2.8 * ux);
    let ((ax, ay), (bx, by)) = (corner(1.0), corner(-1.0));
    let path = format!(
        "M{} {}L{} {}M{} {}L{} {}L{} {}z",
        Px(x1),
        Px(y1),
        Px(x2 - 4.0 * ux),
        Px(y2 - 4.0 * uy),
        Px(x2),
        Px(y2),
        Px(ax),
        Px(ay),
        Px(bx),
        Px(by)
    );
    out.void("path", &[("class", &class), ("d", &path)]);
}

/// A message to oneself.
pub(super) fn itself(out: &mut Markup, family: &str, ((x, y), (_, end)): ((f64, f64), (f64, f64))) {
    let path = format!("M{} {}c14 0 14 {} 0 {}", Px(x), Px(y), Px(end - y), Px(end - y));
    out.void("path", &[("class", &format!("message loop {family}")), ("d", &path)]);
}

/// Where it was lost.
pub(super) fn cross(out: &mut Markup, (x, y): (f64, f64)) {
    let path = format!("M{} {}l7 7m0 -7l-7 7", Px(x - 3.5), Px(y - 3.5));
    out.void(
        "path",
        &[("class", &"cross" as &dyn std::fmt::Display), ("d", &path)] as Attributes<'_>,
    );
}
