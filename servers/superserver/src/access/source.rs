//! A word of `only_from` or `no_access`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Serialize;

/// Which clients a word means: an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source(IpAddr);

impl FromStr for Source {
    type Err = String;

    /// Reads one word. The error says what is wrong with it.
    fn from_str(word: &str) -> Result<Self, String> {
        word.parse().map(Self).map_err(|error| format!("`{word}`: {error}"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
