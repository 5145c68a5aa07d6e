//! `cargo bench -p palco-load --features peers`: the run behind `palco bench actors`, without the command line.
//!
//! Arguments: names of questions (all if none), and `quick`.

use std::env;
use std::error::Error;
use std::io::{self, Write};

use palco_actors::{Repertoire, enter};
use palco_load::actors::{self, Question, Settings};
use palco_load::players;

fn main() -> Result<(), Box<dyn Error>> {
    enter(|| players(Repertoire::new()))?;
    let mut settings = Settings::default();
    let mut questions: Vec<Option<Question>> = Vec::new();
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--bench" => {} // cargo adds it
            "quick" => settings.quick = true,
            name => questions.push(Some(name.parse()?)),
        }
    }
    if questions.is_empty() {
        questions.push(None);
    }
    for only in questions {
        settings.only = only;
        let report = actors::run(&settings, |progress| {
            let (done, total) = (progress.done + 1, progress.total);
            let _ = write!(io::stderr(), "\r\x1b[K{done}/{total} {}", progress.row);
        });
        writeln!(io::stderr(), "\r\x1b[K")?;
        writeln!(io::stdout(), "{}", report.to_table())?;
    }
    Ok(())
}
