//! `palco bench switch` and its sisters, and `palco bench compare`, as a user runs them: what is there, and why what is not
//! there is missing. How long anything took is nobody's promise here: on a busy machine rows may be refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::palco;

/// `palco bench`, with a directory of its own for the reports that it keeps.
struct Bench {
    state: TempDir,
    output: Output,
}

fn bench(arguments: &[&str]) -> Bench {
    let state = tempfile::tempdir().unwrap();
    let mut command = palco();
    command.arg("bench").args(arguments).env("XDG_STATE_HOME", state.path());
    let output = command.output().unwrap();
    Bench { state, output }
}

/// The shortest run that there is.
fn quick(topic: &str, arguments: &[&str]) -> Bench {
    bench(&[&[topic, "--quick", "--rounds", "3"], arguments].concat())
}

impl Bench {
    fn code(&self) -> i32 {
        self.output.status.code().unwrap()
    }

    fn said(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    fn errors(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    fn report(&self) -> Value {
        let report = serde_json::from_slice(&self.output.stdout);
        report.unwrap_or_else(|error| panic!("{error}: {}", self.errors()))
    }

    fn kept(&self, file: &str) -> String {
        std::fs::read_to_string(self.state.path().join("palco/reports").join(file)).unwrap()
    }

    fn names_kept(&self) -> BTreeSet<String> {
        let Ok(files) = std::fs::read_dir(self.state.path().join("palco/reports")) else {
            return BTreeSet::new();
        };
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// It has failed with this code, has said this on stderr, and has measured nothing.
    fn refuses(&self, code: i32, said: &str) {
        assert!(self.errors().contains(said), "not {said:?}: {}", self.errors());
        assert_eq!((self.code(), self.said().as_str(), self.names_kept().len()), (code, "", 0));
    }
}

fn rows(report: &Value) -> &[Value] {
    report["rows"].as_array().unwrap()
}

fn ids(report: &Value) -> BTreeSet<&str> {
    rows(report).iter().map(|row| row["id"].as_str().unwrap()).collect()
}

fn sections(report: &Value) -> BTreeSet<&str> {
    rows(report).iter().map(|row| row["key"]["section"].as_str().unwrap()).collect()
}

/// Each row once, each with a figure or with the reason why it has none.
fn check(report: &Value) {
    assert_eq!((&report["schema"], &report["rounds"]), (&1.into(), &3.into()));
    assert_eq!(ids(report).len(), rows(report).len(), "a row is there twice");
    for row in rows(report) {
        match row["refused"].as_str() {
            Some(reason) => assert!(row["estimate"].is_null() && !reason.is_empty(), "{row}"),
            None => {
                let figure = |name: &str| row["estimate"][name].as_f64().unwrap();
                assert!(figure("low") <= figure("value") && figure("value") <= figure("high"));
                assert!(row["rounds"].as_array().unwrap().len() >= 3, "{row}");
            }
        }
    }
}

/// One page, whole in itself; links lead to its own sections.
fn check_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{page}");
    for outside in ["http:", "https:", "<script", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#").count());
}

#[test]
fn a_quick_run_has_every_section_refuses_what_is_broken_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("report.html");
    let bench = quick("switch", &["--json", "--html", html.to_str().unwrap()]);
    let report = bench.report();
    check(&report);
    assert_eq!(sections(&report), BTreeSet::from(["floor", "ring", "switch", "working-set"]));

    let broken = rows(&report).iter().find(|row| row["key"]["mechanism"] == "broken").unwrap();
    let reason = broken["refused"].as_str().unwrap();
    assert_eq!(bench.code(), 0, "{reason}");
    assert!(report["trust"]["broken_refused"].is_string());
    assert!(reason.contains(" times an operation where it must "), "{reason}");

    assert_eq!(bench.names_kept(), ["switch.html", "switch.json"].map(str::to_owned).into());
    let where_it_is = bench.state.path().join("palco/reports/switch.html");
    assert!(
        bench.errors().contains(&format!("the page of this report: {}\n", where_it_is.display()))
    );
    assert_eq!(serde_json::from_str::<Value>(&bench.kept("switch.json")).unwrap(), report);
    let page = std::fs::read_to_string(html).unwrap();
    check_page(&page);
    assert_eq!(page, bench.kept("switch.html"));
}

/// What a run of one mechanism of one unit prints, says besides and keeps, for tests that need some report.
static NARROW: LazyLock<(Value, String, BTreeSet<String>)> = LazyLock::new(|| {
    let filter = ["--units", "process", "--via", "pipe", "--json"];
    let bench = quick("switch", &[&filter[..], &["--keep-noisy", "--no-keep"]].concat());
    (bench.report(), bench.errors(), bench.names_kept())
});

#[test]
fn a_filter_leaves_what_was_asked_for_and_the_yardsticks_and_nothing_need_be_kept() {
    let (report, errors, names_kept) = &*NARROW;
    check(report);
    let expected = [
        "floor/thread/bare@same",
        "floor/thread/broken@same",
        "switch/process/pipe@same",
        "switch/thread/futex-private@same",
    ];
    // In the usual way where real time is not permitted, as in a control group without it.
    let ids = ids(report).into_iter().map(|id| id.trim_end_matches("/usual"));
    assert_eq!(ids.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    let remarks = report["remarks"].as_array().unwrap();
    assert!(remarks.contains(&"rounds of noisy moments count too, as was asked for".into()));
    assert!(names_kept.is_empty() && !errors.contains("the page of"));
}

#[test]
fn what_there_is_not_is_refused_with_what_there_is() {
    for (arguments, said) in [
        (&["switch", "--units", "coroutine"][..], "inline, fiber, task, thread, process"),
        (&["switch", "--via", "fork-wait"], "there are: actix-ask, "),
        (&["switch", "--via", "pipe,tin"], "there is no mechanism `tin`; there are: "),
        (&["switch", "--pattern", "random"], "possible values: sequential, chase"),
        (&["switch", "--pages", "1G"], "possible values: 4K, 2M"),
        (&["switch", "--cores", "two"], "possible values: same, sibling, other"),
        (&["switch", "--policy", "rr"], "possible values: fifo, other"),
        (&["switch", "--ws", "1G"], "a number of bytes, or of K or M as 64K, at most 64M"),
        (&["switch", "--ws", "x"], "a number of bytes, or of K or M as 64K, at most 64M"),
        (&["switch", "--ws", "65M"], "`65M` is too much: at most 64M a side"),
        (&["switch", "--rounds", "2"], "2 is not in 3..=1000"),
        (&["switch", "--quick", "--full"], "cannot be used with '--full'"),
        (&["switch", "--csv", "--json"], "cannot be used with '--json'"),
        (&["ring", "--n", "1..3"], "two numbers from 2 to 64, as 2..32"),
        (&["ring", "--n", "5"], "two numbers from 2 to 64, as 2..32"),
        (&["ring", "--n", "5..2"], "two numbers from 2 to 64, as 2..32"),
        (&["ring", "--n", "2..99"], "two numbers from 2 to 64, as 2..32"),
        (&["ring", "--units", "thread"], "unexpected argument '--units'"),
    ] {
        bench(arguments).refuses(2, said);
    }
}

#[test]
fn filters_that_exclude_each_other_cost_neither_time_nor_the_page_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("report.html");
    std::fs::write(&html, "the page of before").unwrap();
    for filter in [
        ["--units", "inline", "--via", "pipe"],
        ["--units", "process", "--via", "futex-private"],
        ["--units", "fiber", "--cores", "other"],
    ] {
        let bench = quick("switch", &[&filter[..], &["--html", html.to_str().unwrap()]].concat());
        bench.refuses(1, "the filters exclude each other; leave one of them out, or add --full");
        assert_eq!(std::fs::read_to_string(&html).unwrap(), "the page of before");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let bench = bench(&["switch", "--full", "--html", "/nosuch/report.html"]);
    bench.refuses(1, "cannot write /nosuch/report.html");
    assert_eq!(bench.errors().lines().count(), 1, "no progress: {}", bench.errors());
}

/// The fields of each line (RFC 4180).
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                field.extend(characters.next());
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            '\n' if !is_quoted => {
                fields.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                lines.push(std::mem::take(&mut fields));
            }
            other => field.push(other),
        }
    }
    assert!(!is_quoted && field.is_empty() && fields.is_empty(), "the last line has its end");
    lines
}

