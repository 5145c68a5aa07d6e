//! How long somebody has waited for a processor (PSI, `Documentation/accounting/psi.rst` of the kernel).

use std::fs;
use std::time::Duration;

/// Since the machine was started; nothing where the kernel does not count it.
pub(super) fn total() -> Option<Duration> {
    fs::read_to_string("/proc/pressure/cpu").ok().and_then(|text| some(&text))
}

/// Of the line `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`, in microseconds.
fn some(text: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = line.split(' ').find_map(|field| field.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_that_of_the_line_some() {
        let text = "some avg10=1.00 avg60=0.00 avg300=0.00 total=1500\nfull avg10=0.00 total=7\n";
        assert_eq!(some(text), Some(Duration::from_micros(1500)));
        assert_eq!(some("full total=7\n"), None);
        assert_eq!(some(""), None);
    }
}
