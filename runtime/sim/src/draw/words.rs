//! Times and texts as people read them.

/// Whether a character of foreign text is shown as it is: nothing that cannot be seen, nor what turns a line around.
pub(super) fn is_shown(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

/// A length of time in the unit that fits, with three digits.
pub(super) fn length(nanos: u64) -> String {
    let (value, unit) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (nanos as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (nanos as f64 / 1e6, "ms"),
        1_000_000_000.. => (nanos as f64 / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

/// An instant of a run in the unit of its axis, with three decimals at most and none that says nothing.
pub(super) fn instant(nanos: u64) -> String {
    let (unit, name) = match nanos {
        0 => return "0".to_owned(),
        1..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        1_000_000_000.. => (1_000_000_000, "s"),
    };
    let (whole, thousandths) = (nanos / unit, nanos % unit / (unit / 1_000));
    let text = format!("{whole}.{thousandths:03}");
    format!("{} {name}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number in groups of three digits.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// So many of them, in words.
pub(super) fn several(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", count(number)) }
}

/// At most so many characters; the rest as a sign.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Lines of at most so many characters, broken between words; what does not fit into so many lines is cut.
pub(super) fn lines(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = short(word, width);
        let is_full = lines.len() == most;
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(line) if is_full => {
                *line = short(line, width.saturating_sub(2)) + " …";
                break;
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(
            [0, 1_500, 51_230_000, 3_000_000_000].map(length),
            ["0 ns", "1.50 µs", "51.2 ms", "3.00 s"]
        );
        let shown = [0, 250, 1_000, 51_230_000, 3_000_000_000, 2_999_999_999].map(instant);
        assert_eq!(shown, ["0", "0.25 µs", "1 µs", "51.23 ms", "3 s", "2.999 s"]);
    }

    #[test]
    fn long_text_is_broken_between_words_and_cut_at_last() {
        assert_eq!(
            lines("a read missed what was written", 10, 9),
            ["a read", "missed", "what was", "written"]
        );
        assert_eq!(lines("one two three four", 9, 1), ["one two …"]);
        assert_eq!(lines("", 9, 3), Vec::<String>::new());
        assert_eq!(short("ünïcödé", 4), "ünï…");
    }
}
