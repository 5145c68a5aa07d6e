//! `palco fetch`: many files one by one and several at once, by threads with a connection each.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use palco_client::files::{FileKind, Metadata};
use palco_client::{FileClient, FileError, FileOptions};
use serde::Serialize;

use crate::args::Fetch;
use crate::output;

/// Everything once, with so many at once.
#[derive(Debug, Serialize)]
struct Outcome {
    parallel: usize,
    files: usize,
    bytes: usize,
    /// Of the fastest round.
    micros: u128,
    files_per_s: f64,
    /// How many times faster than with the first number.
    speed_up: f64,
}

pub(crate) fn fetch(wanted: &Fetch, json: bool) -> Result<ExitCode> {
    let mut client = FileClient::new(&wanted.from, FileOptions::new(wanted.protocol))?;
    let paths = files_at(&mut client, &wanted.paths)?;
    ensure!(!paths.is_empty(), "there are no files at {}", wanted.paths.join(", "));
    let mut fastest = vec![Duration::MAX; wanted.parallel.len()];
    let mut contents = Vec::new();
    for _ in 0..wanted.rounds {
        for (parallel, fastest) in wanted.parallel.iter().zip(&mut fastest) {
            let begun = Instant::now();
            let fetched = client.fetch_all(&paths, *parallel)?;
            *fastest = begun.elapsed().min(*fastest);
            contents = fetched.into_iter().collect::<Result<Vec<_>, FileError>>()?;
        }
    }
    if let Some(into) = &wanted.into {
        write(into, &paths, &contents)?;
    }
    let bytes = contents.iter().map(Vec::len).sum();
    let outcomes = wanted.parallel.iter().zip(&fastest).map(|(parallel, time)| Outcome {
        parallel: *parallel,
        files: paths.len(),
        bytes,
        micros: time.as_micros(),
        files_per_s: paths.len() as f64 / time.as_secs_f64(),
        speed_up: fastest[0].as_secs_f64() / time.as_secs_f64(),
    });
    let outcomes: Vec<_> = outcomes.collect();
    if json {
        output::json(&outcomes)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = outcomes.iter().map(|it| {
        [
            it.parallel.to_string(),
            it.files.to_string(),
            it.bytes.to_string(),
            format!("{:.1}", it.micros as f64 / 1e3),
            format!("{:.0}", it.files_per_s),
            format!("{:.1}", it.speed_up),
        ]
    });
    output::table(["AT ONCE", "FILES", "BYTES", "MS", "FILES/S", "SPEED-UP"], rows)?;
    Ok(ExitCode::SUCCESS)
}

/// The files that are meant: each path itself, or what is in it.
fn files_at(client: &mut FileClient, paths: &[String]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for path in paths {
        // Over HTTP a directory has its name with a slash.
        let is_directory = path.ends_with('/')
            || matches!(client.metadata(path)?, Metadata { kind: FileKind::Directory, .. });
        if !is_directory {
            files.push(path.clone());
            continue;
        }
        let listing = client.list(path)?;
        ensure!(listing.is_complete, "{path} has more entries than the server shows: name files");
        let inside = listing.entries.into_iter().filter(|entry| entry.kind == FileKind::File);
        files.extend(inside.map(|entry| format!("{}/{}", path.trim_end_matches('/'), entry.name)));
    }
    Ok(files)
}

/// Writes all files under their last names.
fn write(into: &Path, paths: &[String], contents: &[Vec<u8>]) -> Result<()> {
    let mut names = HashSet::new();
    for (path, content) in paths.iter().zip(contents) {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !names.insert(name) || matches!(name, "" | "." | "..") {
            bail!("{path} cannot be written as `{name}`: the name is there twice, or is none");
        }
        let file = into.join(name);
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
