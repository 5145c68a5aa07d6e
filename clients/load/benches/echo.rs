//! `cargo bench -p palco-load --bench echo`: the run behind `palco bench echo`, without the command line.

use std::error::Error;
use std::io::{self, Write};

use palco_actors::{Repertoire, enter};
use palco_load::echo::{Settings, run};
use palco_models::players;
use palco_service::services::echo::EchoService;

fn main() -> Result<(), Box<dyn Error>> {
    enter(|| players::<EchoService>(Repertoire::new()))?;
    let report = run(&Settings::default(), |progress| {
        let _ = write!(io::stderr(), "\r\x1b[K{progress}");
    })?;
    writeln!(io::stderr(), "\r\x1b[K")?;
    writeln!(io::stdout(), "{}", report.to_table())?;
    Ok(())
}
