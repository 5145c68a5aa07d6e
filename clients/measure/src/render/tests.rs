//! What every form of a report promises.

pub(crate) mod fixture;
mod page;

use proptest::prelude::*;

use super::sentences;
use crate::report::{Estimate, Report};

fn forms(report: &Report) -> [(&'static str, String); 3] {
    [
        ("text", report.to_text(Some(100))),
        ("Markdown", report.to_markdown()),
        ("CSV", report.to_csv()),
    ]
}

/// Splits CSV as RFC 4180 defines it.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let mut lines = vec![vec![String::new()]];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let line = lines.last_mut().unwrap();
        let field = line.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(String::new()),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                lines.push(vec![String::new()]);
            }
            _ => field.push(c),
        }
    }
    assert_eq!(lines.pop(), Some(vec![String::new()]), "the last line has an end");
    lines
}

#[test]
fn every_form_shows_every_row_and_every_refusal() {
    let report = fixture::report();
    for (form, text) in forms(&report) {
        let unescaped = text.replace("\\_", "_");
        for row in &report.rows {
            assert!(unescaped.contains(&row.key.mechanism), "{form}: {}", row.id);
            if let Some(reason) = &row.refused {
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(words(&unescaped).contains(&words(reason)), "{form}: {}", row.id);
            }
        }
    }
}

#[test]
fn a_table_fits_the_columns_it_is_given() {
    let text = fixture::report().to_text(Some(100));
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 100).collect();
    assert_eq!(wide, Vec::<&str>::new());
}

#[test]
fn a_comparison_is_a_sentence() {
    let report = fixture::report();
    let told: Vec<String> =
        report.comparisons.iter().map(|one| sentences::comparison(&report, one)).collect();
    assert_eq!(
        told[0],
        "A process switch costs 180 ns (170–211) more than a thread switch: slower, 1.15×."
    );
    assert!(told[2].contains("alike"), "{}", told[2]);
    assert!(told[3].contains("less than a thread switch: faster"), "{}", told[3]);
    assert!(told[4].contains("no two hardware threads"), "{}", told[4]);
}

#[test]
fn a_report_without_rows_has_every_form() {
    for (form, text) in forms(&fixture::empty()) {
        assert!(!text.is_empty(), "{form}");
    }
    assert!(fixture::empty().to_json().contains("\"rows\": []"));
}

#[test]
fn no_answer_is_given_unless_the_broken_mechanism_was_refused() {
    let mut report = fixture::report();
    let told = super::headline::sentences(&report);
    assert!(told[0].starts_with("On this machine a thread switch on one core takes"), "{told:?}");
    report.trust.broken_refused = None;
    assert!(super::headline::sentences(&report).is_empty());
    assert!(report.to_text(None).contains("Nothing here may be believed"));
}

#[test]
fn an_answer_without_proof_is_missing() {
    let mut report = fixture::report();
    for row in &mut report.rows {
        // Nothing can be told from anything else.
        row.estimate = row.estimate.map(|figure| Estimate { low: 0.0, high: 1e12, ..figure });
        row.refill = row.refill.map(|figure| Estimate { low: 0.0, ..figure });
    }
    let told = super::headline::sentences(&report).join(" ");
    for claim in ["1/1", "two cores", "From 5 processes", "filling the caches", "Of 64 B messages"]
    {
        assert!(!told.contains(claim), "{claim}: {told}");
    }
}

#[test]
fn what_is_no_number_is_never_shown() {
    let mut report = fixture::report();
    let none = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for (row, &value) in report.rows.iter_mut().zip(none.iter().cycle()) {
        let estimate = Some(Estimate { value, low: value, high: value });
        row.estimate = if row.key.mechanism == "pipe" { row.estimate } else { estimate };
        (row.touch, row.refill) = (estimate, estimate);
        (row.switches, row.cpu, row.bytes_per_second) = (Some(value), Some(value), Some(value));
        row.quantiles = vec![(0.5, value), (value, 1.0)];
        for round in &mut row.rounds {
            (round.median, round.p99, round.canary) = (value, value, value);
            round.switches = vec![value];
        }
    }
    for comparison in &mut report.comparisons {
        comparison.difference = Some(Estimate { value: 1.0, low: f64::NAN, high: f64::INFINITY });
        comparison.ratio = Some(Estimate { value: f64::NAN, low: 1.0, high: 1.0 });
    }
    report.seconds = f64::NAN;
    report.trust.overhead = Some(Estimate { value: f64::NAN, low: 1.0, high: 1.0 });
    for (form, text) in forms(&report) {
        assert!(!text.contains("NaN"), "{form}");
        let infinite = text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "inf");
        assert!(!infinite, "{form}");
    }
}

#[test]
fn json_is_read_as_the_report_it_was_written_from() {
    let report = fixture::report();
    let read: Report = serde_json::from_str(&report.to_json()).unwrap();
    // The parser may miss the last bit of a number; nothing that is shown depends on it.
    assert_eq!(read.to_markdown(), report.to_markdown());
    assert_eq!(read.to_csv().lines().count(), report.to_csv().lines().count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_string_survives_csv(texts in proptest::collection::vec(any::<String>(), 4)) {
        let mut report = fixture::empty();
        report.rows = fixture::report().rows.split_off(26);
        let row = &mut report.rows[0];
        row.id.clone_from(&texts[0]);
        row.key.mechanism.clone_from(&texts[1]);
        row.refused = Some(texts[2].clone());
        let round = fixture::report().rows[0].rounds[0].clone();
        row.rounds = vec![crate::report::Round { invalid: Some(texts[3].clone()), ..round }];
        let lines = parse_csv(&report.to_csv());
        let at = |name: &str| super::csv::HEAD.iter().position(|&head| head == name).unwrap();
        prop_assert_eq!(&lines[0], &super::csv::HEAD);
        prop_assert!(lines.iter().all(|line| line.len() == super::csv::HEAD.len()));
        let found = ["id", "mechanism", "refused", "invalid"].map(|name| &lines[1][at(name)]);
        prop_assert!(found.into_iter().eq(&texts));
    }

    #[test]
    fn no_string_steers_a_terminal(text: String) {
        let mut report = fixture::report();
        report.command.clone_from(&text);
        report.comparisons[0].question.clone_from(&text);
        report.rows[3].key.mechanism.clone_from(&text);
        report.rows[26].refused = Some(text.clone());
        report.peers[0].remark = text;
        let shown = report.to_text(Some(100));
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
    }
}
