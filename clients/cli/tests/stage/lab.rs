//! `palco lab`, as a user runs it.

use serde_json::Value;

use crate::support::palco;

/// What `palco lab` prints with these arguments.
fn lab(arguments: &[&str]) -> String {
    let output = palco().arg("lab").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_mode_of_a_pipe_between_two_processes_is_as_explained() {
    let report: Value = serde_json::from_str(&lab(&["pipes", "--json"])).unwrap();
    assert_eq!(report["units"], "processes");
    let modes = report["modes"].as_array().unwrap();
    assert_eq!(modes.len(), 8);
    for line in modes.iter().chain(report["facts"].as_array().unwrap()) {
        assert_eq!(line["as_explained"], true, "{line}");
    }
    // Careless writers lose all but one pipe full, whoever reads.
    let lost = |line: &&Value| line["outcome"]["lost"] == 3976;
    assert_eq!(modes.iter().filter(lost).count(), 2);
    // Careless readers of a slow writer handle every number twice, and one that was never sent.
    let twice = |line: &&Value| line["outcome"]["stale"] == 5000 && line["outcome"]["zeros"] == 1;
    assert_eq!(modes.iter().filter(twice).count(), 2);
}

#[test]
fn the_table_says_where_the_textbook_is_wrong_and_why() {
    let table = lab(&["pipes"]);
    let wrong = table.lines().find(|line| line.contains("5001: 5000 handled again, 1 as zero"));
    assert!(wrong.is_some_and(|line| line.ends_with("Wrong")), "{table}");
    assert!(table.contains("still holds the message before"), "{table}");
}

#[test]
fn the_same_as_markdown() {
    let page = lab(&["pipes", "--markdown"]);
    assert!(page.starts_with("# Pipes in four modes\n"), "{page}");
    let row = "| reader | non-blocking | blocking | 5000 | 1024 | 3976 | 0 | ";
    assert!(page.lines().any(|line| line.starts_with(row)), "{page}");
}

#[test]
fn the_help_teaches_and_two_forms_at_once_are_refused() {
    let help = lab(&["pipes", "--help"]);
    assert!(help.contains("O_NONBLOCK") && help.contains("Exit code 3"), "{help}");
    let output = palco().args(["lab", "pipes", "--json", "--markdown"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