#[test]
fn csv_has_a_head_and_a_line_for_each_row_and_round() {
    let bench = quick("memory", &["--csv"]);
    assert_eq!(bench.code(), 0, "{}", bench.errors());
    let report: Value = serde_json::from_str(&bench.kept("memory.json")).unwrap();
    check(&report);
    let lines = csv(&bench.said());
    let (head, lines) = lines.split_first().unwrap();
    assert!(lines.iter().all(|line| line.len() == head.len()), "{lines:?}");
    let column = |name: &str| head.iter().position(|field| field == name).unwrap();
    let (id, round, estimate) = (column("id"), column("round"), column("estimate"));
    let mut lines = lines.iter();
    for row in rows(&report) {
        let rounds = row["rounds"].as_array().unwrap().len();
        for number in 1..=rounds.max(1) {
            let line = lines.next().unwrap();
            assert_eq!(line[id], row["id"].as_str().unwrap());
            assert_eq!(line[round], if rounds == 0 { String::new() } else { number.to_string() });
            // Read by the same reader as the report's: another may differ in the last bit.
            let figure: Option<f64> = serde_json::from_str(&line[estimate]).ok();
            assert_eq!(figure, row["estimate"]["value"].as_f64(), "{row}");
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn markdown_has_tables_also_where_the_report_cannot_be_kept() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut command = palco();
    command.args(["bench", "memory", "--quick", "--rounds", "3", "--markdown"]);
    let output = command.env("XDG_STATE_HOME", file.path()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.contains("the report is not kept"), "{errors}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with("# ") && page.lines().any(|line| line.starts_with("|---")), "{page}");
}

#[test]
fn each_topic_has_rows_of_its_own_sections() {
    for (arguments, of) in [
        (&["ring", "--n", "2..3"][..], &["floor", "ring"][..]),
        (&["create"], &["create", "floor"]),
        (&["memory"], &["floor", "memory"]),
        (&["ipc"], &["floor", "ipc-latency", "ipc-throughput"]),
    ] {
        let bench = quick(arguments[0], &[&arguments[1..], &["--json"]].concat());
        assert_eq!(bench.code(), 0, "{}", bench.errors());
        let report = bench.report();
        check(&report);
        assert_eq!(sections(&report), of.iter().copied().collect());
        assert_eq!(
            bench.names_kept(),
            ["html", "json"].map(|kind| format!("{}.{kind}", arguments[0])).into()
        );
        if arguments[0] == "ring" {
            let cell = |row: &Value| (row["key"]["unit"].clone(), row["key"]["units"].clone());
            let rings = rows(&report).iter().filter(|row| row["key"]["section"] == "ring");
            let cells: Vec<_> = rings.map(cell).collect();
            let both = |units: u64| ["process", "thread"].map(|unit| (unit.into(), units.into()));
            assert_eq!(cells, [both(2), both(3)].concat());
        }
    }
}

fn compare(before: &Path, after: &Path, arguments: &[&str]) -> Bench {
    let files = [before, after].map(|file| file.to_str().unwrap());
    bench(&[&["compare"], &files[..], arguments].concat())
}

#[test]
fn a_report_is_like_itself_and_is_not_compared_with_that_of_another_machine() {
    let folder = tempfile::tempdir().unwrap();
    let [here, elsewhere] = ["here.json", "elsewhere.json"].map(|name| folder.path().join(name));
    let mut report = NARROW.0.clone();
    std::fs::write(&here, report.to_string()).unwrap();

    let compared = compare(&here, &here, &["--json"]).report();
    assert_eq!(rows(&compared).len(), rows(&report).len());
    for (row, measured) in rows(&compared).iter().zip(rows(&report)) {
        let is_refused = measured["estimate"].is_null();
        assert_eq!(row["verdict"], if is_refused { "unknown" } else { "alike" }, "{row}");
        assert_eq!(row["remark"].is_string(), is_refused, "{row}");
    }

    let facts = report["environment"]["facts"].as_array_mut().unwrap();
    let deciding = facts.iter_mut().find(|fact| fact["decides"] == true).unwrap();
    deciding["value"] = "Another".into();
    let name =
        format!("{} {}: ", deciding["group"].as_str().unwrap(), deciding["name"].as_str().unwrap());
    std::fs::write(&elsewhere, report.to_string()).unwrap();
    let refused = compare(&here, &elsewhere, &[]);
    refused.refuses(3, &name);
    assert!(refused.errors().contains("`Another`"), "{}", refused.errors());
    let forced = compare(&here, &elsewhere, &["--force"]);
    assert_eq!(forced.code(), 0, "{}", forced.errors());
    assert!(forced.said().contains(&format!("NOT COMPARABLE, and forced: {name}")));
    let table = compare(&here, &elsewhere, &["--force", "--markdown"]).said();
    assert!(table.contains("\n|---|---:|"), "{table}");
}

#[test]
fn what_is_no_report_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text, said) in [
        ("words.json", "not JSON", "words.json, line 1, column 2: this is no JSON"),
        ("empty.json", "", "empty.json, line 1, column 0: this is no JSON"),
        ("later.json", "{\"schema\": 2}", "later.json has schema 2, this palco reads 1"),
        ("other.json", "{\"tables\": []}", "other.json is no report: it has no number `schema`"),
        ("part.json", "{\"schema\": 1}", "part.json is no report: missing field"),
    ] {
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        compare(&path, &path, &[]).refuses(1, said);
    }
    let missing = folder.path().join("missing.json");
    compare(&missing, &missing, &["--force"])
        .refuses(1, &format!("cannot read {}: No such file", missing.display()));
}
