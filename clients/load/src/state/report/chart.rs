//! What a report looks like as pictures: bars of what a second of processor time gives, and messages by lease term.

use std::fmt::Write;

use super::{CostTable, StateReport};
use crate::report::Escaped;
use crate::state::TermFigures;

const WIDTH: f64 = 900.0;
const BAR: f64 = 22.0;
/// Where bars begin, behind their names.
const NAMES: f64 = 340.0;
/// Room for the figure behind the longest bar.
const FIGURES: f64 = 90.0;
/// Of the picture with curves: height, and room for the scales.
const CURVES: (f64, f64) = (320.0, 50.0);

/// One curve: its name, its colour, and what it shows.
type Curve = (&'static str, &'static str, fn(&TermFigures) -> f64);

const LINES: [Curve; 3] = [
    ("measured", "#d55e00", |of| of.messages_per_read),
    ("2/(1 + R·t)", "#0072b2", |of| of.theory),
    ("4/(R·t)", "#009e73", |of| of.theory_by_clock),
];

/// Every picture that there is something for.
pub(super) fn all(report: &StateReport) -> Vec<String> {
    report.tables.iter().filter_map(bars).chain(curves(report)).collect()
}

fn bars(table: &CostTable) -> Option<String> {
    let rows = table.rows.iter().filter_map(|row| {
        let figure = row.figures.as_ref()?.per_cpu_second?.median;
        Some((format!("{}: {}", row.side.name(), row.way.name()), figure))
    });
    let rows: Vec<_> = rows.collect();
    let most = rows.iter().map(|(_, figure)| *figure).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let title = format!("{}: blocks by second of processor time", table.task.title());
    let mut picture = begin(&title, BAR * rows.len() as f64);
    for (number, (name, figure)) in rows.iter().enumerate() {
        let top = BAR * number as f64;
        let (middle, width) = (top + BAR * 0.7, (WIDTH - NAMES - FIGURES) * figure / most);
        let _ = writeln!(
            picture,
            "<text x=\"0\" y=\"{middle:.1}\">{}</text><rect x=\"{NAMES}\" y=\"{:.1}\" width=\"{width:.1}\" \
             height=\"{:.1}\" fill=\"#0072b2\"/><text x=\"{:.1}\" y=\"{middle:.1}\">{figure:.0}</text>",
            Escaped(name),
            top + 2.0,
            BAR - 4.0,
            NAMES + width + 6.0,
        );
    }
    Some(end(picture))
}

/// Both scales are logarithmic.
fn curves(report: &StateReport) -> Option<String> {
    let rows = report.terms.iter().filter(|row| row.term_seconds > 0.0);
    let rows: Vec<_> = rows.filter_map(|row| Some((row.term_seconds, row.figures?))).collect();
    let (first, last) = (rows.first()?.0.ln(), rows.last()?.0.ln());
    let figures = rows.iter().flat_map(|(_, of)| LINES.map(|(_, _, line)| line(of)));
    let figures: Vec<_> = figures.filter(|figure| *figure > 0.0).map(f64::ln).collect();
    let least = figures.iter().copied().reduce(f64::min)?;
    let most = figures.iter().copied().reduce(f64::max)?;
    let (height, edge) = CURVES;
    let share =
        |at: f64, from: f64, to: f64| if to > from { (at - from) / (to - from) } else { 0.5 };
    let across = |term: f64| edge + (WIDTH - 4.0 * edge) * share(term.ln(), first, last);
    let down = |figure: f64| {
        let figure = if figure > 0.0 { figure.ln() } else { least };
        edge + (height - 2.0 * edge) * (1.0 - share(figure, least, most))
    };
    let mut picture = begin("Messages by read, by the term of leases in seconds", height);
    for (term, of) in &rows {
        let x = across(*term);
        let _ = writeln!(picture, "<text x=\"{x:.1}\" y=\"{:.1}\">{term} s</text>", height - 20.0);
        let (y, figure) = (down(of.messages_per_read) - 8.0, of.messages_per_read);
        let _ = writeln!(picture, "<text x=\"{x:.1}\" y=\"{y:.1}\">{figure:.3}</text>");
    }
    for (number, (name, colour, line)) in LINES.iter().enumerate() {
        let mut points = String::new();
        for (term, of) in &rows {
            let _ = write!(points, "{:.1},{:.1} ", across(*term), down(line(of)));
        }
        let (x, y) = (WIDTH - 2.5 * edge, 20.0 * (number + 1) as f64);
        let _ = writeln!(
            picture,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{name}</text>"
        );
    }
    Some(end(picture))
}

fn begin(title: &str, height: f64) -> String {
    let title = Escaped(title);
    format!(
        "<h2>{title}</h2>\n<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" font-size=\"13\" \
         fill=\"currentColor\" style=\"max-width:100%\">\n<title>{title}</title>\n"
    )
}

fn end(mut picture: String) -> String {
    picture.push_str("</svg>\n");
    picture
}
