//! `palco bench state`: stateless beside stateful.

use anyhow::Result;
use palco_load::state;

use super::super::measure::{check_page, seed_of_the_moment};
use super::kept::{command, keep, program};
use super::{clear, show};
use crate::args::StateArgs;

/// Measures, shows and keeps a report.
pub(super) fn bench(args: &StateArgs, json: bool) -> Result<()> {
    check_page(args.html.as_deref())?;
    let settings = args.settings(program(), seed_of_the_moment(), command());
    let report = state::run(&settings, |progress| show(format_args!("{progress}")))?;
    clear();
    let as_json = report.to_json();
    let text = match (json, args.markdown) {
        (true, _) => as_json.clone(),
        (_, true) => report.to_markdown(),
        _ => report.to_table(),
    };
    keep("state", &text, &as_json, &report.to_html(), args.html.as_deref())
}
