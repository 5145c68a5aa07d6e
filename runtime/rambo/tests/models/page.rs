//! `docs/results/models.md`: what the models give, kept where people read it, and never out of date.

use std::{env, fs, path::PathBuf};

use crate::{ballots, cas, phases, reconfiguration, recovery, report::Case, three_deep};

const HEAD: &str = "# What the models found

Exhaustive exploration (stateright, breadth first) of small models of RAMBO's mechanisms, by
`runtime/rambo/tests/models/`. A safe variant was explored to its last state, and a state in which everything is done was
among them; of an unsafe one the shortest trace is told. States of safe variants are counted up to renaming of nodes that
no configuration tells apart.

A trace is the shortest there is: below each length that was found it was searched again, for the checker alone keeps
the last violation that it meets.

Made anew by `PALCO_BLESS=1 cargo test -p palco-rambo --test models page`; the test of that name fails while this page
differs from what the models give.

";
const TABLE: &str = "| model | variant | section | states | depth | verdict | shortest trace |
|---|---|---|---|---|---|---|
";
const EXHAUSTIVE: &str = "
## Larger instances

Run with `--features exhaustive`, which takes minutes and gigabytes.

";

fn table(models: &[(&str, &[Case])]) -> String {
    let rows =
        models.iter().flat_map(|(name, cases)| cases.iter().map(|case| case.row(name) + "\n"));
    TABLE.to_owned() + &rows.collect::<String>()
}

/// The larger instances, explored.
#[cfg(feature = "exhaustive")]
fn larger(_kept: &str) -> String {
    use reconfiguration::larger::{CASES, NAME};
    table(&[(NAME, &CASES)])
}

/// The larger instances, as they were when they were explored.
#[cfg(not(feature = "exhaustive"))]
fn larger(kept: &str) -> String {
    kept.to_owned()
}

#[test]
fn the_page_says_what_the_models_give() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/results/models.md");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let models: &[(&str, &[Case])] = &[
        (reconfiguration::variants::NAME, &reconfiguration::variants::CASES),
        (cas::NAME, &cas::CASES),
        (ballots::NAME, &ballots::CASES),
        (phases::variants::NAME, &phases::variants::CASES),
        (recovery::NAME, &recovery::CASES),
        (three_deep::NAME, &three_deep::CASES),
    ];
    let kept_larger = kept.split_once(EXHAUSTIVE).map_or("", |(_, larger)| larger);
    let larger = larger(kept_larger);
    let now = format!("{HEAD}{}{EXHAUSTIVE}{larger}", table(models));
    if env::var_os("PALCO_BLESS").is_some() {
        fs::write(&path, now).expect("the page can be written");
        return;
    }
    assert_eq!(now, kept, "docs/results/models.md is out of date: PALCO_BLESS=1 makes it anew");
}
