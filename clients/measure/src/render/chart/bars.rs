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
    /// What stands behind the figure.
    pub(crate) aside: String,
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

/// The same bars for a wide page and for a narrow one; nothing of nothing.
pub(crate) fn bars(caption: &Caption, measure: Measure, bars: &[Bar]) -> Option<Markup> {
    let wide = Layout { width: WIDE, start: 190.0, end: 540.0, row: 22.0, is_narrow: false };
    let narrow = Layout { width: NARROW, start: 4.0, end: 346.0, row: 34.0, is_narrow: true };
    let mut markup = draw(caption, measure, bars, &wide)?;
    markup.append(&draw(caption, measure, bars, &narrow)?);
    Some(markup)
}

fn draw(caption: &Caption, measure: Measure, bars: &[Bar], layout: &Layout) -> Option<Markup> {
    let ends = |bar: &Bar| [bar.estimate.value, bar.estimate.low, bar.estimate.high];
    let scale = Scale::log(bars.iter().flat_map(ends), layout.start, layout.end)?;
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
    let ticks = scale.ticks();
    // A narrow axis has room for every other word.
    let every = if layout.is_narrow && ticks.len() > 5 { 2 } else { 1 };
    for (at, tick) in ticks.into_iter().enumerate() {
        let x = scale.at(tick);
        rule(markup, "grid", (x, 0.0), (x, bottom));
        if at % every == 0 {
            label(markup, "tick middle", (x, bottom + 16.0), &short(measure, tick));
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
    let words = if bar.aside.is_empty() { figure } else { format!("{figure}  {}", bar.aside) };
    let (top, baseline) = if layout.is_narrow {
        label(markup, "name", (layout.start, y + 12.0), &bar.name);
        label(markup, "value end", (layout.end, y + 12.0), &words);
        (y + 17.0, y + 17.0 + BAR / 2.0)
    } else {
        let middle = y + layout.row / 2.0;
        label(markup, "name end", (layout.start - 8.0, middle + 4.0), &bar.name);
        label(markup, "value", (layout.end + 10.0, middle + 4.0), &words);
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
