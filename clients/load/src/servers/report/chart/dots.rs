//! One measure of all servers: the median of each, and a line from the least round to the greatest.

use std::fmt::Write;

use super::mark;
use crate::picture::{Scale, WIDTH, begin, end};
use crate::report::Escaped;
use crate::servers::contestant::Origin;
use crate::servers::report::judge::{ANSWERED_MIN, median};
use crate::servers::report::words::{of, percent, short};
use crate::servers::report::{ServersReport, ServersTable};
use crate::servers::workload::Measure;
use crate::stats::Spread;

const ROW: f64 = 16.0;
/// Where names end, and the axis begins and ends.
const NAMES: f64 = 216.0;
const AXIS: (f64, f64) = (224.0, 396.0);
/// Of a letter below the axis, about.
const LETTER: f64 = 5.5;
const TOP: f64 = 4.0;
const BOTTOM: f64 = 22.0;

/// A server in the picture.
struct Lane<'a> {
    name: &'a str,
    origin: Origin,
    /// Whether a new design begins.
    begins: bool,
    seen: Result<Spread, &'a str>,
    answered: Option<f64>,
}

/// Nothing where the measure was never taken.
pub(in crate::servers::report) fn dots(
    report: &ServersReport,
    table: &ServersTable,
    measure: Measure,
) -> Option<String> {
    let lanes = lanes(report, table, measure);
    let spreads = || lanes.iter().filter_map(|lane| lane.seen.ok());
    spreads().next()?;
    let scale = Scale::of(spreads().flat_map(|of| [of.min, of.max]));
    let bottom = TOP + ROW * lanes.len() as f64;
    let across = |value: f64| AXIS.0 + (AXIS.1 - AXIS.0) * scale.share(value);
    let subtitle =
        format!("{}, {}; {} is better", table.dialect.name(), of(measure), better(measure));
    let description = describe(&lanes, measure, scale);
    let mut picture = begin(table.workload.title(), &subtitle, &description, bottom + BOTTOM);
    let mut free_from = 0.0;
    for value in scale.ticks() {
        let (x, label) = (across(value), short(measure, value));
        let half = LETTER * label.chars().count() as f64 / 2.0;
        let _ = writeln!(picture, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom:.1}\"/>");
        if x - half >= free_from {
            free_from = x + half + LETTER;
            let _ = writeln!(
                picture,
                "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 14.0
            );
        }
    }
    for (number, lane) in lanes.iter().enumerate() {
        let y = TOP + ROW * (number as f64 + 0.5);
        if lane.begins && number > 0 {
            let line = y - ROW / 2.0;
            let _ = writeln!(picture, "<path class=\"grid\" d=\"M0 {line:.1}H{WIDTH}\"/>");
        }
        let _ = writeln!(
            picture,
            "<g><text x=\"{NAMES}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>{}</g>",
            y + 3.5,
            Escaped(lane.name),
            drawn(lane, measure, y, across)
        );
    }
    Some(end(picture))
}

fn lanes<'a>(
    report: &'a ServersReport,
    table: &'a ServersTable,
    measure: Measure,
) -> Vec<Lane<'a>> {
    let families = report.families(table.dialect);
    let each = families.iter().flat_map(|family| family.iter().enumerate());
    let lane = each.filter_map(|(number, one)| {
        let row = table.row(&one.name)?;
        let why = row.refused.as_ref().or(row.remarks.first());
        let why = why.map_or("no figure", String::as_str);
        let answered = median(row.rounds(Measure::Answered));
        let answered = answered.filter(|of| *of < ANSWERED_MIN && measure != Measure::Answered);
        let seen = row.spread(measure).ok_or(why);
        Some(Lane { name: &one.name, origin: one.origin, begins: number == 0, seen, answered })
    });
    lane.collect()
}

fn drawn(lane: &Lane<'_>, measure: Measure, y: f64, across: impl Fn(f64) -> f64) -> String {
    let at = AXIS.1 + 6.0;
    let text = y + 3.5;
    let said = |said: &str, class: &str| {
        format!("<text class=\"{class}\" x=\"{at}\" y=\"{text:.1}\">{}</text>", Escaped(said))
    };
    let spread = match lane.seen {
        Ok(spread) => spread,
        Err(why) => {
            let title = format!("<title>{}: {}</title>", Escaped(lane.name), Escaped(why));
            return title + &said("–", "tick");
        }
    };
    let shown = short(measure, spread.median);
    let failed = lane.answered.map(|share| format!("; only {} answered", percent(share)));
    let title = format!(
        "<title>{}: {shown}, from {} to {} over the rounds{}</title>",
        Escaped(lane.name),
        short(measure, spread.min),
        short(measure, spread.max),
        failed.as_deref().unwrap_or_default(),
    );
    let class = if failed.is_some() { " failed" } else { "" };
    let (from, to, middle) = (across(spread.min), across(spread.max), across(spread.median));
    let range = format!("<path class=\"range\" d=\"M{from:.1} {y:.1}H{to:.1}\"/>");
    let guide = format!("<path class=\"guide\" d=\"M{} {y:.1}H{from:.1}\"/>", AXIS.0);
    let figure = if failed.is_some() { said("fails", "tick") } else { said(&shown, "") };
    format!("{title}{guide}{range}{}{figure}", mark(lane.origin, middle, y, class))
}

/// The least and the greatest, and who has none.
fn describe(lanes: &[Lane<'_>], measure: Measure, scale: Scale) -> String {
    let figures = lanes.iter().filter_map(|lane| Some((lane.name, lane.seen.ok()?.median)));
    let mut figures: Vec<(&str, f64)> = figures.collect();
    figures.sort_by(|a, b| a.1.total_cmp(&b.1));
    let said = |at: Option<&(&str, f64)>| {
        at.map_or(String::new(), |(name, figure)| {
            format!("{name} with {}", short(measure, *figure))
        })
    };
    format!(
        "{}, {} scale, {} servers; least {}, most {}. All figures are in the table of this workload.",
        of(measure),
        scale.name(),
        figures.len(),
        said(figures.first()),
        said(figures.last())
    )
}

const fn better(measure: Measure) -> &'static str {
    if measure.is_cost() { "less" } else { "more" }
}
