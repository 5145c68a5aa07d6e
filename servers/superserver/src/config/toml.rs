//! palco's own language: TOML with `[defaults]` and a `[[service]]` for each service.

mod listen;
mod merge;
mod model;
mod program;
mod rules;
mod service;
mod socket;
mod value;

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use crate::spec::Origin;

use super::fault::{Fault, quoted};
use super::reading::Reading;

use model::{Service, Shared};

/// Reads a whole text.
pub(super) fn read(reading: &mut Reading<'_>, text: &[u8]) {
    if let Err(fault) = read_text(reading, text) {
        let (span, fault) = fault;
        let origin = origin(reading, text, span);
        reading.refuse(&origin, None, fault);
    }
}

type Misplaced = (Option<Range<usize>>, Fault);

fn read_text(reading: &mut Reading<'_>, text: &[u8]) -> Result<(), Misplaced> {
    let source = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        (Some(at..at), Fault::new("the text is no UTF-8", "save it as UTF-8"))
    })?;
    let table = DeTable::parse(source).map_err(|error| misplaced(&error))?.into_inner();
    let mut defaults = Shared::default();
    let mut services = Vec::new();
    for (key, value) in table {
        let span = value.span();
        match (key.get_ref().as_ref(), value.into_inner()) {
            ("defaults", value @ DeValue::Table(_)) => {
                // Services must not be on without what the defaults ask of them, such as rules of access.
                defaults = parse(Spanned::new(span, value)).map_err(|error| {
                    let (span, fault) = misplaced(&error);
                    let remedy = format!("{}; no service is on until then", fault.remedy);
                    (span, Fault::new(format!("defaults: {}", fault.text), remedy))
                })?;
            }
            ("service", DeValue::Array(items)) => services.extend(items),
            (key @ ("defaults" | "service"), _) => {
                let remedy = "write `[defaults]` and `[[service]]`";
                return Err((
                    Some(span),
                    Fault::new(format!("`{key}` is of another kind"), remedy),
                ));
            }
            (key, _) => {
                let fault = format!("there is no key {}", quoted(key));
                let fault = Fault::new(fault, "at the top are `[defaults]` and `[[service]]` only");
                let origin = origin(reading, text, Some(span));
                reading.refuse(&origin, None, fault);
            }
        }
    }
    let starts = Lines::of(text);
    for item in services {
        serve(reading, &starts, item, &defaults);
    }
    Ok(())
}

/// Puts a service into the plan, or says what is wrong with it.
fn serve(reading: &mut Reading<'_>, lines: &Lines, item: Spanned<DeValue<'_>>, defaults: &Shared) {
    let span = item.span();
    let named = ["id", "name"]
        .into_iter()
        .find_map(|key| item.get_ref().as_table()?.get(key)?.get_ref().as_str());
    let named = named.map(str::to_owned);
    let origin = reading.line(lines.at(span.start));
    match parse::<Service>(item) {
        Ok(service) => {
            let place = |span: Range<usize>| lines.at(span.start);
            match service::build(reading, service, defaults, &origin, &place) {
                Ok(None) => {}
                Ok(Some((spec, protocol))) => reading.serve(spec, &protocol),
                Err((line, fault)) => {
                    let origin = line.map_or(origin, |line| reading.line(line));
                    reading.refuse(&origin, named.as_deref(), fault);
                }
            }
        }
        Err(error) => {
            let (span, fault) = misplaced(&error);
            let origin = span.map_or(origin, |span| reading.line(lines.at(span.start)));
            reading.refuse(&origin, named.as_deref(), fault);
        }
    }
}

fn parse<'d, T: Deserialize<'d>>(value: Spanned<DeValue<'d>>) -> Result<T, Error> {
    T::deserialize(ValueDeserializer::from(value))
}

/// What the parser objects to, in one line.
fn misplaced(error: &Error) -> Misplaced {
    let text = error.message().lines().collect::<Vec<_>>().join(", ");
    (error.span(), Fault::new(text, "correct it; the sample has all keys"))
}

fn origin(reading: &Reading<'_>, text: &[u8], span: Option<Range<usize>>) -> Origin {
    reading.line(span.map_or(0, |span| Lines::of(text).at(span.start)))
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &[u8]) -> Self {
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// The line of a byte, from 1.
    fn at(&self, byte: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= byte)).unwrap_or(u32::MAX)
    }
}
