//! inetd.conf: a line for each service, in four dialects.

mod column;
mod directive;
mod keyed;
mod lines;
mod notes;
mod protocol;
mod service;
mod waiting;

use crate::spec::Origin;

use super::Dialect;
use super::fault::{Fault, Read, quoted};
use super::reading::Reading;
use super::word::{Word, check_line, plain_words, shell_words};

use column::Entry;
pub(super) use column::mux_name;
use lines::{Line, Lines};

/// Reads a whole text.
pub(super) fn read(reading: &mut Reading<'_>, text: &[u8]) {
    // A line with nothing but hosts is for all lines after it, up to the end of its file.
    let mut hosts = Vec::new();
    let mut lines = Lines::new(text, reading.dialect);
    while let Some(mut line) = lines.next() {
        let origin = reading.line(line.number);
        if let Err(fault) = read_line(reading, &mut line, &mut lines, &mut hosts) {
            let name = named(&line.bytes);
            reading.refuse(&origin, name.as_deref(), fault);
        }
    }
    if lines.has_carriage_returns() {
        let text = "lines end with a carriage return, which is left out; openbsd-inetd takes it for a part of the last argument";
        reading.explain("crlf", &reading.line(0), text);
    }
}

/// Reads a line, and those that belong to it. Its service is in the plan, or it is a fault.
fn read_line(
    reading: &mut Reading<'_>,
    line: &mut Line,
    lines: &mut Lines<'_>,
    hosts: &mut Vec<String>,
) -> Read<()> {
    let origin = reading.line(line.number);
    if let Some(at) = line.swallowed {
        let text = format!(
            "the line begins with a blank and continues line {}: its words are arguments",
            line.number
        );
        let fault = Fault::new(text, "remove the blank if it is a service of its own");
        reading.warn(&reading.line(at), None, fault);
    }
    if reading.dialect == Dialect::Netbsd {
        if directive::read(reading, line, &origin)? {
            return Ok(());
        }
        if let Some(start) = keyed::Start::of(&line.bytes) {
            let entry = keyed::read(start, line, lines)?;
            return entry.map_or(Ok(()), |entry| serve(reading, entry, hosts, origin));
        }
    }
    check_line(&line.bytes)?;
    let words = match reading.dialect {
        Dialect::Gnu | Dialect::Netbsd => shell_words(&line.bytes)?,
        Dialect::Openbsd | Dialect::Freebsd | Dialect::Xinetd | Dialect::Toml => {
            plain_words(&line.bytes)?
        }
    };
    if let Some(default) = column::default_hosts(&words, reading.dialect)? {
        *hosts = default;
        return Ok(());
    }
    let entry = Entry::read(&words, reading.dialect)?;
    notes::of_words(reading, &words, &origin);
    serve(reading, entry, hosts, origin)
}

/// Puts the service of an entry into the plan.
fn serve(reading: &mut Reading<'_>, entry: Entry, hosts: &[String], origin: Origin) -> Read<()> {
    let spec = service::build(reading, &entry, hosts, origin)?;
    notes::of_service(reading, &entry, &spec);
    reading.serve(spec, &entry.protocol.word);
    Ok(())
}

/// What a line seems to be about, for a remark.
fn named(line: &[u8]) -> Option<String> {
    let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    let word = Word::from(&word[..word.len().min(256)]);
    Some(quoted(word.text().ok()?).trim_matches('`').to_owned())
}
