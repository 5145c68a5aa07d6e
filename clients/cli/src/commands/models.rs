//! `palco models`: the matrix of architectures, from each model's own profile.

use std::process::ExitCode;

use anyhow::Result;
use palco_models::{ModelKind, profiles};

use crate::output;

pub(crate) fn models(json: bool) -> Result<ExitCode> {
    if json {
        output::json(&profiles())?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(
        "A server architecture is a model (who accepts, who serves) times a place (what a wait costs).\n",
    )?;
    for model in ModelKind::ALL {
        output::line(format!("  {:<16}{}", model.name(), model.sentence()))?;
    }
    output::line("")?;
    let rows = profiles().into_iter().map(|profile| {
        [
            format!("{} × {}", profile.model, profile.place),
            profile.classic_name.to_owned(),
            profile.concurrency.to_string(),
            profile.connections.to_owned(),
            profile.while_blocked.to_owned(),
            profile.idle_connection_holds.to_owned(),
            profile.workers.map_or("-".to_owned(), |workers| workers.to_string()),
        ]
    });
    let heading = [
        "MODEL × PLACE",
        "CLASSIC NAME",
        "CONCURRENCY",
        "SERVED AT ONCE",
        "A HANDLER BLOCKS: THE NEXT CLIENT",
        "IDLE CONNECTION HOLDS",
        "WORKERS",
    ];
    output::table(heading, rows)?;
    output::line("\nTry one: palco serve echo --model team --place thread --workers 4")?;
    output::line(
        "A fourth policy, the superserver, starts a program of anybody for each client: palco inetd --help",
    )?;
    Ok(ExitCode::SUCCESS)
}
