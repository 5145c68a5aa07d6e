//! `cargo bench -p palco-load --bench spawn`: the run behind `palco bench spawn`, without the command line.

use std::error::Error;
use std::io::{self, Write};

use palco_actors::{Repertoire, enter};
use palco_load::players;
use palco_load::spawn::{Settings, run};

fn main() -> Result<(), Box<dyn Error>> {
    enter(|| players(Repertoire::new()))?;
    let report = run(&Settings::default(), |progress| {
        let _ = write!(io::stderr(), "\r\x1b[K{progress}");
    });
    writeln!(io::stderr(), "\r\x1b[K")?;
    writeln!(io::stdout(), "{}", report.to_table())?;
    Ok(())
}
