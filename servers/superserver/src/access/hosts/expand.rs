//! `%a` and its like.

use std::process;

use super::{NameWanted, Request, Side, UNKNOWN};

/// What an expansion keeps; anything else becomes `_`, for it may be read by a shell.
const KEPT: &[u8] = b"!@%-_=+:,./";

/// Letters that expand.
const LETTERS: &str = "aAcdhHnNprRsu%";

/// The first letter after a `%` that does not expand.
pub(super) fn unknown_letter(text: &str) -> Option<char> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let letter = after.chars().next()?;
        if !LETTERS.contains(letter) {
            return Some(letter);
        }
        rest = &after[1..];
    }
    None
}

/// The text with its expansions made. What does not expand becomes nothing; a `%` at the end stays.
pub(super) fn expand(text: &str, request: &Request<'_>) -> Result<String, NameWanted> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        let Some(letter) = after.chars().next() else {
            expanded.push('%');
            return Ok(expanded);
        };
        rest = &after[letter.len_utf8()..];
        expanded.extend(value(letter, request)?.chars().map(kept));
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn kept(c: char) -> char {
    let keeps = c.is_ascii_alphanumeric() || u8::try_from(c).is_ok_and(|b| KEPT.contains(&b));
    if keeps { c } else { '_' }
}

fn value(letter: char, request: &Request<'_>) -> Result<String, NameWanted> {
    let Request { daemon, client, server, .. } = request;
    Ok(match letter {
        'a' => client.text.clone(),
        'A' => server.text.clone(),
        // No user is known, so that it is the host alone.
        'c' | 'h' => name_or_address(client)?.to_owned(),
        'H' => name_or_address(server)?.to_owned(),
        'd' => (*daemon).to_owned(),
        'n' => client.name()?.to_owned(),
        'N' => server.name()?.to_owned(),
        'p' => process::id().to_string(),
        'r' => client.port.unwrap_or(0).to_string(),
        'R' => server.port.unwrap_or(0).to_string(),
        's' => match name_or_address(server)? {
            UNKNOWN => (*daemon).to_owned(),
            host => format!("{daemon}@{host}"),
        },
        'u' => UNKNOWN.to_owned(),
        '%' => "%".to_owned(),
        _ => String::new(),
    })
}

fn name_or_address(side: &Side) -> Result<&str, NameWanted> {
    Ok(side.known_name()?.unwrap_or(&side.text))
}
