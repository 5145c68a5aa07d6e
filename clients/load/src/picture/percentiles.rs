//! Times up to the rarest: every further nine of the percentile is as wide as the one before.

use std::fmt::Write;

use super::{Scale, WIDTH};
use crate::report::{Escaped, micros};

/// Of a picture with these axes.
pub(crate) const HEIGHT: f64 = 250.0;
/// The edges of what is drawn in: left, right, top, bottom.
pub(crate) const EDGES: (f64, f64, f64, f64) = (48.0, WIDTH - 26.0, 8.0, 226.0);
/// Nines of the last quantile that is no maximum; the maximum is one further.
const NINES_MAX: f64 = 4.0;
const LABELS: [(f64, &str); 6] = [
    (0.5, "50 %"),
    (0.9, "90 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
    (1.0, "max"),
];
/// The grid: round times from below, percentiles from the left.
pub(crate) fn axes(picture: &mut String, scale: Scale) {
    let (left, right, top, bottom) = EDGES;
    for value in scale.ticks() {
        let y = down(scale, value);
        let _ = writeln!(
            picture,
            "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 4.0,
            y + 3.5,
            micros(value)
        );
    }
    for (q, label) in LABELS {
        let x = across(q);
        let _ = writeln!(
            picture,
            "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>\
             <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 14.0
        );
    }
}

/// A line through times in microseconds, each behind its percentile.
pub(crate) fn curve(
    picture: &mut String,
    name: &str,
    class: &str,
    times_us: &[(f64, f64)],
    scale: Scale,
) {
    let mut points = String::new();
    for (q, us) in times_us {
        let _ = write!(points, "{:.1},{:.1} ", across(*q), down(scale, *us));
    }
    let _ = writeln!(
        picture,
        "<polyline class=\"curve {class}\" points=\"{}\"><title>{}</title></polyline>",
        points.trim_end(),
        Escaped(name)
    );
}

/// Where a percentile is, from 0 to 1.
pub(crate) fn across(q: f64) -> f64 {
    let nines = if q >= 1.0 { NINES_MAX + 1.0 } else { -(1.0 - q).log10() };
    EDGES.0 + (EDGES.1 - EDGES.0) * (nines / (NINES_MAX + 1.0)).clamp(0.0, 1.0)
}

/// Where a time is.
pub(crate) fn down(scale: Scale, us: f64) -> f64 {
    EDGES.3 - (EDGES.3 - EDGES.2) * scale.share(us)
}
