//! How long hops really take: which share is done by when, the tail drawn out.

use crate::render::chart::{Axis, Caption, Lines, Scale, Series, short};
use crate::render::headline::counting;
use crate::render::markup::Markup;
use crate::render::units::Measure;
use crate::render::words::{clean, sentence};
use crate::report::{Estimate, Report, Row};
use crate::{Cores, Section, Unit};

/// Curves in one picture at most.
const SERIES_MAX: usize = 6;

/// Shares beyond this one rest on too few samples to be drawn.
const SHARE_MAX: f64 = 0.9991;

/// Mechanisms that are drawn first.
const MAIN: [&str; 5] = ["futex-private", "futex-shared", "pipe", "yield", "spin"];

/// One picture for what switches in one thread, for what the kernel switches on one core, and for two cores.
pub(crate) fn distribution(report: &Report) -> Vec<Markup> {
    let in_one_thread = |row: &Row| matches!(row.key.unit, Unit::Fiber | Unit::Task | Unit::Inline);
    let same = |row: &Row| row.key.cores == Cores::Same;
    let pictures = [
        picture(report, "in one thread", |row| same(row) && in_one_thread(row)),
        picture(report, "by the kernel, one core", |row| same(row) && !in_one_thread(row)),
        picture(report, "two cores", |row| !same(row)),
    ];
    pictures.into_iter().flatten().collect()
}

fn picture(report: &Report, name: &str, belongs: impl Fn(&Row) -> bool) -> Option<Markup> {
    let rows = counting(report, Section::Switch).map(|(row, _)| row);
    let mut rows: Vec<&Row> = rows.filter(|row| belongs(row) && row.quantiles.len() > 2).collect();
    let rank =
        |row: &Row| MAIN.iter().position(|&main| main == row.key.mechanism).unwrap_or(MAIN.len());
    rows.sort_by_key(|row| rank(row));
    rows.truncate(SERIES_MAX);
    rows.sort_by_key(|row| row.key.unit);
    let area = Lines::SMALL;
    let values = rows.iter().flat_map(|row| points(row)).map(|(value, _)| value);
    let x = Scale::log(values, area.left, area.right)?;
    let shares = [(0.0, "0"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %")];
    let y = Scale::from_zero([nines(0.999)].into_iter(), area.bottom, area.top)?;
    let mut units = Vec::new();
    let series = rows.iter().map(|row| {
        let rank = units.iter().filter(|&&unit| unit == row.key.unit).count();
        units.push(row.key.unit);
        let estimate = |value| Estimate { value, low: value, high: value };
        Series {
            name: format!("{}, {}", row.key.unit.name(), clean(&row.key.mechanism)),
            unit: row.key.unit,
            rank,
            has_marks: false,
            points: points(row).map(|(value, share)| (value, estimate(share))).collect(),
        }
    });
    let series = series.collect();
    let shown = x.spaced(x.ticks(), 44.0).into_iter();
    let shown = shown.map(|tick| (tick, short(Measure::Time, tick))).collect();
    let lines = Lines {
        caption: Caption::new(
            sentence(name),
            "Quantiles of all samples that count, up to 99.9 %; each step upwards leaves a tenth of the rest.",
        ),
        series,
        x: Axis { name: "a hop takes at most", ticks: shown, scale: x },
        y: Axis {
            name: "share of hops",
            ticks: shares.map(|(share, name)| (nines(share), name.to_owned())).to_vec(),
            scale: y,
        },
        marks: Vec::new(),
    };
    Some(lines.draw())
}

/// Values with their shares on the axis.
fn points(row: &Row) -> impl Iterator<Item = (f64, f64)> {
    let drawn = |&&(share, value): &&(f64, f64)| {
        (0.0..=SHARE_MAX).contains(&share) && value.is_finite() && value > 0.0
    };
    row.quantiles.iter().filter(drawn).map(|&(share, value)| (value, nines(share)))
}

/// How many nines a share has: 1 for 90 %, 3 for 99.9 %.
fn nines(share: f64) -> f64 {
    -(1.0 - share).log10()
}
