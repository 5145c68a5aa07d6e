//! hosts.allow and hosts.deny mean here what they mean to the real libwrap: `tcpdmatch` is asked the same.

mod cases;
mod oracle;

use std::fs;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use cases::{CLIENTS, Case, DAEMONS, case, client, option};
use oracle::Oracle;

/// Disagreements as text; none is agreement.
fn disagreement(oracle: &Oracle, case: &Case) -> Option<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let list = directory.path().join("list");
    let files = [("hosts.allow", &case.allow), ("hosts.deny", &case.deny), ("list", &case.list)];
    for (name, text) in files {
        let text = text.replace("LIST", list.to_str().expect("a path of letters"));
        fs::write(directory.path().join(name), text).expect("a file");
    }
    let asked = format!("{}{}", case.daemon, case.server);
    let mut predictions = oracle.predict(directory.path(), &asked, case.client).into_iter();
    predictions.find_map(|prediction| {
        let (word, judgement) = prediction.judge(directory.path(), &case.daemon);
        (word != prediction.access)
            .then(|| format!("tcpdmatch: {prediction:?}\nhere: {judgement:?}"))
    })
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

#[test]
fn hosts_access_decides_as_libwrap_does() {
    let oracle = Oracle::find();
    runner(2_000)
        .run(&case(), |case| {
            let disagreement = disagreement(&oracle, &case);
            prop_assert!(disagreement.is_none(), "{}", disagreement.unwrap_or_default());
            Ok(())
        })
        .unwrap();
}

/// Single rules, where nothing hides a disagreement: the last word is always that of the rule.
#[test]
fn every_single_rule_decides_as_libwrap_does() {
    let oracle = Oracle::find();
    let clients =
        (client(), select(&CLIENTS[..]), select(&DAEMONS[..]), prop::option::of(option()));
    runner(1_500)
        .run(&clients, |(word, client, daemon, option)| {
            let option = option.map_or(String::new(), |option| format!(" : {option}"));
            let case = Case {
                allow: format!("ALL: {word}{option}\n"),
                deny: "ALL: ALL\n".into(),
                list: "10.1.2.3 localhost [fd00::]/16\n".into(),
                daemon: daemon.into(),
                server: "",
                client,
            };
            let disagreement = disagreement(&oracle, &case);
            prop_assert!(disagreement.is_none(), "{}", disagreement.unwrap_or_default());
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_comparison_objects_to_another_answer() {
    let oracle = Oracle::find();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("hosts.deny"), "d: 10.1.2.3\n").unwrap();
    let predictions = oracle.predict(directory.path(), "d", "10.1.2.3");
    assert_eq!(predictions.len(), 1);
    assert_eq!(predictions[0].access, "denied");
    assert_eq!(predictions[0].judge(directory.path(), "d").0, "denied");
    assert_eq!(predictions[0].judge(directory.path(), "other").0, "granted");
}
