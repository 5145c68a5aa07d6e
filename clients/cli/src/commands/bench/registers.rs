//! `palco bench registers`: palco beside etcd and redis.

use anyhow::Result;
use palco_load::registers;

use super::super::measure::{check_page, seed_of_the_moment};
use super::kept::{command, keep, program};
use super::{clear, show};
use crate::args::RegistersArgs;

/// Measures, shows and keeps a report.
pub(super) fn bench(args: &RegistersArgs, json: bool) -> Result<()> {
    check_page(args.html.as_deref())?;
    let settings = args.settings(program(), seed_of_the_moment(), command());
    let report = registers::run(&settings, |progress| show(format_args!("{progress}")))?;
    clear();
    let as_json = report.to_json();
    let text = match (json, args.markdown) {
        (true, _) => as_json.clone(),
        (_, true) => report.to_markdown(),
        _ => report.to_table(),
    };
    keep("registers", &text, &as_json, &report.to_html(), args.html.as_deref())
}
