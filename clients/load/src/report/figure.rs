//! Figures for people, with three digits.

/// Three digits, and no more behind the point than say something.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    let digits = if size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let is_whole = text.trim_end_matches('0').ends_with('.') && value.fract().abs() < 1e-9;
    if size < 0.005 {
        "0".to_owned()
    } else if is_whole {
        format!("{value:.0}")
    } else {
        text
    }
}

/// A time in microseconds, with the unit that fits.
pub(crate) fn micros(value: f64) -> String {
    match value.abs() {
        size if size >= 999_500.0 => format!("{} s", number(value / 1e6)),
        size if size >= 999.5 => format!("{} ms", number(value / 1e3)),
        _ => format!("{} µs", number(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [0.0, 0.004, 1.0, 1.23456, 12.34, 99.96, 1234.5].map(number);
        assert_eq!(shown, ["0", "0", "1", "1.23", "12.3", "100", "1234"]);
        assert_eq!(micros(123_456.0), "123 ms");
        assert_eq!(micros(2_034_000.0), "2.03 s");
        assert_eq!(micros(8.104), "8.10 µs");
    }
}
