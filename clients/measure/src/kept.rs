//! The last report of each topic, kept on disk: as data for programs, as a page for people.
//!
//! A topic is `switch`, `ring` and so on; it has two files, `switch.json` and `switch.html`. Whoever reads expects
//! anything in them: what is broken is left out, what is long is not read.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::Uid;
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::report::Grade;

/// The longest file that is kept or read.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Reports that are listed; the first by the alphabet.
pub const TOPICS_MAX: usize = 32;
/// The longest name of a topic.
const TOPIC_BYTES_MAX: usize = 32;
/// Entries of the directory that are looked at: more than all topics have.
const ENTRIES_MAX: usize = 256;
/// Characters of a date or a command that are passed on.
const WORDS_CHARS_MAX: usize = 200;
/// The first second of the year 10000, since 1970.
const YEAR_10000_S: u64 = 253_402_300_800;

/// A report that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What was measured; the name of its files.
    pub topic: String,
    /// When its run began, as the report says; when its data was written, as `2018-02-14T00:28:07Z`, if it does not.
    /// Empty if neither can be told.
    pub date: String,
    /// How quiet the machine was.
    pub grade: Grade,
    /// The command that made it.
    pub command: String,
    /// The page.
    pub html: PathBuf,
}

/// What is read of a report's data. The rest may be from another version.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    command: String,
    #[serde(default)]
    environment: When,
    grade: Grade,
}

#[derive(Default, Deserialize)]
struct When {
    #[serde(default)]
    date: String,
}

/// Where reports are kept: `$XDG_STATE_HOME/palco/reports`, else `$HOME/.local/state/palco/reports`, else a directory of
/// one's own below the temporary directory. It need not exist. A variable with a relative path counts for nothing, as
/// the XDG Base Directory Specification has it.
#[must_use]
pub fn directory() -> PathBuf {
    let variable = |name| std::env::var_os(name);
    place(variable("XDG_STATE_HOME"), variable("HOME"), &std::env::temp_dir())
}

fn place(state: Option<OsString>, home: Option<OsString>, temporary: &Path) -> PathBuf {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let state = state.and_then(absolute);
    let state = state.or_else(|| Some(home.and_then(absolute)?.join(".local/state")));
    // One level, so that nobody else can change what is below a directory that anybody may write to.
    let own = || temporary.join(format!("palco-reports-{}", Uid::effective()));
    state.map_or_else(own, |state| state.join("palco/reports"))
}

/// Keeps a report in place of the one before, and returns where its page is. Makes the directory, for its owner alone.
/// Each file is there whole or not at all; the page comes first, so what is listed can be read.
///
/// # Errors
/// The topic is not 1 to 32 of `a` to `z` and `-`; a file is longer than [`FILE_BYTES_MAX`]; the directory is somebody
/// else's, or others may write to it; or the kernel's error. The report before is then still there, or its page alone is
/// new.
pub fn keep(directory: &Path, topic: &str, json: &str, html: &str) -> io::Result<PathBuf> {
    check(topic)?;
    if let Some(long) = [json, html].into_iter().find(|text| text.len() > FILE_BYTES_MAX) {
        let (long, most) = (long.len(), FILE_BYTES_MAX);
        let text = format!("a report of {long} bytes is not kept: {most} are the most");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    check_owner(directory)?;
    let page = file(directory, topic, "html");
    replace(directory, &page, html)?;
    replace(directory, &file(directory, topic, "json"), json)?;
    Ok(page)
}

/// The reports that are kept, by topic; at most [`TOPICS_MAX`]. Those that cannot be read are left out, and so are all of
/// a directory that is not there, or that others may write to.
#[must_use]
pub fn kept(directory: &Path) -> Vec<Kept> {
    let entries = check_owner(directory).and_then(|()| fs::read_dir(directory));
    let names = entries.into_iter().flatten().take(ENTRIES_MAX).flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut topics = BTreeSet::new();
    for topic in names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())) {
        if check(&topic).is_ok() {
            topics.insert(topic);
        }
    }
    let reports = topics.into_iter().filter_map(|topic| look(directory, topic).ok());
    reports.take(TOPICS_MAX).collect()
}

/// The page of a topic, whatever is in it.
///
/// # Errors
/// As [`keep`] for the topic and the directory; [`io::ErrorKind::NotFound`] if none is kept.
pub fn page(directory: &Path, topic: &str) -> io::Result<Vec<u8>> {
    check(topic)?;
    check_owner(directory)?;
    Ok(read(&file(directory, topic, "html"))?.0)
}

fn look(directory: &Path, topic: String) -> io::Result<Kept> {
    let html = file(directory, &topic, "html");
    plain(&html)?;
    let (data, written) = read(&file(directory, &topic, "json"))?;
    let Head { command, environment, grade } = serde_json::from_slice(&data)?;
    let short = |text: &str| text.chars().take(WORDS_CHARS_MAX).collect::<String>();
    let date = short(environment.date.trim());
    let date = if date.is_empty() { stamp(written) } else { date };
    Ok(Kept { topic, date, grade, command: short(&command), html })
}

/// A file may say that it was written in any year; nothing of one that RFC 3339 cannot write.
fn stamp(moment: SystemTime) -> String {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).ok();
    let fits = since.is_some_and(|since| since.as_secs() < YEAR_10000_S);
    if fits { humantime::format_rfc3339_seconds(moment).to_string() } else { String::new() }
}

/// Nothing that leads elsewhere, and nothing that is hidden.
fn check(topic: &str) -> io::Result<()> {
    let fits = (1..=TOPIC_BYTES_MAX).contains(&topic.len());
    if fits && topic.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        return Ok(());
    }
    let text = format!("`{topic}` is no topic: 1 to {TOPIC_BYTES_MAX} of `a` to `z` and `-` are");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

/// Below a temporary directory anybody may have made it before.
fn check_owner(directory: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(directory)?;
    let is_own = found.uid() == Uid::effective().as_raw() && found.mode() & 0o022 == 0;
    if found.is_dir() && is_own {
        return Ok(());
    }
    let text = format!("{} is no directory that only you may write to", directory.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

fn file(directory: &Path, topic: &str, kind: &str) -> PathBuf {
    directory.join(format!("{topic}.{kind}"))
}

fn replace(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut fresh = NamedTempFile::with_prefix_in(".fresh-", directory)?;
    fresh.write_all(text.as_bytes())?;
    // A name that outlives a crash must not lead to an empty file.
    fresh.as_file().sync_all()?;
    fresh.persist(path)?;
    Ok(())
}

/// A pipe would be waited for, and a link may lead anywhere.
fn plain(path: &Path) -> io::Result<SystemTime> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    if found.len() > FILE_BYTES_MAX as u64 {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    found.modified()
}

fn read(path: &Path) -> io::Result<(Vec<u8>, SystemTime)> {
    let written = plain(path)?;
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    File::open(path)?.take(FILE_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    Ok((bytes, written))
}

#[cfg(test)]
mod tests;
