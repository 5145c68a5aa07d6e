//! Ranges of bytes, RFC 9110 section 14.

/// The most ranges of one request that are served: 16. If there are more, the whole file is sent.
pub const RANGES_MAX: usize = 16;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// From an offset to another one, inclusive, or to the end.
    From(u64, Option<u64>),
    /// The last bytes.
    Last(u64),
}

impl ByteRange {
    fn parse(range: &str) -> Option<Self> {
        let (first, last) = range.split_once('-')?;
        match (first, last) {
            ("", last) => Some(Self::Last(offset(last)?)),
            (first, "") => Some(Self::From(offset(first)?, None)),
            (first, last) => {
                let (first, last) = (offset(first)?, offset(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// Start and length of this range in a file of `length` bytes; `None` if it is not satisfiable.
    fn within(self, length: u64) -> Option<(u64, u64)> {
        let (start, end) = match self {
            Self::From(first, last) => {
                (first, last.map_or(length, |last| last.saturating_add(1).min(length)))
            }
            Self::Last(count) => (length.saturating_sub(count), length),
        };
        (start < end).then(|| (start, end - start))
    }
}

fn offset(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX)) // too many digits: beyond every file
}

/// The ranges that a request asks for, at least one and at most [`RANGES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges(Vec<ByteRange>);

/// What is sent of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    Whole,
    /// Start and length of each.
    Parts(Vec<(u64, u64)>),
    /// None of the ranges lies in the file.
    Unsatisfiable,
}

impl Ranges {
    /// `bytes=` and a list of `a-b`, `a-` or `-n`; anything else is no range and is ignored, as RFC 9110 section 14.2
    /// allows, and so are too many.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let (unit, ranges) = value.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let mut parsed = Vec::new();
        for range in ranges.split(',').map(|range| range.trim_matches([' ', '\t'])) {
            if range.is_empty() {
                continue;
            }
            if parsed.len() == RANGES_MAX {
                return None;
            }
            parsed.push(ByteRange::parse(range)?);
        }
        (!parsed.is_empty()).then_some(Self(parsed))
    }

    /// What they mean for a file of `length` bytes, in the order in which they were asked for.
    ///
    /// Ranges that overlap are what a range bomb is made of (RFC 9110 section 17.15): a small request for many times the
    /// file. They are answered with the whole file, which is never more than what a request without ranges costs.
    pub(super) fn within(&self, length: u64) -> Selection {
        let parts: Vec<_> = self.0.iter().filter_map(|range| range.within(length)).collect();
        let mut sorted = parts.clone();
        sorted.sort_unstable();
        if parts.is_empty() {
            Selection::Unsatisfiable
        } else if sorted.windows(2).any(|pair| pair[0].0 + pair[0].1 > pair[1].0) {
            Selection::Whole
        } else {
            Selection::Parts(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Vec<ByteRange>> {
        Ranges::parse(text.as_bytes()).map(|ranges| ranges.0)
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        assert_eq!(read("bytes=0-9"), Some(vec![ByteRange::From(0, Some(9))]));
        assert_eq!(read("Bytes=5-"), Some(vec![ByteRange::From(5, None)]));
        assert_eq!(read("bytes=-3"), Some(vec![ByteRange::Last(3)]));
        assert_eq!(
            read("bytes=0-1 ,, 3-"),
            Some(vec![ByteRange::From(0, Some(1)), ByteRange::From(3, None)])
        );
        for ignored in
            ["bytes=9-0", "bytes=-", "bytes=a-b", "lines=1-2", "0-9", "bytes=+1-2", "bytes=,"]
        {
            assert_eq!(read(ignored), None, "{ignored}");
        }
        let many = |count: usize| format!("bytes={}", "0-0,".repeat(count));
        assert_eq!(read(&many(RANGES_MAX)).map(|ranges| ranges.len()), Some(RANGES_MAX));
        assert_eq!(read(&many(RANGES_MAX + 1)), None);
    }

    #[test]
    fn ranges_end_at_the_end_of_the_file() {
        assert_eq!(ByteRange::From(2, Some(99)).within(10), Some((2, 8)));
        assert_eq!(ByteRange::From(9, None).within(10), Some((9, 1)));
        assert_eq!(ByteRange::Last(99).within(10), Some((0, 10)));
        assert_eq!(ByteRange::From(10, None).within(10), None);
        assert_eq!(ByteRange::Last(0).within(10), None);
        assert_eq!(ByteRange::From(0, None).within(0), None);
        assert_eq!(ByteRange::From(u64::MAX, Some(u64::MAX)).within(u64::MAX), None);
    }

    #[test]
    fn what_overlaps_is_the_whole_file() {
        let select = |text: &str| Ranges::parse(text.as_bytes()).unwrap().within(10);
        assert_eq!(select("bytes=0-4,4-5"), Selection::Whole);
        assert_eq!(select("bytes=5-,0-9"), Selection::Whole);
        assert_eq!(select("bytes=5-6,0-4"), Selection::Parts(vec![(5, 2), (0, 5)]));
        assert_eq!(select("bytes=0-0,20-"), Selection::Parts(vec![(0, 1)]));
        assert_eq!(select("bytes=10-,20-"), Selection::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn no_ranges_are_more_than_the_file(
            text in "bytes=([0-9]{0,3}-[0-9]{0,3},?){1,20}", length in 0_u64..500,
        ) {
            if let Some(Selection::Parts(parts)) =
                Ranges::parse(text.as_bytes()).map(|ranges| ranges.within(length))
            {
                prop_assert!(parts.iter().map(|part| part.1).sum::<u64>() <= length);
                prop_assert!(parts.iter().all(|part| part.1 > 0 && part.0 + part.1 <= length));
            }
        }
    }
}
