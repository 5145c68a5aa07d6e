//! What the page promises: well formed, complete in itself, and no string leaves its place.

use proptest::prelude::*;

use super::fixture;
use crate::report::{Estimate, Report};

/// Elements that have no end.
const VOID: [&str; 1] = ["meta"];

/// Names of all elements in their order.
///
/// # Panics
/// Where an element is not closed, an attribute has no value in quotes, or a sign stands where none may.
fn elements(page: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut open = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("the first line says what it is");
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>') || open.last() == Some(&"style"), "a sign in a text: {text}");
        let tag_end = end_of_tag(after);
        let (tag, after) = (&after[..tag_end], &after[tag_end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{tag}");
        names.push(name);
        if !tag.ends_with('/') {
            assert!(!VOID.contains(&name));
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    names
}

/// Where a tag ends: outside the quotes of its attributes.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at,
            b'<' => panic!("a tag in a tag: {tag:.40}"),
            _ => {}
        }
    }
    panic!("a tag without end: {tag:.40}")
}

#[test]
fn the_page_is_well_formed_and_has_every_picture() {
    let page = fixture::report().to_html();
    let names = elements(&page);
    let count = |name: &str| names.iter().filter(|&&found| found == name).count();
    assert_eq!(count("svg"), count("title") - 1 - marks(&names), "each picture has a name");
    assert_eq!(count("svg"), count("desc"), "each picture says what it shows");
    for part in [
        "ladder",
        "floor",
        "switch",
        "working-set",
        "ring",
        "create",
        "memory",
        "rounds",
        "trust",
        "peers",
        "machine",
    ] {
        assert!(page.contains(&format!("id=\"{part}\"")), "{part}");
        assert!(page.contains(&format!("href=\"#{part}\"")), "{part}");
    }
}

/// Marks whose title is not that of a picture.
fn marks(names: &[&str]) -> usize {
    let marked = ["circle", "polygon", "rect"];
    names.windows(2).filter(|pair| marked.contains(&pair[0]) && pair[1] == "title").count()
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let page = fixture::report().to_html();
    for outside in
        ["http:", "https:", "src=", "url(", "@import", "<script", "<link", "javascript:", " on"]
    {
        let tags = page.split('<').filter_map(|part| part.split_once('>')).map(|(tag, _)| tag);
        let found: Vec<&str> = match outside {
            // A handler is an attribute; in a sentence it is a word.
            " on" => tags
                .filter(|tag| tag.split('"').step_by(2).any(|part| part.contains(" on")))
                .collect(),
            _ => page.lines().filter(|line| line.contains(outside)).collect(),
        };
        assert_eq!(found, Vec::<&str>::new(), "{outside}");
    }
    assert!(page.contains("default-src &#39;none&#39;"));
}

#[test]
fn the_page_shows_every_row_and_every_refusal() {
    let report = fixture::report();
    let page = report.to_html();
    for row in &report.rows {
        assert!(page.contains(&row.key.mechanism), "{}", row.id);
        if let Some(reason) = &row.refused {
            assert!(page.contains(reason), "{reason}");
        }
    }
    assert!(page.contains("a neighbour was at work"), "why a round does not count");
    let rows = elements(&page).into_iter().filter(|&name| name == "tr").count();
    let shown = report.rows.iter().filter(|row| row.estimate.is_some()).count();
    assert!(rows >= shown, "{rows} of {shown}");
}

#[test]
fn what_has_no_rows_has_no_section() {
    let page = fixture::empty().to_html();
    elements(&page);
    for part in ["ladder", "switch", "ring", "rounds", "peers", "machine"] {
        assert!(!page.contains(&format!("id=\"{part}\"")), "{part}");
    }
    assert!(!page.contains("<svg"));
}

#[test]
fn an_answer_opens_the_page_only_where_it_is_proven() {
    let mut report = fixture::report();
    assert!(report.to_html().contains("class=\"lead\""));
    report.trust.broken_refused = None;
    let page = report.to_html();
    assert!(!page.contains("class=\"lead\""));
    assert!(page.contains("Nothing here may be believed"));
}

