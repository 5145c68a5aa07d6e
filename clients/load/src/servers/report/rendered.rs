//! Every form shows everything, and nothing else.

use super::fixture::{ROUNDS, large, plain, refused, report, row, somebody};
use super::{Measure, ServersReport, Workload};
use crate::servers::{Dialect, Origin};

/// Of names and figures that are awkward.
fn awkward() -> ServersReport {
    let cpu = [10.0, 11.0, f64::NAN, 10.5, 10.2];
    let zero = [0.0; ROUNDS];
    let mut first = row("a <b> & \"c\", d", &[(Measure::Cpu, &cpu), (Measure::Answered, &zero)]);
    first.response_us = vec![(0.0, 0.0), (0.5, f64::INFINITY), (0.99, 30.0), (1.0, 1e9)];
    let mut second = row("other", &[(Measure::Cpu, &zero), (Measure::Lost, &[f64::NAN; ROUNDS])]);
    second.response_us = vec![(0.0, 5.0), (0.5, 6.0), (1.0, 7.0)];
    let rows = vec![first, second, refused("gone", "it, \"is\" <not> here")];
    let names = ["a <b> & \"c\", d", "other", "gone"];
    let contestants = names.map(|name| somebody(name, Origin::Peer, None)).to_vec();
    report(contestants, vec![plain(Workload::Short, rows.clone()), plain(Workload::Crash, rows)])
}

#[test]
fn everybody_is_in_every_form() {
    let report = large();
    let page = report.to_html();
    for text in [report.to_table(), report.to_markdown(), report.to_csv(), page] {
        for contestant in &report.contestants {
            assert!(text.contains(&contestant.name), "{}", contestant.name);
        }
    }
}

#[test]
fn who_was_refused_is_shown_with_the_reason() {
    let report = awkward();
    for text in [report.to_table(), report.to_markdown()] {
        assert!(text.contains("not measured: it, \"is\" <not> here"), "{text}");
    }
    assert!(report.to_csv().contains("\"it, \"\"is\"\" <not> here\""), "{}", report.to_csv());
    let page = report.to_html();
    assert!(page.contains("it, &quot;is&quot; &lt;not&gt; here"));
    assert!(!page.contains("<not>") && !page.contains("a <b>"));
}

#[test]
fn pictures_have_numbers_only_and_are_described() {
    for report in [awkward(), large()] {
        let page = report.to_html();
        let pictures: Vec<&str> = page.split("<svg").skip(1).collect();
        assert!(pictures.len() > 2);
        for picture in pictures {
            let picture = picture.split("</svg>").next().unwrap();
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
            let is_mark = picture.contains("aria-hidden");
            let is_described = picture.contains("<title>") && picture.contains("<desc>");
            assert!(is_mark || is_described, "{picture}");
        }
        assert!(
            !page.contains("<script") && !page.contains("http://") && !page.contains("https://")
        );
    }
}

#[test]
fn rows_have_as_many_cells_as_their_head() {
    for report in [awkward(), large()] {
        for section in report.sections() {
            let columns = section.head.len();
            assert!(section.rows.iter().all(|row| row.len() == columns), "{}", section.title);
        }
    }
}

/// Fields of one line, quotes taken off.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut is_quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                fields.last_mut().unwrap().push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            letter => fields.last_mut().unwrap().push(letter),
        }
    }
    fields
}

#[test]
fn every_line_of_csv_has_the_same_fields_and_every_round_its_line() {
    let report = awkward();
    let csv = report.to_csv();
    let lines: Vec<_> = csv.lines().map(fields).collect();
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{csv}");
    let cpu = |name: &str| {
        let is_it = |line: &&Vec<String>| line[0] == "short" && line[2] == name && line[4] == "cpu";
        lines.iter().filter(is_it).map(|line| line[6].clone()).collect::<Vec<_>>()
    };
    assert_eq!(cpu("a <b> & \"c\", d"), ["10", "11", "", "10.5", "10.2"]);
    let gone: Vec<_> = lines.iter().filter(|line| line[2] == "gone").collect();
    assert!(gone.len() == 2 && gone[0][7] == "it, \"is\" <not> here", "{gone:?}");
}

#[test]
fn the_page_says_first_what_follows() {
    let page = large().to_html();
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    let order = [
        "What this run says",
        "id=\"control\"",
        "id=\"axes\"",
        "id=\"tails\"",
        "id=\"which\"",
        "Where the ranking reverses",
        "id=\"figures\"",
        "How to read it",
        "What is missing",
    ];
    assert!(order.map(at).is_sorted());
    assert!(page.contains("NOT MET") && page.contains(">met<"));
}

#[test]
fn the_c_program_comes_before_the_servers_of_its_design() {
    let report = large();
    let names: Vec<_> = report.ordered(Dialect::Plain).iter().map(|one| one.name.clone()).collect();
    let at = |name: &str| names.iter().position(|one| one == name).unwrap();
    assert!(at("C fork per connection") < at("palco per-connection × process"));
    assert!(at("palco per-connection × process") < at("C processes in accept"));
    let plain = report.contestants.iter().filter(|one| one.dialect == Dialect::Plain);
    assert_eq!(names.len(), plain.count());
}
