//! Bars on a logarithmic scale, each with its interval as a whisker and its figure in words.

use super::{Caption, NARROW, Scale, WIDE, label, rule, svg};
use crate::Unit;
use crate::render::markup::{Markup, Px};
use crate::render::units::Measure;
use crate::report::Estimate;

/// One bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// Bars with the same one stand together, under it; empty for none.
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) estimate: Estimate,
    /// What stands behind the figure, in columns.
    pub(crate) asides: Vec<String>,
}

/// Where things stand, which is all that differs between a wide picture and a narrow one.
struct Layout {
    width: f64,
    /// Ends of the axis.
    start: f64,
    end: f64,
    /// Height of one bar with its words.
    row: f64,
    is_narrow: bool,
}

const GROUP: f64 = 24.0;
const BAR: f64 = 11.0;
const AXIS: f64 = 26.0;

/// Bars that differ by less than this many powers of ten stand on a linear scale.
const LINEAR_MAX: f64 = 1.2;

/// Room for a word below the axis.
const WORD: f64 = 46.0;

/// From one column of words behind a bar to the next.
const COLUMN: f64 = 74.0;

/// Letters of a name that have room beside a bar.
const NAME_MAX: usize = 30;

/// The same bars for a wide page and for a narrow one; nothing of nothing.
pub(crate) fn bars(caption: &Caption, measure: Measure, bars: &[Bar]) -> Option<Markup> {
    let wide = Layout { width: WIDE, start: 186.0, end: 470.0, row: 22.0, is_narrow: false };
    let narrow = Layout { width: NARROW, start: 4.0, end: 346.0, row: 34.0, is_narrow: true };
    let mut markup = draw(caption, measure, bars, &wide)?;
    markup.append(&draw(caption, measure, bars, &narrow)?);
    Some(markup)
}

fn draw(caption: &Caption, measure: Measure, bars: &[Bar], layout: &Layout) -> Option<Markup> {
    let ends = |bar: &Bar| [bar.estimate.value, bar.estimate.low, bar.estimate.high];
    let figures = || bars.iter().flat_map(ends);
    let log = Scale::log(figures(), layout.start, layout.end)?;
    // The length of a bar on a logarithmic scale means little; it is worth that only where there is no other way.
    let scale = if log.decades() < LINEAR_MAX {
        Scale::from_zero(figures(), layout.start, layout.end)?
    } else {
        log
    };
    let mut groups: Vec<&str> = Vec::new();
    for bar in bars {
        if groups.last() != Some(&bar.group.as_str()) {
            groups.push(&bar.group);
        }
    }
    let headed = groups.iter().filter(|group| !group.is_empty()).count();
    let height = headed as f64 * GROUP + bars.len() as f64 * layout.row + AXIS;
    let class = if layout.is_narrow { "narrow" } else { "wide" };
    Some(svg(caption, class, (layout.width, height), |markup| {
        let bottom = height - AXIS;
        axis(markup, &scale, measure, bottom, layout);
        let mut y = 0.0;
        let mut group = "";
        for bar in bars {
            if group != bar.group {
                group = &bar.group;
                y += GROUP;
                label(markup, "group", (0.0, y - 7.0), group);
            }
            draw_bar(markup, bar, measure, &scale, y, layout);
            y += layout.row;
        }
    }))
}

fn axis(markup: &mut Markup, scale: &Scale, measure: Measure, bottom: f64, layout: &Layout) {
    let ticks = if measure == Measure::Bytes { scale.binary_ticks() } else { scale.ticks() };
    let mut last = f64::NEG_INFINITY;
    for tick in ticks {
        let x = scale.at(tick);
        rule(markup, "grid", (x, 0.0), (x, bottom));
        let is_inside = x > layout.start + WORD / 3.0 || !layout.is_narrow;
        if x - last > WORD && is_inside && x < layout.end - 8.0 {
            label(markup, "tick middle", (x, bottom + 16.0), &short(measure, tick));
            last = x;
        }
    }
}

/// A tick without needless digits: `10 ns`.
pub(crate) fn short(measure: Measure, tick: f64) -> String {
    let text = measure.show(tick);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        Some(_) | None => text,
    }
}

fn draw_bar(
    markup: &mut Markup,
    bar: &Bar,
    measure: Measure,
    scale: &Scale,
    y: f64,
    layout: &Layout,
) {
    let figure = measure.show(bar.estimate.value);
    let words = std::iter::once(&figure).chain(&bar.asides).filter(|word| !word.is_empty());
    let name = shortened(&bar.name);
    let (top, baseline) = if layout.is_narrow {
        label(markup, "name", (layout.start, y + 12.0), &name);
        let words: Vec<&str> = words.map(String::as_str).collect();
        label(markup, "value end", (layout.end, y + 12.0), &words.join(" · "));
        (y + 17.0, y + 17.0 + BAR / 2.0)
    } else {
        let middle = y + layout.row / 2.0;
        label(markup, "name end", (layout.start - 8.0, middle + 4.0), &name);
        let mut x = layout.end + 12.0;
        label(markup, "value", (x, middle + 4.0), &figure);
        for aside in &bar.asides {
            x += COLUMN;
            label(markup, "aside", (x, middle + 4.0), aside);
        }
        (middle - BAR / 2.0, middle)
    };
    let title = format!("{}: {}", bar.name, measure.estimate(&bar.estimate));
    let class = format!("bar {}", bar.unit.name());
    let length = scale.at(bar.estimate.value) - scale.start();
    let place: crate::render::markup::Attributes<'_> = &[
        ("class", &class),
        ("x", &Px(scale.start())),
        ("y", &Px(top)),
        ("width", &Px(length.max(1.0))),
        ("height", &Px(BAR)),
        ("rx", &"2"),
    ];
    markup.within("rect", place, |markup| markup.leaf("title", &[], &title));
    let [low, high] = [bar.estimate.low, bar.estimate.high].map(|end| scale.at(end));
    rule(markup, "whisker", (low, baseline), (high, baseline));
    for end in [low, high] {
        rule(markup, "whisker", (end, baseline - 3.5), (end, baseline + 3.5));
    }
}

/// What has room; the whole name is in the mark.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}
