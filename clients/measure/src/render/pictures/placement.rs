//! Who switches, how and where: a table whose cells are coloured by their cost.

use std::collections::BTreeSet;

use crate::render::headline::counting;
use crate::render::units::Measure;
use crate::render::words::{clean, place};
use crate::report::Report;
use crate::{Cores, Policy, Section, Unit};

/// Rows are mechanisms, columns units and places.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<Option<Heat>>)>,
}

/// One figure: in words, and how dear it is among all, from 0 to 100.
#[derive(Clone, Debug)]
pub(crate) struct Heat {
    pub(crate) figure: String,
    pub(crate) percent: u32,
}

/// Mechanisms beyond these are in the table alone.
const ROWS_MAX: usize = 60;

/// Fewer cells than this are no map.
const CELLS_MIN: usize = 3;

/// The map of the plain ping-pongs.
pub(crate) fn placement(report: &Report) -> Option<Placement> {
    let plain: Vec<_> = counting(report, Section::Switch).collect();
    if plain.len() < CELLS_MIN {
        return None;
    }
    let columns: BTreeSet<(Unit, Cores)> =
        plain.iter().map(|(row, _)| (row.key.unit, row.key.cores)).collect();
    let cheapest = plain.iter().map(|(_, cost)| cost.value).fold(f64::INFINITY, f64::min);
    let dearest = plain.iter().map(|(_, cost)| cost.value).fold(0.0, f64::max);
    let span = (dearest / cheapest).ln().max(f64::MIN_POSITIVE);
    let heat = |value: f64| Heat {
        figure: Measure::Time.show(value),
        percent: ((value / cheapest).ln() / span * 100.0).clamp(0.0, 100.0) as u32,
    };
    let mut mechanisms: Vec<(&str, Policy)> = Vec::new();
    for (row, _) in &plain {
        let mechanism = (row.key.mechanism.as_str(), row.key.policy);
        if mechanisms.len() < ROWS_MAX && !mechanisms.contains(&mechanism) {
            mechanisms.push(mechanism);
        }
    }
    let rows = mechanisms.into_iter().map(|(mechanism, policy)| {
        let cell = |&(unit, cores): &(Unit, Cores)| {
            let is = |key: &crate::Key| {
                key.mechanism == mechanism
                    && key.policy == policy
                    && (key.unit, key.cores) == (unit, cores)
            };
            plain.iter().find(|(row, _)| is(&row.key)).map(|(_, cost)| heat(cost.value))
        };
        let usual = if policy == Policy::Other { ", usual scheduling" } else { "" };
        (format!("{}{usual}", clean(mechanism)), columns.iter().map(cell).collect())
    });
    let rows = rows.collect();
    let name = |(unit, cores): &(Unit, Cores)| format!("{}, {}", unit.name(), place(*cores));
    Some(Placement { columns: columns.iter().map(name).collect(), rows })
}
