//! `cargo bench -p palco-load --bench observe`: the run behind `palco bench observe`, without the command line.

use std::error::Error;
use std::io::{self, Write};

use palco_load::observe::{Settings, run};

fn main() -> Result<(), Box<dyn Error>> {
    let report = run(&Settings::default(), |progress| {
        let _ = write!(io::stderr(), "\r\x1b[K{progress}");
    });
    writeln!(io::stderr(), "\r\x1b[K")?;
    writeln!(io::stdout(), "{}", report.to_table())?;
    Ok(())
}