/// Every number of a report, one after the other.
fn each_number(report: &mut Report, mut change: impl FnMut(&mut f64)) {
    let figures = |figure: &mut Option<Estimate>, change: &mut dyn FnMut(&mut f64)| {
        if let Some(figure) = figure {
            [&mut figure.value, &mut figure.low, &mut figure.high]
                .into_iter()
                .for_each(&mut *change);
        }
    };
    for row in &mut report.rows {
        for figure in [&mut row.estimate, &mut row.touch, &mut row.refill] {
            figures(figure, &mut change);
        }
        row.quantiles.iter_mut().flat_map(|(at, value)| [at, value]).for_each(&mut change);
        let plain = [&mut row.switches, &mut row.cpu, &mut row.bytes_per_second];
        plain.into_iter().flatten().for_each(&mut change);
        for round in &mut row.rounds {
            [&mut round.median, &mut round.p99, &mut round.canary]
                .into_iter()
                .for_each(&mut change);
        }
    }
    for comparison in &mut report.comparisons {
        figures(&mut comparison.difference, &mut change);
        figures(&mut comparison.ratio, &mut change);
    }
    figures(&mut report.trust.overhead, &mut change);
    change(&mut report.trust.clock_nanos);
    change(&mut report.seconds);
}

/// Every string of a report that is not a unit of ours.
fn each_string(report: &mut Report, mut change: impl FnMut(&mut String)) {
    change(&mut report.command);
    change(&mut report.environment.date);
    report.remarks.iter_mut().for_each(&mut change);
    for fact in &mut report.environment.facts {
        [&mut fact.group, &mut fact.name, &mut fact.value].into_iter().for_each(&mut change);
    }
    report.environment.caches.iter_mut().for_each(|(name, _)| change(name));
    for row in &mut report.rows {
        change(&mut row.key.mechanism);
        row.refused.iter_mut().for_each(&mut change);
        row.rounds.iter_mut().flat_map(|round| &mut round.invalid).for_each(&mut change);
    }
    report.comparisons.iter_mut().for_each(|comparison| change(&mut comparison.question));
    change(&mut report.trust.clock);
    report.trust.checks.iter_mut().chain(&mut report.trust.broken_refused).for_each(&mut change);
    for counter in &mut report.trust.counters {
        change(&mut counter.name);
        counter.absent.iter_mut().for_each(&mut change);
    }
    for peer in &mut report.peers {
        [&mut peer.command, &mut peer.remark].into_iter().for_each(&mut change);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_string_breaks_out_of_the_markup(
        texts in proptest::collection::vec("(</?[a-z]+ ?|[\"'<>&/=]|-->|]]>|on[a-z]+=|\\PC|.){0,12}", 1..5)
    ) {
        let plain = fixture::report().to_html();
        let mut report = fixture::report();
        let mut texts = texts.iter().cycle();
        each_string(&mut report, |text| {
            // The first letters stay, so that the same rows are chosen for the same pictures.
            text.push_str(texts.next().unwrap());
        });
        let page = report.to_html();
        let known: std::collections::BTreeSet<&str> = elements(&plain).into_iter().collect();
        prop_assert!(elements(&page).into_iter().all(|name| known.contains(name)));
    }

    #[test]
    fn no_number_spoils_a_picture(
        numbers in proptest::collection::vec(any::<f64>(), 1..9),
        every in 1_usize..7,
    ) {
        let mut report = fixture::report();
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, f64::MAX, f64::MIN_POSITIVE];
        let mut numbers = numbers.iter().chain(&special).cycle();
        let mut at = 0;
        each_number(&mut report, |number| {
            at += 1;
            if at % every == 0 {
                *number = *numbers.next().unwrap();
            }
        });
        let page = report.to_html();
        elements(&page);
        prop_assert!(!page.contains("NaN"));
        let infinite = page.split(|c: char| !c.is_alphanumeric()).any(|word| word == "inf");
        prop_assert!(!infinite);
    }
}
