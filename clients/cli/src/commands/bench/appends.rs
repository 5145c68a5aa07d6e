//! `palco bench appends`: appends through kills.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use palco_load::appends::{self, Settings};

use super::super::measure::seed_of_the_moment;
use super::{BROKEN, clear, show};
use crate::output;

pub(super) fn bench(kills: u64, json: bool) -> Result<ExitCode> {
    // This very program, even if another file is at its path by now.
    let palco = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    let settings = Settings { palco, kills, seed: seed_of_the_moment() };
    let outcomes = appends::run(&settings, |done, all| show(format_args!("kill {done} of {all}")));
    let outcomes = outcomes.map_err(|error| anyhow!(error))?;
    clear();
    if json {
        output::json(&outcomes)?;
    } else {
        let rows = outcomes.iter().map(|it| {
            let keys = if it.with_keys { "with keys" } else { "without" };
            let counts = [it.kills, it.appends, it.sent_again, it.lost, it.doubled];
            let [kills, appends, again, lost, doubled] = counts.map(|count| count.to_string());
            [keys.to_owned(), kills, appends, again, lost, doubled, format!("{:.0}", it.seconds)]
        });
        output::table(["", "KILLS", "APPENDS", "SENT AGAIN", "LOST", "DOUBLED", "SECONDS"], rows)?;
    }
    let holds = outcomes[0].lost + outcomes[0].doubled + outcomes[1].lost == 0;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}
