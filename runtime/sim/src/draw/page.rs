//! One page that stands by itself: what was run, what was wrong, and the pictures.

use super::markup::Markup;
use super::scene::Scene;
use super::window::{Reason, Window};
use super::words::{instant, several};
use super::{PICTURE_STYLE, Plot, Usage, configurations, sequence, tags};
use crate::{Trace, Violation};

const STYLE: &str = include_str!("page.css");

/// Whatever is written in a page, nothing runs and nothing is loaded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Violations that are told in words, at most.
const VIOLATIONS_MAX: usize = 20;

/// What a page is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was run, in a few words.
    pub title: &'a str,
    /// The command that shows the same again.
    pub command: &'a str,
    /// Names and figures, in the order in which they are shown.
    pub facts: &'a [(String, String)],
    /// What was wrong.
    pub violations: &'a [Violation],
    /// What was recorded.
    pub trace: &'a Trace,
}

/// A page about one run, with pictures of its most interesting part ([`Window::interesting`]).
#[must_use]
pub fn page(subject: &Subject<'_>) -> String {
    let window = Window::interesting(subject.trace);
    let scene = Scene::of(subject.trace, &window);
    document(subject.title, |page| {
        heading(page, subject);
        section(
            page,
            "Configurations",
            "A row for each node: a bar is a configuration that it takes for active, from when it learned of it until it \
            removed it. Several bars above each other are active at once. Dotted: the node did not run.",
            |page| {
                configurations::draw(&scene).figure(page);
            },
        );
        if let Some(picture) = tags::draw(&scene) {
            section(
                page,
                "Tags",
                "The tag that each node holds, for the keys with most to show, while the messages below were on their way: a step \
                up is a larger tag, the figure in it its sequence number, the last tag in full at the end.",
                |page| {
                    picture.figure(page);
                },
            );
        }
        let reason = match window.reason() {
            Reason::Violation => "around the violation",
            Reason::Reconfiguration => "around the first reconfiguration",
            Reason::Beginning | Reason::Asked => "from the beginning",
        };
        let about = format!(
            "The messages {reason}. Time runs downwards, to scale; where nothing happened it is shortened, at a zigzag. A line's colour says \
             which configurations its node takes for active; bars beside it are what clients asked of it (▸) and were told (◂). Rest the \
             pointer on anything for its details."
        );
        section(page, "Messages", &about, |page| sequence::draw(&scene).figure(page));
    })
}

/// A page with plots side by side, under words about them, above a table of the same figures.
#[must_use]
pub fn plots_page(
    title: &str,
    about: &str,
    plots: &[Plot],
    (names, rows): (&[&str], &[Vec<String>]),
) -> String {
    document(title, |page| {
        page.within("header", &[], |page| {
            page.leaf("h1", &[], title);
            page.leaf("p", &[("class", &"about")], about);
        });
        page.within("div", &[("class", &"plots")], |page| {
            for plot in plots {
                page.within("section", &[], |page| {
                    page.leaf("h2", &[], &plot.title);
                    if let Some(picture) = plot.draw() {
                        picture.figure(page);
                    } else {
                        page.leaf("p", &[("class", &"about")], "There is nothing to draw.");
                    }
                });
            }
        });
        page.within("section", &[], |page| {
            page.leaf("h2", &[], "Figures");
            page.within("div", &[("class", &"scrolls")], |page| {
                page.within("table", &[], |page| table(page, names, rows));
            });
        });
    })
}

/// What a page about a real run says.
#[derive(Clone, Copy, Debug)]
pub struct Real<'a> {
    /// What was run, in a few words.
    pub title: &'a str,
    /// What is to be thought of it, in a sentence.
    pub verdict: &'a str,
    /// What was wrong.
    pub objections: &'a [String],
    /// What should be known beside.
    pub remarks: &'a [String],
    /// The command that does the same again.
    pub command: &'a str,
    /// Names and figures, in the order in which they are shown.
    pub facts: &'a [(String, String)],
    /// What clients saw.
    pub usage: &'a Usage,
    /// Names of columns, and rows.
    pub table: (&'a [&'a str], &'a [Vec<String>]),
}

