//! `palco bench servers`: which architecture for which work.

use anyhow::Result;
use palco_load::servers;

use super::super::measure::{check_page, seed_of_the_moment};
use super::kept::{command, keep, program};
use super::{clear, show};
use crate::args::ServersArgs;

/// Measures, shows and keeps a report.
pub(super) fn bench(args: &ServersArgs, json: bool) -> Result<()> {
    check_page(args.html.as_deref())?;
    let settings = args.settings(program(), seed_of_the_moment(), command());
    let report = servers::run(&settings, |progress| show(format_args!("{progress}")))?;
    clear();
    let as_json = report.to_json();
    let text = match (json, args.markdown, args.csv) {
        (true, ..) => as_json.clone(),
        (_, true, _) => report.to_markdown(),
        (_, _, true) => report.to_csv(),
        _ => report.to_table(),
    };
    keep("servers", &text, &as_json, &report.to_html(), args.html.as_deref())
}
