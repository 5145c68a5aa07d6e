//! Curves with marks, whiskers and a legend.

use super::{Caption, Scale, below, label, mark, rule, svg};
use crate::Unit;
use crate::render::markup::{Markup, Px};
use crate::report::Estimate;

/// One curve.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// How many of its unit come before it: later ones are thinner, their marks hollow.
    pub(crate) rank: usize,
    /// Whether its points are marked, or only joined.
    pub(crate) has_marks: bool,
    pub(crate) points: Vec<(f64, Estimate)>,
}

/// How an axis is scaled and what is written beside it.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) name: &'static str,
    pub(crate) scale: Scale,
    pub(crate) ticks: Vec<(f64, String)>,
}

/// A picture with curves.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    pub(crate) caption: Caption,
    pub(crate) series: Vec<Series>,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// Upright lines with a word each.
    pub(crate) marks: Vec<(f64, String)>,
}

/// The area that curves are drawn in: `x` from left to right, `y` from bottom to top.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
    pub(crate) top: f64,
}

const LEGEND: f64 = 18.0;

impl Lines {
    /// A small picture: several stand side by side, or one fills a narrow page.
    pub(crate) const SMALL: Area = Area { left: 54.0, right: 340.0, bottom: 218.0, top: 32.0 };
    const WIDTH: f64 = 350.0;

    /// Under its name, with the legend below.
    pub(crate) fn draw(&self) -> Markup {
        let Area { left, right, bottom, top } = Self::SMALL;
        let legend = bottom + 44.0;
        let height = legend + LEGEND * self.series.len() as f64;
        let picture = svg(&self.caption, "small", (Self::WIDTH, height), |markup| {
            for (tick, text) in &self.y.ticks {
                let y = self.y.scale.at(*tick);
                rule(markup, "grid", (left, y), (right, y));
                label(markup, "tick end", (left - 6.0, y + 4.0), text);
            }
            for (tick, text) in &self.x.ticks {
                let x = self.x.scale.at(*tick);
                rule(markup, "grid", (x, bottom), (x, bottom + 4.0));
                label(markup, "tick middle", (x, bottom + 16.0), text);
            }
            rule(markup, "axis", (left, bottom), (right, bottom));
            label(markup, "axis-name", (0.0, 10.0), self.y.name);
            label(markup, "axis-name end", (right, bottom + 31.0), self.x.name);
            for (place, name) in &self.marks {
                let x = self.x.scale.at(*place);
                rule(markup, "limit", (x, top), (x, bottom));
                label(markup, "tick middle", (x, top - 5.0), name);
            }
            for (series, at) in self.series.iter().zip(0_u32..) {
                self.draw_series(markup, series);
                let y = legend + LEGEND * f64::from(at);
                rule(markup, &series.class(), (left, y), (left + 28.0, y));
                if series.has_marks {
                    series.mark(markup, (left + 14.0, y), &series.name);
                }
                label(markup, "name", (left + 36.0, y + 4.0), &series.name);
            }
        });
        let mut figure = Markup::new();
        figure.leaf("figcaption", &[("class", &"picture-name")], &self.caption.title);
        figure.append(&picture);
        figure
    }

    fn draw_series(&self, markup: &mut Markup, series: &Series) {
        let place = |(x, estimate): &(f64, Estimate)| {
            (self.x.scale.at(*x), self.y.scale.at(estimate.value))
        };
        let places: Vec<String> =
            series.points.iter().map(place).map(|(x, y)| format!("{},{}", Px(x), Px(y))).collect();
        let class = series.class();
        markup.void("polyline", &[("class", &class), ("points", &places.join(" "))]);
        if !series.has_marks {
            return;
        }
        for point in &series.points {
            let (x, y) = place(point);
            let (_, estimate) = point;
            let [low, high] = [estimate.low, estimate.high].map(|end| self.y.scale.at(end));
            rule(markup, "whisker", (x, low), (x, high));
            if self.y.scale.is_below(estimate.value) {
                below(markup, series.unit, (x, y), &format!("{}: below the scale", series.name));
            } else {
                series.mark(markup, (x, y), &series.name);
            }
        }
    }
}

impl Series {
    fn class(&self) -> String {
        let weight = match self.rank {
            0 => "",
            1 => " second",
            _ => " third",
        };
        format!("line {}{weight}", self.unit.name())
    }

    fn mark(&self, markup: &mut Markup, place: (f64, f64), title: &str) {
        mark(markup, self.unit, if self.rank > 0 { "hollow" } else { "" }, place, title);
    }
}
