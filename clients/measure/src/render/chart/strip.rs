//! One row, round by round: does it drift, and which rounds do not count?

use super::{Caption, Scale, label, rule, svg};
use crate::render::markup::{Markup, Px};
use crate::render::units::{Measure, percent};
use crate::render::words::clean;
use crate::report::{Estimate, Round};

const WIDTH: f64 = 230.0;
const LEFT: f64 = 6.0;
const RIGHT: f64 = 224.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 56.0;

/// Where the canary sits, and how high it rises for [`CANARY_FULL`].
const CANARY: f64 = 78.0;
const CANARY_HEIGHT: f64 = 16.0;
const CANARY_FULL: f64 = 0.25;

/// A canary slower than this is told by its colour: 5 %.
const CANARY_MAX: f64 = 1.05;

/// More rounds than this are not drawn one by one.
const ROUNDS_MAX: usize = 200;

/// Dots for rounds, hollow where they do not count; a band for the interval; the canary below.
pub(crate) fn strip(
    caption: &Caption,
    measure: Measure,
    estimate: Option<Estimate>,
    rounds: &[Round],
) -> Option<Markup> {
    let shown = &rounds[..rounds.len().min(ROUNDS_MAX)];
    let band = estimate.map_or([f64::NAN; 3], |figure| [figure.value, figure.low, figure.high]);
    let medians = shown.iter().map(|round| round.median);
    let y = Scale::around(medians.chain(band), BOTTOM, TOP)?;
    let step = (RIGHT - LEFT) / shown.len() as f64;
    let markup = svg(caption, "strip", (WIDTH, CANARY + 4.0), |markup| {
        if let Some(estimate) = estimate {
            let [low, high] = [estimate.low, estimate.high].map(|end| y.at(end));
            let tall = Px((low - high).max(1.0));
            markup.void(
                "rect",
                &[
                    ("class", &"band"),
                    ("x", &Px(LEFT)),
                    ("y", &Px(high)),
                    ("width", &Px(RIGHT - LEFT)),
                    ("height", &tall),
                ],
            );
            rule(markup, "axis", (LEFT, y.at(estimate.value)), (RIGHT, y.at(estimate.value)));
        }
        for (round, number) in shown.iter().zip(0_u32..) {
            let x = LEFT + (f64::from(number) + 0.5) * step;
            dot(markup, measure, round, number + 1, (x, y.at(round.median)));
            canary(markup, round, x, step);
        }
        if rounds.len() > shown.len() {
            let more = format!("and {} more", rounds.len() - shown.len());
            label(markup, "tick end", (RIGHT, TOP + 6.0), &more);
        }
    });
    Some(markup)
}

fn dot(markup: &mut Markup, measure: Measure, round: &Round, number: u32, (x, y): (f64, f64)) {
    let told = format!("round {number}: {}", measure.show(round.median));
    let (class, title) = match &round.invalid {
        Some(reason) => ("round invalid", format!("{told}; does not count: {}", clean(reason))),
        None => ("round", told),
    };
    let place: crate::render::markup::Attributes<'_> =
        &[("class", &class), ("cx", &Px(x)), ("cy", &Px(y)), ("r", &"2.8")];
    markup.within("circle", place, |markup| markup.leaf("title", &[], &title));
}

fn canary(markup: &mut Markup, round: &Round, x: f64, step: f64) {
    let over = (round.canary - 1.0).clamp(0.0, CANARY_FULL);
    let height = if over.is_finite() { 1.5 + over / CANARY_FULL * CANARY_HEIGHT } else { 1.5 };
    let class = if round.canary > CANARY_MAX { "canary over" } else { "canary" };
    let wide = (step * 0.6).min(10.0);
    let place: crate::render::markup::Attributes<'_> = &[
        ("class", &class),
        ("x", &Px(x - wide / 2.0)),
        ("y", &Px(CANARY - height)),
        ("width", &Px(wide)),
        ("height", &Px(height)),
    ];
    let title = format!("canary {} slower than its best", percent(round.canary - 1.0));
    markup.within("rect", place, |markup| markup.leaf("title", &[], &title));
}
