//! Redis' strict integers, read and written without allocation.

/// Reads a decimal `i64` as redis' `string2ll` does: no plus sign, no spaces, no leading zero, no `-0`.
#[must_use]
pub fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        b"0" if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    // Counts downwards, because only the negative side holds the smallest number.
    let mut value: i64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// Digits and sign of the longest `i64`.
pub(super) const TEXT_BYTES_MAX: usize = 20;

/// The decimal text of a number, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    start: usize,
}

impl Text {
    /// Of this number.
    #[must_use]
    pub fn new(value: i64) -> Self {
        let mut bytes = [0; TEXT_BYTES_MAX];
        let mut start = TEXT_BYTES_MAX;
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            bytes[start] = b'-';
        }
        Self { bytes, start }
    }

    /// Its digits, and its sign if it is negative.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_integer() {
        for wrong in
            ["", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1.0", "0x1", "9223372036854775808"]
        {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn integers_survive_writing_and_reading(value: i64) {
            let text = Text::new(value);
            prop_assert_eq!(text.as_bytes().to_vec(), value.to_string().into_bytes());
            prop_assert_eq!(parse(text.as_bytes()), Some(value));
        }
    }

    #[test]
    fn the_smallest_and_the_largest_integer_survive() {
        for value in [i64::MIN, i64::MAX, 0, -1] {
            assert_eq!(parse(Text::new(value).as_bytes()), Some(value));
        }
    }
}
