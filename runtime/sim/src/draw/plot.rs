//! Curves over logarithmic axes: what grows how with the number of nodes.

use super::Picture;
use super::markup::{Attributes, Markup, Px};

/// A picture with curves. What is not above zero has no place on a logarithmic axis and is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Above the picture.
    pub title: String,
    /// Under the horizontal axis.
    pub x: String,
    /// Above the vertical axis, with its unit.
    pub y: String,
    /// At most 6; more are not drawn.
    pub series: Vec<Series>,
}

/// A curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// Curves of one group have one colour and one mark; all but the first of them are dashed.
    pub group: usize,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 520.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 500.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 280.0;
const LEGEND: f64 = 18.0;
const SERIES_MAX: usize = 6;

/// Colours.
const GROUPS: usize = 3;

/// A logarithmic axis: figures at its ends, and where these lie.
struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// Around all of these, with a little air.
    fn around(figures: impl Iterator<Item = f64>, start: f64, end: f64) -> Option<Self> {
        let figures = figures.filter(|&figure| is_drawn(figure));
        let (low, high) = figures.fold(None, |range, figure| match range {
            None => Some((figure, figure)),
            Some((low, high)) => Some((figure.min(low), figure.max(high))),
        })?;
        Some(Self { low: low / 1.25, high: high * 1.25, start, end })
    }

    fn at(&self, figure: f64) -> f64 {
        let share = (figure / self.low).ln() / (self.high / self.low).ln();
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Powers of ten, and what lies between them where there are few.
    fn ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = match decades {
            few if few < 1.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
            some if some < 2.5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let every = (decades / 8.0).ceil().max(1.0) as i32;
        let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let powers = powers.filter(|power| power.rem_euclid(every) == 0);
        let ticks =
            powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        ticks.filter(|tick| (self.low..=self.high).contains(tick)).collect()
    }
}

fn is_drawn(figure: f64) -> bool {
    (1e-12..1e15).contains(&figure)
}

impl Plot {
    /// Nothing, where there is no point.
    pub(super) fn draw(&self) -> Option<Picture> {
        let series = &self.series[..self.series.len().min(SERIES_MAX)];
        let points = || {
            let all = series.iter().flat_map(|series| &series.points);
            all.filter(|(x, y)| is_drawn(*x) && is_drawn(*y))
        };
        let x = Axis::around(points().map(|(x, _)| *x), LEFT, RIGHT)?;
        let y = Axis::around(points().map(|(_, y)| *y), BOTTOM, TOP)?;
        let mut out = Markup::new();
        out.label("axis-name", (0.0, 14.0), &self.y);
        for tick in y.ticks() {
            out.line("grid", (LEFT, y.at(tick)), (RIGHT, y.at(tick)));
            out.label("tick end", (LEFT - 6.0, y.at(tick) + 4.0), &figure(tick));
        }
        // Where there are figures, there are ticks.
        let mut sizes: Vec<f64> = points().map(|(x, _)| *x).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        let mut last = f64::NEG_INFINITY;
        for size in sizes {
            out.line("grid", (x.at(size), BOTTOM), (x.at(size), BOTTOM + 4.0));
            if x.at(size) - last > 34.0 {
                out.label("tick middle", (x.at(size), BOTTOM + 17.0), &figure(size));
                last = x.at(size);
            }
        }
        out.line("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
        out.label("axis-name end", (RIGHT, BOTTOM + 34.0), &self.x);
        let mut legend = BOTTOM + 50.0;
        for (number, one) in series.iter().enumerate() {
            let is_second = series[..number].iter().any(|other| other.group == one.group);
            let group = one.group % GROUPS;
            let class = format!("curve s{group}{}", if is_second { " second" } else { "" });
            let drawn = one.points.iter().filter(|(px, py)| is_drawn(*px) && is_drawn(*py));
            let places: Vec<_> = drawn.clone().map(|&(px, py)| (x.at(px), y.at(py))).collect();
            let corners: Vec<String> =
                places.iter().map(|(x, y)| format!("{},{}", Px(*x), Px(*y))).collect();
            out.void("polyline", &[("class", &class), ("points", &corners.join(" "))]);
            for (&place, (px, py)) in places.iter().zip(drawn) {
                let title = format!("{}: {} at {}", one.name, figure(*py), figure(*px));
                mark(&mut out, group, place, &title);
            }
            out.line(&class, (LEFT, legend), (LEFT + 30.0, legend));
            mark(&mut out, group, (LEFT + 15.0, legend), &one.name);
            let name = super::words::short(&one.name, 60);
            out.label("legend", (LEFT + 38.0, legend + 4.0), &name);
            legend += LEGEND;
        }
        let about = format!("{} against {}, both axes logarithmic.", self.y, self.x);
        Some(Picture {
            title: self.title.clone(),
            about,
            width: WIDTH,
            height: legend,
            inside: out,
        })
    }
}

/// A curve is told by its mark as well as by its colour.
fn mark(out: &mut Markup, group: usize, (x, y): (f64, f64), title: &str) {
    let class = format!("point s{group}");
    let corners = |corners: &[(f64, f64)]| {
        let corners = corners.iter().map(|(dx, dy)| format!("{},{}", Px(x + dx), Px(y + dy)));
        corners.collect::<Vec<_>>().join(" ")
    };
    let points = match group % 3 {
        0 => {
            let place: Attributes<'_> =
                &[("class", &class), ("cx", &Px(x)), ("cy", &Px(y)), ("r", &"3.8")];
            return out.titled("circle", place, title);
        }
        1 => corners(&[(-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)]),
        _ => corners(&[(0.0, -4.8), (4.4, 3.4), (-4.4, 3.4)]),
    };
    out.titled("polygon", &[("class", &class), ("points", &points)], title);
}

/// Three digits or so.
fn figure(figure: f64) -> String {
    match figure {
        large if large >= 1e4 => format!("{large:.0}"),
        some if some >= 100.0 => format!("{some:.0}"),
        few => {
            let text = format!("{few:.2}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        let series = vec![Series { name: "<majority>".to_owned(), group: 0, points }];
        Plot { title: "t".to_owned(), x: "nodes".to_owned(), y: "messages".to_owned(), series }
    }

    #[test]
    fn equal_factors_are_equal_distances() {
        let axis = Axis { low: 1.0, high: 1000.0, start: 0.0, end: 300.0 };
        let places = [1.0, 10.0, 100.0, 1000.0].map(|figure| axis.at(figure).round());
        assert_eq!(places, [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(axis.ticks(), [1.0, 10.0, 100.0, 1000.0]);
    }

    #[test]
    fn what_has_no_place_on_the_axes_is_left_out() {
        let drawn = |points| plot(points).draw().map(|picture| picture.inside.into_text());
        assert_eq!(drawn(vec![(0.0, 1.0), (3.0, f64::NAN), (f64::INFINITY, 2.0)]), None);
        let text = drawn(vec![(10.0, 0.0), (100.0, 7.0)]).unwrap();
        assert_eq!(text.matches("<circle").count(), 2, "one point and the legend");
        assert!(text.contains("&lt;majority&gt;: 7 at 100") && !text.contains("NaN"), "{text}");
    }
}
