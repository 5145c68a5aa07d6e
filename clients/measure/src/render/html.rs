//! One page, complete in itself: no script, nothing loaded, readable on paper, in the dark and on a narrow screen.

mod closing;
mod sections;

use super::headline;
use super::markup::Markup;
use super::trust::graded;
use super::words::clean;
use crate::report::Report;

const STYLE: &str = include_str!("html/style.css");

/// Nothing may be loaded and nothing may run, whatever is written in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole report.
pub(crate) fn write(report: &Report) -> String {
    let mut page = Markup::new();
    page.ours("<!DOCTYPE html>\n");
    page.within("html", &[("lang", &"en")], |page| {
        page.within("head", &[], |page| {
            page.void("meta", &[("charset", &"utf-8")]);
            page.void("meta", &[("http-equiv", &"Content-Security-Policy"), ("content", &POLICY)]);
            let viewport = "width=device-width, initial-scale=1";
            page.void("meta", &[("name", &"viewport"), ("content", &viewport)]);
            page.void("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
            page.leaf("title", &[], super::TITLE);
            page.within("style", &[], |page| page.ours(STYLE));
        });
        page.within("body", &[], |page| {
            header(page, report);
            page.within("main", &[], |page| {
                sections::write(page, report);
                closing::write(page, report);
            });
        });
    });
    page.into_text()
}

/// What ran where, how quiet it was, and what was found.
fn header(page: &mut Markup, report: &Report) {
    let answers = headline::sentences(report);
    let (stand, grade, meaning) = graded(report.grade);
    page.within("header", &[], |page| {
        page.within("div", &[("class", &"run")], |page| {
            let class = format!("grade {}", stand.word());
            page.leaf("span", &[("class", &class), ("title", &meaning)], &format!("grade {grade}"));
            page.leaf("span", &[], &super::summary(report));
        });
        page.leaf("h1", &[], super::TITLE);
        for warning in headline::warnings(report) {
            page.leaf("p", &[("class", &"warning"), ("role", &"alert")], &warning);
        }
        let mut answers = answers.iter();
        if let Some(first) = answers.next() {
            page.leaf("p", &[("class", &"lead")], &unbroken(first));
        }
        if answers.len() > 0 {
            page.within("ul", &[("class", &"answers")], |page| {
                answers.for_each(|answer| page.leaf("li", &[], &unbroken(answer)));
            });
        }
        for remark in &report.remarks {
            page.leaf("p", &[("class", &"remark")], &clean(remark));
        }
        page.within("nav", &[("aria-label", &"Sections")], |page| {
            for (id, name) in sections::contents(report) {
                page.leaf("a", &[("href", &format!("#{id}"))], name);
            }
        });
    });
}

/// A figure and its unit on one line.
fn unbroken(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut before = ' ';
    for c in sentence.chars() {
        text.push(if c == ' ' && before.is_ascii_digit() { '\u{a0}' } else { c });
        before = c;
    }
    text
}
