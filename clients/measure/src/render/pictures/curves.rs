//! How a hop grows: with the memory that each side touches, and with the units in the ring.

use std::collections::{BTreeMap, BTreeSet};

use super::ticks;
use crate::render::chart::{Axis, Caption, Lines, Scale, Series};
use crate::render::headline::counting;
use crate::render::markup::Markup;
use crate::render::units::{Measure, size};
use crate::render::words::{access, clean, sentence};
use crate::report::{Estimate, Report, Row};
use crate::{Pages, Pattern, Section};

/// Curves in one picture at most: more cannot be told apart.
const SERIES_MAX: usize = 8;

/// Words below an axis at most.
const TICKS_MAX: usize = 6;

/// What is drawn of a row, and its name.
type Figure = (&'static str, fn(&Row) -> Option<Estimate>);

/// The gross hop and the refill over the working set: two pictures for each order of touching and size of pages, all on
/// the same scales.
pub(crate) fn working_set(report: &Report) -> Vec<Markup> {
    let rows: Vec<&Row> = counting(report, Section::WorkingSet).map(|(row, _)| row).collect();
    let sizes: BTreeSet<u64> = rows.iter().map(|row| row.key.working_set).collect();
    let kinds: BTreeSet<(Option<Pattern>, Option<Pages>)> =
        rows.iter().map(|row| (row.key.pattern, row.key.pages)).collect();
    let gross = |row: &Row| row.estimate;
    let refill = |row: &Row| row.refill;
    let figures: [Figure; 2] = [("a hop, gross", gross), ("refill of a hop", refill)];
    let all = figures.iter().flat_map(|(_, of)| rows.iter().filter_map(|row| of(row)));
    let area = Lines::SMALL;
    let ends = all.flat_map(|figure| [figure.value, figure.low, figure.high]);
    let Some(y) = Scale::log(ends, area.bottom, area.top) else { return Vec::new() };
    let Some(x) = sizes_axis(&sizes) else { return Vec::new() };
    let drawn =
        figures.iter().flat_map(|&(name, of)| kinds.iter().map(move |kind| (name, of, *kind)));
    let drawn = drawn.map(|(name, of, kind)| {
        let of_kind = rows.iter().filter(|row| (row.key.pattern, row.key.pages) == kind);
        let of_kind: Vec<&Row> = of_kind.copied().collect();
        Lines {
            caption: Caption::new(
                sentence(&access(kind.0, kind.1)),
                format!("{name}, over the bytes that each side touches at every hop."),
            ),
            series: curves(&of_kind, |row| place_of(row.key.working_set, &sizes), of),
            x: x.clone(),
            y: Axis { name, scale: y.clone(), ticks: ticks(&y, Measure::Time) },
            marks: caches(report, &sizes),
        }
        .draw()
    });
    drawn.collect()
}

/// The axis of all sizes, with words for some of them.
fn sizes_axis(sizes: &BTreeSet<u64>) -> Option<Axis> {
    let area = Lines::SMALL;
    let places = sizes.iter().map(|&bytes| place_of(bytes, sizes));
    let scale = Scale::log(places, area.left + 10.0, area.right - 10.0)?;
    let every = sizes.len().div_ceil(TICKS_MAX);
    let told = sizes.iter().step_by(every.max(1));
    let ticks = told.map(|&bytes| {
        let name = if bytes == 0 { "none".to_owned() } else { size(bytes).replace("iB", "") };
        (place_of(bytes, sizes), name)
    });
    Some(Axis { name: "bytes a side", scale, ticks: ticks.collect() })
}

/// Nothing has no logarithm: it stands left of the smallest set, at a quarter of it.
fn place_of(bytes: u64, sizes: &BTreeSet<u64>) -> f64 {
    let smallest = sizes.iter().find(|&&bytes| bytes > 0).copied().unwrap_or(4);
    if bytes == 0 { smallest as f64 / 4.0 } else { bytes as f64 }
}

/// Caches whose size lies among those of the sets.
fn caches(report: &Report, sizes: &BTreeSet<u64>) -> Vec<(f64, String)> {
    let (Some(&first), Some(&last)) = (sizes.first(), sizes.last()) else { return Vec::new() };
    let within =
        report.environment.caches.iter().filter(|(_, bytes)| (first..=last).contains(bytes));
    within.take(4).map(|(name, bytes)| (*bytes as f64, clean(name))).collect()
}

/// One curve for each unit and mechanism.
fn curves(
    rows: &[&Row],
    x: impl Fn(&Row) -> f64,
    y: impl Fn(&Row) -> Option<Estimate>,
) -> Vec<Series> {
    let mut points: BTreeMap<_, Vec<(f64, Estimate)>> = BTreeMap::new();
    for row in rows {
        let own = points.entry((row.key.unit, row.key.mechanism.as_str())).or_default();
        own.extend(y(row).filter(|figure| figure.value.is_finite()).map(|figure| (x(row), figure)));
    }
    let mut units = Vec::new();
    points
        .into_iter()
        .take(SERIES_MAX)
        .map(|((unit, mechanism), mut points)| {
            points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let rank = units.iter().filter(|&&earlier| earlier == unit).count();
            units.push(unit);
            let name = format!("{}, {}", unit.name(), clean(mechanism));
            Series { name, unit, rank, has_marks: true, points }
        })
        .collect()
}

/// A hop over the units in the ring: a picture for each working set.
pub(crate) fn ring(report: &Report) -> Vec<Markup> {
    let rows: Vec<&Row> = counting(report, Section::Ring).map(|(row, _)| row).collect();
    let area = Lines::SMALL;
    let ends =
        rows.iter().filter_map(|row| row.estimate).flat_map(|figure| [figure.value, figure.high]);
    let Some(y) = Scale::from_zero(ends, area.bottom, area.top) else { return Vec::new() };
    let units: BTreeSet<u32> = rows.iter().map(|row| row.key.units).collect();
    let places = units.iter().map(|&units| f64::from(units));
    let Some(scale) = Scale::log(places, area.left + 10.0, area.right - 10.0) else {
        return Vec::new();
    };
    // Neighbours among the large ones are too close for a word each.
    let mut told: Vec<(f64, String)> = Vec::new();
    for &units in &units {
        let place = f64::from(units);
        let last = told.last().map_or(f64::NEG_INFINITY, |(last, _)| scale.at(*last));
        if scale.at(place) - last > 14.0 {
            told.push((place, units.to_string()));
        }
    }
    let sets: BTreeSet<u64> = rows.iter().map(|row| row.key.working_set).rev().collect();
    let drawn = sets.iter().rev().map(|&set| {
        let of_set: Vec<&Row> =
            rows.iter().filter(|row| row.key.working_set == set).copied().collect();
        let touched = if set == 0 {
            "no memory touched".to_owned()
        } else {
            format!("{} touched by each", size(set))
        };
        Lines {
            caption: Caption::new(
                format!("A ring, {touched}"),
                "Cost of a hop over the units in the ring, all on one core.",
            ),
            series: curves(&of_set, |row| f64::from(row.key.units), |row| row.estimate),
            x: Axis { name: "units in the ring", scale: scale.clone(), ticks: told.clone() },
            y: Axis { name: "a hop", scale: y.clone(), ticks: ticks(&y, Measure::Time) },
            marks: Vec::new(),
        }
        .draw()
    });
    drawn.collect()
}
