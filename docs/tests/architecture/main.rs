//! The laws of the tree: who may use whom, and what may stand where.
//!
//! Each file holds one law as a pure function over small data, and a test in which it must object. The tests here
//! apply the laws to this workspace. A new crate gets its place in `direction.rs`; the rest follows.

mod direction;
mod graph;
mod holders;
mod programs;
mod purity;
#[path = "../sources/scanner.rs"]
mod scanner;
#[path = "../sources/tree.rs"]
mod tree;
mod unsafety;

use tree::assert_kept;

#[test]
fn crates_use_only_rooms_to_their_left() -> anyhow::Result<()> {
    assert_kept("a room uses only rooms to its left", &direction::check(&graph::load()?));
    Ok(())
}

#[test]
fn pure_crates_reach_no_system() -> anyhow::Result<()> {
    assert_kept("pure crates reach no runtime and no system", &purity::check(&graph::load()?));
    Ok(())
}

#[test]
fn frameworks_stay_with_their_holders() -> anyhow::Result<()> {
    let mut findings = holders::check_dependencies(&graph::load()?);
    findings.extend(tree::files()?.iter().flat_map(holders::check_source));
    assert_kept("a framework is used in one place", &findings);
    Ok(())
}

#[test]
fn unsafe_code_stays_in_its_room_and_says_why() -> anyhow::Result<()> {
    let roots = graph::load()?.crates.into_iter().flat_map(|krate| krate.roots).collect();
    let files = tree::files()?;
    let findings: Vec<_> = files.iter().flat_map(|file| unsafety::check(file, &roots)).collect();
    assert_kept("unsafe code stays in its room and says why it holds", &findings);
    Ok(())
}

#[test]
fn there_is_one_program() -> anyhow::Result<()> {
    assert_kept("only clients/cli is a binary", &programs::check(&graph::load()?));
    Ok(())
}

#[test]
fn the_laws_have_something_to_judge() -> anyhow::Result<()> {
    let graph = graph::load()?;
    assert!(graph.crates.iter().any(|krate| krate.folder != "docs"), "only palco-docs is a member");
    assert!(graph.crates.iter().all(|krate| !krate.roots.is_empty()), "a crate without a root");
    assert!(graph.crates.iter().all(|krate| graph.links.contains_key(&krate.name)));
    Ok(())
}
