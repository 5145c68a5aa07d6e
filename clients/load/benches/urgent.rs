//! `cargo bench -p palco-load --bench urgent`: the run behind `palco bench urgent`, without the command line.

use std::error::Error;
use std::io::{self, Write};

use palco_actors::{Repertoire, enter};
use palco_load::urgent::{Settings, run};
use palco_models::players;
use palco_service::services::work::WorkService;

fn main() -> Result<(), Box<dyn Error>> {
    enter(|| players::<WorkService>(Repertoire::new()))?;
    let report = run(&Settings::default(), |progress| {
        let _ = write!(io::stderr(), "\r\x1b[K{progress}");
    })?;
    writeln!(io::stderr(), "\r\x1b[K")?;
    writeln!(io::stdout(), "{}", report.to_table())?;
    Ok(())
}
