//! What stands at the end of the page: why it may be believed, what others say, what it ran on.

use super::sections::{head, scrolling};
use crate::render::markup::Markup;
use crate::render::units::size;
use crate::render::words::clean;
use crate::render::{peers, trust};
use crate::report::Report;

/// All of it.
pub(super) fn write(page: &mut Markup, report: &Report) {
    write_trust(page, report);
    if !report.peers.is_empty() {
        write_peers(page, report);
    }
    if knows_machine(report) {
        write_machine(page, report);
    }
}

/// Whether anything is known about it.
pub(super) const fn knows_machine(report: &Report) -> bool {
    !(report.environment.facts.is_empty() && report.environment.caches.is_empty())
}

fn write_trust(page: &mut Markup, report: &Report) {
    page.within("section", &[("id", &"trust")], |page| {
        page.leaf("h2", &[], "Why you may trust this");
        let told = "A figure stands here only if every round behind it has shown that what was to be measured did \
            happen. What could not be proven was refused, with its reason.";
        page.leaf("p", &[("class", &"about")], told);
        page.within("ul", &[("class", &"trust")], |page| {
            for point in trust::points(report) {
                page.within("li", &[("class", &point.stand.word())], |page| {
                    let mark: crate::render::markup::Attributes<'_> =
                        &[("class", &"stand"), ("role", &"img"), ("aria-label", &point.stand.word())];
                    page.leaf("span", mark, point.stand.mark());
                    page.leaf("b", &[], point.topic);
                    page.leaf("span", &[], &point.text);
                });
            }
        });
    });
}

fn write_peers(page: &mut Markup, report: &Report) {
    page.within("section", &[("id", &"peers")], |page| {
        page.leaf("h2", &[], "What others say");
        page.leaf("p", &[("class", &"about")], peers::ABOUT);
        scrolling(page, "What others say", |page| {
            let [command, figures @ .., remark] = peers::HEAD;
            head(page, [command, "agrees", remark].into_iter(), figures.into_iter());
            page.within("tbody", &[], |page| {
                for (cells, peer) in peers::rows(report).iter().zip(&report.peers) {
                    let [command, figures @ .., remark] = cells;
                    page.within("tr", &[], |page| {
                        page.leaf("th", &[("scope", &"row")], command);
                        let (class, word) = match peers::agrees(peer) {
                            Some(true) => ("held", "✓ yes"),
                            Some(false) => ("fails", "✗ no"),
                            None => ("told", "not known"),
                        };
                        page.leaf("td", &[("class", &class)], word);
                        page.leaf("td", &[("class", &"words")], remark);
                        for cell in figures {
                            page.leaf("td", &[("class", &"figure")], cell);
                        }
                    });
                }
            });
        });
    });
}

fn write_machine(page: &mut Markup, report: &Report) {
    let environment = &report.environment;
    page.within("section", &[("id", &"machine")], |page| {
        page.leaf("h2", &[], "The machine");
        let told = "Reports that differ in a marked fact must not be compared.";
        page.leaf("p", &[("class", &"about")], told);
        page.within("dl", &[], |page| {
            for fact in environment.facts.iter().filter(|fact| fact.decides) {
                page.leaf("dt", &[], &format!("{} ✓", clean(&fact.name)));
                page.leaf("dd", &[], &clean(&fact.value));
            }
        });
        page.within("details", &[], |page| {
            page.leaf("summary", &[], "Everything that is known about it");
            page.within("dl", &[], |page| {
                for fact in &environment.facts {
                    let mark = if fact.decides { " ✓" } else { "" };
                    let name = format!("{}: {}{mark}", clean(&fact.group), clean(&fact.name));
                    page.leaf("dt", &[], &name);
                    page.leaf("dd", &[], &clean(&fact.value));
                }
                for (name, bytes) in &environment.caches {
                    page.leaf("dt", &[], &format!("cache: {}", clean(name)));
                    page.leaf("dd", &[], &size(*bytes));
                }
            });
        });
    });
}
