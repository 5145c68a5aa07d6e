//! The sections: pictures first, then what was compared, then the table behind them.

use super::unbroken;
use crate::Section;
use crate::render::markup::{Attributes, Markup};
use crate::render::pictures::{self, Placement};
use crate::render::tables::{Line, Table};
use crate::render::words::{about, title};
use crate::render::{comparisons, sentences};
use crate::report::Report;

/// Targets and names of all parts of the page.
pub(super) fn contents(report: &Report) -> Vec<(&'static str, &'static str)> {
    let mut parts = Vec::new();
    if pictures::ladder(report).is_some() {
        parts.push(("ladder", "Ladder"));
    }
    let measured =
        Section::ALL.into_iter().filter(|&section| report.section(section).next().is_some());
    parts.extend(measured.map(|section| (section.name(), title(section))));
    if report.rows.iter().any(|row| !row.rounds.is_empty()) {
        parts.push(("rounds", "Round by round"));
    }
    parts.push(("trust", "Why you may trust this"));
    if !report.peers.is_empty() {
        parts.push(("peers", "What others say"));
    }
    if super::closing::knows_machine(report) {
        parts.push(("machine", "The machine"));
    }
    parts
}

/// All that have rows.
pub(super) fn write(page: &mut Markup, report: &Report) {
    if let Some(ladder) = pictures::ladder(report) {
        page.within("section", &[("id", &"ladder")], |page| {
            page.leaf("h2", &[], "From a call to another core");
            let told = "Each rung with what it costs more than the one before, where that is proven; all measured in the same run. Whiskers \
                are intervals of 95 %; the scale is logarithmic.";
            page.leaf("p", &[("class", &"about")], told);
            figure(page, "single", &ladder);
        });
    }
    for section in Section::ALL {
        write_section(page, report, section);
    }
    rounds(page, report);
}

fn write_section(page: &mut Markup, report: &Report, section: Section) {
    let Some(table) = Table::of(report, section) else { return };
    page.within("section", &[("id", &section.name())], |page| {
        page.leaf("h2", &[], title(section));
        page.leaf("p", &[("class", &"about")], about(section));
        let compared: Vec<String> = comparisons(report, section)
            .map(|one| unbroken(&sentences::comparison(report, one)))
            .collect();
        if !compared.is_empty() {
            page.within("ul", &[("class", &"compared")], |page| {
                compared.iter().for_each(|sentence| page.leaf("li", &[], sentence));
            });
        }
        write_pictures(page, report, section);
        if !table.lines.is_empty() {
            write_table(page, &table, section);
        }
        if !table.refused.is_empty() {
            page.leaf("h3", &[], "Refused");
            page.within("ul", &[("class", &"refused")], |page| {
                for refused in &table.refused {
                    page.within("li", &[], |page| {
                        page.leaf("b", &[], &refused.what);
                        page.text(": ");
                        page.text(&refused.why);
                    });
                }
            });
        }
    });
}

fn write_pictures(page: &mut Markup, report: &Report, section: Section) {
    match section {
        Section::Floor => {}
        Section::Switch => {
            if let Some(placement) = pictures::placement(report) {
                write_placement(page, &placement);
            }
            several(page, &pictures::distribution(report));
        }
        Section::WorkingSet => {
            several(page, &pictures::working_set(report));
            let told = "Upright lines are the sizes of the caches. A hollow mark at the foot, pointing downwards, is a \
                refill that is nothing or less: it cannot be told from noise.";
            page.leaf("p", &[("class", &"note")], told);
        }
        Section::Ring => several(page, &pictures::ring(report)),
        Section::Create => single(page, pictures::creation(report)),
        Section::Memory => single(page, pictures::memory(report)),
        Section::IpcLatency => single(page, pictures::message_latency(report)),
        Section::IpcThroughput => single(page, pictures::throughput(report)),
    }
}

fn figure(page: &mut Markup, class: &str, picture: &Markup) {
    page.within("figure", &[("class", &class)], |page| page.append(picture));
}

fn single(page: &mut Markup, picture: Option<Markup>) {
    if let Some(picture) = picture {
        figure(page, "single", &picture);
    }
}

fn several(page: &mut Markup, pictures: &[Markup]) {
    if pictures.is_empty() {
        return;
    }
    page.within("div", &[("class", &"several")], |page| {
        pictures.iter().for_each(|picture| figure(page, "one", picture));
    });
}

/// A table that scrolls by itself where the page is narrow; it can be reached by the keyboard.
pub(super) fn scrolling(page: &mut Markup, name: &str, inside: impl FnOnce(&mut Markup)) {
    let attributes: Attributes<'_> =
        &[("class", &"scrolls"), ("tabindex", &"0"), ("role", &"region"), ("aria-label", &name)];
    page.within("div", attributes, |page| page.within("table", &[], inside));
}

