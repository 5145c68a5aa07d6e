//! Laws about the files: shape, names, words, waits, pages, and what must not leave the machine of its author.
//!
//! Each file holds a few rules as pure functions over one file, and tests in which they must object. The tests here
//! apply the rules to the whole repository and list every place with what to do about it.

mod names;
mod origins;
mod pages;
#[path = "../sources/scanner.rs"]
mod scanner;
mod shape;
mod test_code;
#[path = "../sources/tree.rs"]
mod tree;
mod waits;
mod words;

use std::collections::BTreeSet;

use tree::{File, Finding, assert_kept};

/// The folders whose files the rules judge.
const ROOMS: &[&str] = &["runtime/", "servers/", "clients/", "examples/", "docs/"];

/// Applies one rule to every file that it is about.
#[track_caller]
fn keep(law: &str, is_judged: impl Fn(&File) -> bool, rule: impl Fn(&File) -> Vec<Finding>) {
    let files = tree::files().expect("the repository is readable");
    let judged = files.iter().filter(|file| is_judged(file));
    let findings: Vec<Finding> = judged.flat_map(rule).collect();
    assert_kept(law, &findings);
}

fn in_rooms(file: &File) -> bool {
    ROOMS.iter().any(|room| file.path.starts_with(room))
}

fn source(file: &File) -> bool {
    in_rooms(file) && file.is_rust()
}

#[test]
fn source_files_are_short_and_say_what_they_are() {
    keep("a source file is short and begins with its documentation", source, shape::check_source);
}

#[test]
fn lines_end_where_their_text_ends() {
    keep("no tabs and no trailing spaces", shape::is_written_by_hand, shape::check_white_space);
}

#[test]
fn names_say_what_is_inside() {
    keep("files and folders are named after what they hold", in_rooms, names::check);
}

#[test]
fn nothing_is_stubbed_or_silenced() {
    keep("no stubs, no ignored tests, no silenced lints", source, words::check_stubs);
}

#[test]
fn imports_name_what_they_take() {
    keep("imports name what they take", source, words::check_imports);
}

#[test]
fn tests_wait_for_conditions() {
    keep("a test waits for a condition, with a deadline", source, waits::check);
}

#[test]
fn links_between_pages_resolve() {
    let files = tree::files().expect("the repository is readable");
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    keep("a link leads to a file", pages::is_page, |page| pages::check_links(page, &paths));
}

#[test]
fn pages_have_one_title() {
    let is_below_docs = |file: &File| pages::is_page(file) && in_rooms(file);
    keep("a page has one title", is_below_docs, pages::check_title);
}

#[test]
fn examples_on_pages_are_compiled() {
    let files = tree::files().expect("the repository is readable");
    let library = files.iter().find(|file| file.path == "docs/lib.rs").expect("docs is a library");
    let rule = |page: &File| pages::check_compiled(page, &library.text);
    keep("the examples on a page compile", pages::is_page, rule);
}

#[test]
fn no_path_of_a_machine_is_kept() {
    keep("no path of the machine it was written on", |_| true, origins::check_paths);
}

#[test]
fn packages_come_from_one_registry() {
    keep("packages come from crates.io", |file| file.path == "Cargo.lock", origins::check_registry);
}

#[test]
fn the_rules_have_something_to_judge() {
    let files = tree::files().expect("the repository is readable");
    let rooms = ROOMS
        .iter()
        .filter(|room| files.iter().any(|file| source(file) && file.path.starts_with(*room)));
    assert!(rooms.count() > 1, "no source beside docs");
}
