//! Arguments of line protocols: whole numbers with a unit and a limit, and the client's words inside an error.

use std::time::Duration;

/// The longest time that a client may ask for at once: 60 s.
pub(super) const DURATION_MAX: Duration = Duration::from_secs(60);
/// Text of the client that an error line repeats, at most.
const QUOTED_CHARS_MAX: usize = 40;

/// A whole number of µs, at most [`DURATION_MAX`]; otherwise why it is none.
pub(super) fn micros(verb: &str, argument: &str) -> Result<u64, String> {
    number(verb, argument, "us", limit(DURATION_MAX.as_micros()))
}

/// A whole number of ms, at most [`DURATION_MAX`]; otherwise why it is none.
pub(super) fn millis(verb: &str, argument: &str) -> Result<u64, String> {
    number(verb, argument, "ms", limit(DURATION_MAX.as_millis()))
}

fn limit(units: u128) -> u64 {
    u64::try_from(units).unwrap_or(u64::MAX)
}

/// A whole number of at most `max`; otherwise why it is none.
pub(super) fn number(verb: &str, argument: &str, unit: &str, max: u64) -> Result<u64, String> {
    if argument.is_empty() || !argument.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{verb} takes a whole number of {unit}, not {}", quoted(argument)));
    }
    match argument.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => Err(format!("{verb} ends at {max} {unit}")),
    }
}

/// Client text that is safe inside one line.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}