/// The first row of a table: names of words to the left, names of figures to the right.
pub(super) fn head<'a>(
    page: &mut Markup,
    words: impl Iterator<Item = &'a str>,
    figures: impl Iterator<Item = &'a str>,
) {
    page.within("thead", &[], |page| {
        page.within("tr", &[], |page| {
            words.for_each(|name| page.leaf("th", &[("scope", &"col")], name));
            let class = ("class", &"figure" as &dyn std::fmt::Display);
            figures.for_each(|name| page.leaf("th", &[("scope", &"col"), class], name));
        });
    });
}

fn write_table(page: &mut Markup, table: &Table, section: Section) {
    // A table that only repeats a curve need not be seen at once.
    let is_open = !matches!(section, Section::WorkingSet | Section::Ring);
    page.within("details", unfolded(is_open), |page| {
        page.leaf("summary", &[], &format!("Figures: {} rows", table.lines.len()));
        scrolling(page, title(section), |page| {
            let first = ["unit", "mechanism", "with", "where"];
            let shows_details = table.lines.iter().any(|line| !line.details.is_empty());
            let shown = first.into_iter().filter(|&name| shows_details || name != "with");
            head(page, shown, table.head.iter().map(String::as_str));
            page.within("tbody", &[], |page| {
                table.lines.iter().for_each(|line| write_line(page, line, shows_details));
            });
        });
        for note in &table.footnotes {
            page.leaf("p", &[("class", &"note")], note);
        }
    });
}

/// Attributes of what is shown at once, or only when it is asked for.
fn unfolded(is_open: bool) -> Attributes<'static> {
    if is_open { &[("open", &"")] } else { &[] }
}

fn write_line(page: &mut Markup, line: &Line, shows_details: bool) {
    page.within("tr", &[], |page| {
        let class = format!("unit {}", line.unit.name());
        page.leaf("td", &[("class", &class)], line.unit.name());
        page.leaf("th", &[("scope", &"row")], &line.mechanism);
        if shows_details {
            page.leaf("td", &[], &line.details);
        }
        page.leaf("td", &[], line.place);
        line.cells.iter().for_each(|cell| page.leaf("td", &[("class", &"figure")], cell));
    });
}

fn write_placement(page: &mut Markup, placement: &Placement) {
    page.within("figure", &[("class", &"map")], |page| {
        let name = "A hop by mechanism, unit and place";
        page.leaf(
            "figcaption",
            &[],
            &format!("{name}; the stronger the colour, the dearer, by the logarithm."),
        );
        scrolling(page, name, |page| {
            let columns = placement.columns.iter().map(String::as_str);
            head(page, ["mechanism"].into_iter(), columns);
            page.within("tbody", &[], |page| {
                for (mechanism, cells) in &placement.rows {
                    page.within("tr", &[], |page| {
                        page.leaf("th", &[("scope", &"row")], mechanism);
                        for cell in cells {
                            let Some(heat) = cell else {
                                page.leaf("td", &[("class", &"none")], "");
                                continue;
                            };
                            let style = format!("--heat: {}%", heat.percent);
                            page.leaf("td", &[("class", &"heat"), ("style", &style)], &heat.figure);
                        }
                    });
                }
            });
        });
    });
}

/// Every row with its rounds, folded by section.
fn rounds(page: &mut Markup, report: &Report) {
    if report.rows.iter().all(|row| row.rounds.is_empty()) {
        return;
    }
    page.within("section", &[("id", &"rounds")], |page| {
        page.leaf("h2", &[], "Round by round");
        let told = "Each dot is the median of a round, in the order of the run: what drifts is seen to drift. A hollow \
            one does not count, and its mark says why. The band is the interval of the estimate; the bars below are the \
            canary, a loop that always does the same work: high where the machine was slower than its best.";
        page.leaf("p", &[("class", &"about")], told);
        for section in Section::ALL {
            let strips = pictures::strips(report, section);
            if strips.is_empty() {
                continue;
            }
            page.within("details", unfolded(section == Section::Switch), |page| {
                page.leaf("summary", &[], &format!("{}: {} rows", title(section), strips.len()));
                page.within("div", &[("class", &"strips")], |page| {
                    for (name, counts, strip) in &strips {
                        page.within("figure", &[], |page| {
                            page.within("figcaption", &[], |page| {
                                page.text(name);
                                page.leaf("span", &[("class", &"counts")], counts);
                            });
                            page.append(strip);
                        });
                    }
                });
            });
        }
    });
}