/// A page about a real run: the verdict, a picture over time, a table.
#[must_use]
pub fn usage_page(real: &Real<'_>) -> String {
    document(real.title, |page| {
        page.within("header", &[], |page| {
            page.leaf("h1", &[], real.title);
            let class = if real.objections.is_empty() { "verdict good" } else { "verdict bad" };
            page.leaf("p", &[("class", &class)], real.verdict);
            if !real.objections.is_empty() {
                page.within("ol", &[("class", &"violations")], |page| {
                    for objection in real.objections.iter().take(VIOLATIONS_MAX) {
                        page.leaf("li", &[], objection);
                    }
                });
            }
            facts(page, real.facts, real.command);
        });
        let picture = real.usage.draw();
        section(page, &picture.title, &picture.about, |page| picture.figure(page));
        section(page, "By kind of fault", &real.remarks.join(" "), |page| {
            page.within("div", &[("class", &"scrolls")], |page| {
                page.within("table", &[], |page| table(page, real.table.0, real.table.1));
            });
        });
    })
}

fn facts(page: &mut Markup, facts: &[(String, String)], command: &str) {
    page.within("dl", &[], |page| {
        for (name, figure) in facts {
            page.within("div", &[], |page| {
                page.leaf("dt", &[], name);
                page.leaf("dd", &[], figure);
            });
        }
    });
    page.within("p", &[("class", &"command")], |page| page.leaf("code", &[], command));
}

fn document(title: &str, inside: impl FnOnce(&mut Markup)) -> String {
    let mut page = Markup::new();
    page.ours("<!doctype html>\n");
    page.within("html", &[("lang", &"en")], |page| {
        page.within("head", &[], |page| {
            page.void("meta", &[("charset", &"utf-8")]);
            page.void("meta", &[("http-equiv", &"Content-Security-Policy"), ("content", &POLICY)]);
            page.void(
                "meta",
                &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")],
            );
            page.leaf("title", &[], title);
            page.within("style", &[], |page| {
                page.ours(PICTURE_STYLE);
                page.ours(STYLE);
            });
        });
        page.within("body", &[], inside);
    });
    page.into_text()
}

fn heading(page: &mut Markup, subject: &Subject<'_>) {
    page.within("header", &[], |page| {
        page.leaf("h1", &[], subject.title);
        let violations = subject.violations;
        if violations.is_empty() {
            page.leaf("p", &[("class", &"verdict good")], "No check objected.");
        } else {
            let all = several(violations.len(), "violation", "violations");
            page.leaf("p", &[("class", &"verdict bad")], &format!("{all}."));
            page.within("ol", &[("class", &"violations")], |page| {
                for violation in violations.iter().take(VIOLATIONS_MAX) {
                    page.within("li", &[], |page| {
                        page.leaf("b", &[], violation.check);
                        page.leaf(
                            "span",
                            &[],
                            &format!(
                                " at {}: {}",
                                instant(violation.at.as_nanos()),
                                violation.what
                            ),
                        );
                    });
                }
            });
            if let Some(more) =
                violations.len().checked_sub(VIOLATIONS_MAX).filter(|&more| more > 0)
            {
                page.leaf("p", &[("class", &"about")], &format!("And {more} more."));
            }
        }
        facts(page, subject.facts, subject.command);
    });
}

fn section(page: &mut Markup, name: &str, about: &str, inside: impl FnOnce(&mut Markup)) {
    page.within("section", &[], |page| {
        page.leaf("h2", &[], name);
        page.leaf("p", &[("class", &"about")], about);
        inside(page);
    });
}

fn table(page: &mut Markup, names: &[&str], rows: &[Vec<String>]) {
    page.within("thead", &[], |page| {
        page.within("tr", &[], |page| {
            names.iter().for_each(|name| page.leaf("th", &[("scope", &"col")], name))
        });
    });
    page.within("tbody", &[], |page| {
        for row in rows {
            page.within("tr", &[], |page| row.iter().for_each(|cell| page.leaf("td", &[], cell)));
        }
    });
}
