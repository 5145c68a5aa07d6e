//! Values that several languages write in the same way.

use crate::config::fault::{Fault, Read, quoted};

/// Permissions in octal.
pub(super) fn umask(word: &str) -> Read<u32> {
    u32::from_str_radix(word, 8).ok().filter(|umask| *umask <= 0o777).ok_or_else(|| {
        Fault::new(format!("{} is no umask", quoted(word)), "write it in octal, as 022")
    })
}

/// Niceness.
pub(super) fn nice(word: &str) -> Read<i32> {
    word.parse().ok().filter(|nice| (-20..=19).contains(nice)).ok_or_else(|| {
        Fault::new(format!("{} is no niceness", quoted(word)), "write a number from -20 to 19")
    })
}

/// A number times 100, if it is one that a load may have.
pub(super) fn hundredths(load: f64) -> Option<u32> {
    let is_load = (0.0..=100_000.0).contains(&load);
    // In that range nothing is cut off but what is beyond hundredths.
    is_load.then(|| (load * 100.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_bounds() {
        assert_eq!((umask("077"), nice("-20")), (Ok(0o77), Ok(-20)));
        assert!(umask("8").is_err() && umask("1000").is_err() && nice("20").is_err());
        assert_eq!(
            (hundredths(2.5), hundredths(-1.0), hundredths(f64::NAN)),
            (Some(250), None, None)
        );
    }
}
