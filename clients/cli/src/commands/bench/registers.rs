//! `palco bench registers`: palco beside etcd and redis.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use palco_load::registers;
use palco_measure::kept;

use super::super::measure::{check_page, seed_of_the_moment};
use super::{clear, show};
use crate::args::RegistersArgs;
use crate::output;

/// Measures, shows and keeps a report.
pub(super) fn bench(args: &RegistersArgs, json: bool) -> Result<()> {
    check_page(args.html.as_deref())?;
    let command = env::args().skip(1).fold("palco".to_owned(), |line, word| line + " " + &word);
    // This very program, even if another file is at its path by now.
    let palco = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    let settings = args.settings(palco, seed_of_the_moment(), command);
    let report = registers::run(&settings, |progress| show(format_args!("{progress}")))?;
    clear();
    let html = report.to_html();
    if let Some(file) = &args.html {
        fs::write(file, &html).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let kept = kept::keep(&kept::directory(), "registers", &report.to_json(), &html);
    let text = match (json, args.markdown) {
        (true, _) => report.to_json(),
        (_, true) => report.to_markdown(),
        _ => report.to_table(),
    };
    output::line(text.trim_end())?;
    match kept {
        Ok(page) => eprintln!("the page of this report: {}", page.display()),
        Err(error) => eprintln!("palco: the report is not kept: {error}"),
    }
    Ok(())
}
