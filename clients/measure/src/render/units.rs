//! Numbers for people: three digits that matter, in a unit that fits. What is no number is a dash.

use crate::Section;
use crate::report::Estimate;

/// Where a number would stand.
pub(crate) const NONE: &str = "–";

const MINUS: char = '−';

/// How the figures of a section are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// Messages a second.
    Rate,
}

impl Measure {
    /// Of a section's figures.
    pub(crate) const fn of(section: Section) -> Self {
        match section {
            Section::Memory => Self::Bytes,
            Section::IpcThroughput => Self::Rate,
            Section::Switch
            | Section::WorkingSet
            | Section::Ring
            | Section::Create
            | Section::IpcLatency
            | Section::Floor => Self::Time,
        }
    }

    /// Divisor and name of the unit in which a figure of this size is written.
    fn unit(self, size: f64) -> (f64, &'static str) {
        let steps: &[(f64, &str)] = match self {
            Self::Time => &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
            Self::Bytes => {
                &[(1.0, "B"), (1024.0, "KiB"), (1_048_576.0, "MiB"), (1_073_741_824.0, "GiB")]
            }
            Self::Rate => &[(1.0, "/s"), (1e3, "k/s"), (1e6, "M/s"), (1e9, "G/s")],
        };
        // What three digits would round up to the next unit is written in that.
        let fits = |&&(divisor, _): &&(f64, &str)| size >= divisor * 0.9995;
        *steps.iter().rev().find(fits).unwrap_or(&steps[0])
    }

    /// `1.19 µs`, `4.05 KiB`, `840 k/s`.
    pub(crate) fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return NONE.to_owned();
        }
        let (divisor, unit) = self.unit(value.abs());
        let value = value / divisor;
        // Bytes are counted; there is no tenth of one.
        let digits = if unit == "B" && value.fract() == 0.0 { 0 } else { decimals(value) };
        format!("{} {unit}", fixed(value, digits))
    }

    /// `1.19 µs (1.16–1.22)`: the figure and its interval in one unit.
    pub(crate) fn estimate(self, estimate: &Estimate) -> String {
        let (divisor, _) = self.unit(estimate.value.abs());
        let digits = decimals(estimate.value / divisor);
        match interval(estimate, divisor, digits) {
            Some(interval) => format!("{} ({interval})", self.show(estimate.value)),
            None => self.show(estimate.value),
        }
    }
}

/// `1.14 (1.13–1.16)`.
pub(crate) fn ratio_estimate(estimate: &Estimate) -> String {
    let digits = decimals(estimate.value).clamp(2, 4);
    match interval(estimate, 1.0, digits) {
        Some(interval) => format!("{} ({interval})", fixed(estimate.value, digits)),
        None => plain(estimate.value),
    }
}

/// `1.14×`.
pub(crate) fn times(ratio: f64) -> String {
    if ratio.is_finite() { format!("{}×", plain(ratio)) } else { NONE.to_owned() }
}

/// A number without unit: three digits that matter.
pub(crate) fn plain(value: f64) -> String {
    if value.is_finite() { fixed(value, decimals(value)) } else { NONE.to_owned() }
}

/// To the next whole number.
pub(crate) fn rounded(value: f64) -> String {
    fixed(value, 0)
}

/// `15 %`.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let value = share * 100.0;
    let digits = if value != 0.0 && value.abs() < 10.0 { 1 } else { 0 };
    format!("{} %", fixed(value, digits))
}

/// Bytes that were chosen, not measured: `64 B`, `1 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut value = bytes;
    while value >= 1024 && value.is_multiple_of(1024) && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", UNITS[unit])
}

/// Bytes a second: `6.79 GB/s`, in powers of ten as throughput is usually told.
pub(crate) fn bandwidth(bytes_per_second: f64) -> String {
    if !bytes_per_second.is_finite() {
        return NONE.to_owned();
    }
    let (divisor, unit) = match bytes_per_second.abs() {
        size if size >= 0.9995e9 => (1e9, "GB/s"),
        size if size >= 0.9995e6 => (1e6, "MB/s"),
        size if size >= 0.9995e3 => (1e3, "kB/s"),
        _ => (1.0, "B/s"),
    };
    format!("{} {unit}", plain(bytes_per_second / divisor))
}

/// `1 578 885`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1.16–1.22`, `−30 to −10`; nothing if it has no two ends.
fn interval(estimate: &Estimate, divisor: f64, digits: usize) -> Option<String> {
    let Estimate { low, high, .. } = *estimate;
    if !(estimate.value.is_finite() && low.is_finite() && high.is_finite()) {
        return None;
    }
    let [low, high] = [low / divisor, high / divisor];
    let between = if low < 0.0 || high < 0.0 { " to " } else { "–" };
    Some(format!("{}{between}{}", fixed(low, digits), fixed(high, digits)))
}

/// Decimals that leave three digits.
fn decimals(value: f64) -> usize {
    match value.abs() {
        0.0 => 0,
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.1 => 2,
        size if size >= 0.01 => 3,
        _ => 4,
    }
}

/// Never `-0`; a number too long to be read is written with its power of ten.
fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = if value.abs() < 1e7 { format!("{value:.digits$}") } else { format!("{value:.2e}") };
    let Some(positive) = text.strip_prefix('-') else { return text };
    if positive.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        positive.to_owned()
    } else {
        format!("{MINUS}{positive}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_digits_in_a_unit_that_fits() {
        let time = |nanos| Measure::Time.show(nanos);
        assert_eq!(
            [3.1, 10.44, 180.0, 999.7, 1190.0, 91e3, 5.2e6, 2e9].map(time),
            ["3.10 ns", "10.4 ns", "180 ns", "1.00 µs", "1.19 µs", "91.0 µs", "5.20 ms", "2.00 s"]
        );
        assert_eq!(Measure::Bytes.show(327.0), "327 B");
        assert_eq!(Measure::Bytes.show(4147.0), "4.05 KiB");
        assert_eq!(Measure::Rate.show(23e6), "23.0 M/s");
        assert_eq!([64, 4096, 1 << 20, 1500].map(size), ["64 B", "4 KiB", "1 MiB", "1500 B"]);
        assert_eq!(grouped(4_684_450), "4\u{202f}684\u{202f}450");
    }

    #[test]
    fn an_interval_has_the_unit_and_the_digits_of_its_figure() {
        let show = |value, low, high| Measure::Time.estimate(&Estimate { value, low, high });
        assert_eq!(show(1190.0, 1160.0, 1222.0), "1.19 µs (1.16–1.22)");
        assert_eq!(show(180.5, 170.0, 211.0), "180 ns (170–211)");
        assert_eq!(show(-20.0, -30.0, 1.0), "−20.0 ns (−30.0 to 1.0)");
        assert_eq!(show(f64::NAN, 1.0, 2.0), NONE);
    }

    proptest! {
        #[test]
        fn no_number_is_shown_as_one_that_is_none(bits: u64, low: f64, high: f64) {
            let value = f64::from_bits(bits);
            let estimate = Estimate { value, low, high };
            let texts = [
                Measure::Time.estimate(&estimate),
                Measure::Bytes.estimate(&estimate),
                Measure::Rate.show(value),
                ratio_estimate(&estimate),
                times(value),
                percent(value),
                bandwidth(value),
            ];
            for text in texts {
                prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
                prop_assert!(text.chars().count() < 50, "{}", text);
            }
        }
    }
}
