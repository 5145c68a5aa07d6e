//! How much memory is a process's own.

use std::fs;
use std::io;

use crate::local::apart::Outcome;
use crate::{Raw, Unavailable};

/// Portions of a round; each is a sample.
pub(super) const PORTIONS: u64 = 10;

/// Weighs `PORTIONS` times `units` units. `add` makes a portion, which has come to rest when it returns; the first one is
/// not weighed, since it pays for what all have in common.
pub(super) fn weigh(
    units: u64,
    mut weight: impl FnMut() -> Result<u64, Unavailable>,
    mut add: impl FnMut(u64) -> Result<(), Unavailable>,
) -> Outcome {
    add(units)?;
    let mut samples = Vec::with_capacity(usize::try_from(PORTIONS).unwrap_or(0));
    let mut before = weight()?;
    for _ in 0..PORTIONS {
        add(units)?;
        let after = weight()?;
        samples.push(each(after.saturating_sub(before), units));
        before = after;
    }
    Ok(raw(samples, units))
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a portion are far below 53 bits")]
pub(super) fn each(bytes: u64, units: u64) -> f64 {
    bytes as f64 / units as f64
}

pub(super) fn raw(samples: Vec<f64>, units: u64) -> Raw {
    let operations = samples.len() as u64 * units;
    Raw { operations, batch: u32::try_from(units).unwrap_or(u32::MAX), samples, ..Raw::default() }
}

/// What of this process's resident memory is nobody else's, in bytes.
pub(super) fn own() -> Result<u64, Unavailable> {
    own_of("self")
}

/// The same of another process, by its id.
pub(super) fn own_of(process: &str) -> Result<u64, Unavailable> {
    let path = format!("/proc/{process}/smaps_rollup");
    let unknown = |error: io::Error| Unavailable(format!("memory is not told: {path}: {error}"));
    let text = fs::read_to_string(&path).map_err(unknown)?;
    private_in(&text).ok_or_else(|| unknown(io::ErrorKind::InvalidData.into()))
}

/// `Private_Clean` and `Private_Dirty`, in bytes.
fn private_in(rollup: &str) -> Option<u64> {
    Some(kib_of(rollup, "Private_Clean")? + kib_of(rollup, "Private_Dirty")?)
}

/// The bytes of a line like `Name:   12 kB`.
pub(super) fn kib_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn private_memory_is_the_sum_of_clean_and_dirty() {
        let text = "5500-7ff r--p 00:00 0 [rollup]\nRss:     9 kB\nPrivate_Clean:   4 kB\nPrivate_Dirty:     8 kB\n";
        assert_eq!(private_in(text), Some(12 << 10));
        assert_eq!(private_in("Private_Clean: 4 kB\n"), None);
    }

    #[test]
    fn memory_that_is_touched_is_ones_own() {
        let before = own().unwrap();
        let touched = vec![1_u8; 64 << 20];
        assert!(own().unwrap() >= before + (60 << 20), "{}", touched.len());
    }

    #[test]
    fn the_first_portion_pays_for_what_all_have_in_common() {
        let (weight, first) = (std::cell::Cell::new(0), std::cell::Cell::new(true));
        let raw = weigh(
            5,
            || Ok(weight.get()),
            |units| {
                weight.set(weight.get() + units * 100 + if first.take() { 9_999 } else { 0 });
                Ok(())
            },
        );
        let raw = raw.unwrap();
        assert_eq!((raw.samples, raw.operations), (vec![100.0; 10], 50));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let _ = private_in(&text);
            let _ = private_in(&format!("Private_Clean:{text}\nPrivate_Dirty:{text}"));
        }
    }
}
