//! Values: numbers, sizes, yes and no.

use crate::config::fault::{Fault, Read, quoted};
use crate::config::units::hundredths;

/// `yes` or `no`.
pub(super) fn yes(word: &str) -> Read<bool> {
    match word {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Fault::new(format!("{} is neither yes nor no", quoted(word)), "write yes or no")),
    }
}

/// A number above 0, or `UNLIMITED`.
pub(super) fn count(word: &str) -> Read<Option<u32>> {
    if word == "UNLIMITED" {
        return Ok(None);
    }
    word.parse().ok().filter(|count| *count > 0).map(Some).ok_or_else(|| {
        let text = format!("{} is no number above 0", quoted(word));
        Fault::new(text, "write a number, or UNLIMITED")
    })
}

/// A number of bytes, or of K or M of them, or `UNLIMITED`.
pub(super) fn size(word: &str) -> Read<u64> {
    if word == "UNLIMITED" {
        return Ok(u64::MAX);
    }
    let (digits, unit) = match word.as_bytes().last() {
        Some(b'k' | b'K') => (&word[..word.len() - 1], 1024),
        Some(b'm' | b'M') => (&word[..word.len() - 1], 1024 * 1024),
        Some(_) | None => (word, 1),
    };
    let size = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    size.ok_or_else(|| {
        let text = format!("{} is no limit", quoted(word));
        Fault::new(text, "write a number, one with K or M, or UNLIMITED")
    })
}

/// A load, in hundredths. 0 is none.
pub(super) fn load(word: &str) -> Read<Option<u32>> {
    hundredths(word.parse().unwrap_or(f64::NAN))
        .map(|load| (load > 0).then_some(load))
        .ok_or_else(|| Fault::new(format!("{} is no load", quoted(word)), "write a number, as 2.5"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_units_and_bounds() {
        assert_eq!(size("8M"), Ok(8 << 20));
        assert_eq!(size("2k"), Ok(2048));
        assert_eq!(size("UNLIMITED"), Ok(u64::MAX));
        assert!(size("8G").is_err() && size("é").is_err() && size("").is_err());
        assert!(size("99999999999999999999").is_err() && size("18446744073709551615M").is_err());
        assert_eq!((count("3"), count("UNLIMITED")), (Ok(Some(3)), Ok(None)));
        assert!(count("0").is_err() && count("-1").is_err());
        assert_eq!((load("2.5"), load("0")), (Ok(Some(250)), Ok(None)));
        assert!(load("NaN").is_err() && load("-1").is_err() && load("x").is_err());
        assert_eq!((yes("yes"), yes("no")), (Ok(true), Ok(false)));
        assert!(yes("maybe").is_err());
    }
}
