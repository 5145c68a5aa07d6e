//! Entity tags: which value of a register is meant (RFC 9110, sections 8.8.3 and 13.1).

use actix_web::http::header::HeaderValue;
use palco_rambo::Tag;

/// Tags in one condition, at most.
const LISTED_MAX: usize = 64;

/// The tag of a value that is there: of a register its protocol tag, of a key of class cas its version. Both are strong:
/// no two values share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Etag(String);

impl Etag {
    pub(crate) fn of_tag(tag: Tag) -> Self {
        Self(tag.to_string())
    }

    pub(crate) fn of_version(version: u64) -> Self {
        Self(version.to_string())
    }

    /// Without quotes.
    pub(crate) fn opaque(&self) -> &str {
        &self.0
    }

    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::try_from(self.quoted()).expect("digits, points and an n may be in a header")
    }
}

/// What If-Match or If-None-Match says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`
    Any,
    /// One at least.
    Listed(Vec<Listed>),
}

/// A tag that somebody has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) strength: Strength,
    pub(crate) opaque: Vec<u8>,
}

/// How alike two values with the same tag are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// The same bytes.
    Strong,
    /// `W/`: as good as the same. Never enough for If-Match.
    Weak,
}

impl Tags {
    /// From the values of all headers of that name; nothing if there are none.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn parse<'a>(
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, String> {
        let mut listed = Vec::new();
        let mut is_any = false;
        let mut is_there = false;
        for value in values {
            is_there = true;
            let mut rest = trimmed(value);
            if rest == b"*" {
                is_any = true;
                continue;
            }
            // A list may have empty elements (RFC 9110, section 5.6.1.2).
            loop {
                rest = trimmed(rest);
                if let Some(after) = rest.strip_prefix(b",") {
                    rest = after;
                    continue;
                }
                if rest.is_empty() {
                    break;
                }
                let (tag, after) = one(rest)?;
                if listed.len() == LISTED_MAX {
                    return Err(format!("more than {LISTED_MAX} entity tags"));
                }
                listed.push(tag);
                rest = trimmed(after);
                if !rest.is_empty() && !rest.starts_with(b",") {
                    return Err("between two entity tags is a comma".to_owned());
                }
            }
        }
        match (is_there, is_any, listed.is_empty()) {
            (false, ..) => Ok(None),
            (_, true, true) => Ok(Some(Self::Any)),
            (_, true, false) => Err("`*` stands alone".to_owned()),
            (_, false, true) => Err("no entity tag".to_owned()),
            (_, false, false) => Ok(Some(Self::Listed(listed))),
        }
    }

    /// For If-Match: only strong tags are the same.
    pub(crate) fn has_strong(&self, etag: &Etag) -> bool {
        self.any(etag, |listed| listed.strength == Strength::Strong)
    }

    /// For If-None-Match: strong or weak.
    pub(crate) fn has(&self, etag: &Etag) -> bool {
        self.any(etag, |_| true)
    }

    fn any(&self, etag: &Etag, counts: impl Fn(&Listed) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed
                .iter()
                .any(|listed| counts(listed) && listed.opaque == etag.opaque().as_bytes()),
        }
    }
}

/// The entity tag at the beginning, and what follows.
fn one(text: &[u8]) -> Result<(Listed, &[u8]), String> {
    let (strength, text) = match text.strip_prefix(b"W/") {
        Some(rest) => (Strength::Weak, rest),
        None => (Strength::Strong, text),
    };
    let text = text.strip_prefix(b"\"").ok_or("an entity tag stands in double quotes")?;
    let end = text.iter().position(|byte| *byte == b'"');
    let end = end.ok_or("an entity tag ends with a double quote")?;
    let opaque = &text[..end];
    if opaque.iter().any(|byte| matches!(byte, 0..=0x20 | 0x7f)) {
        return Err("an entity tag has no spaces and no control characters".to_owned());
    }
    Ok((Listed { strength, opaque: opaque.to_vec() }, &text[end + 1..]))
}

/// Without optional white space.
fn trimmed(text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Option<Tags>, String> {
        Tags::parse([text.as_bytes()])
    }

    #[test]
    fn tags_are_read_as_the_standard_writes_them() {
        let strong = |opaque: &str| Listed { strength: Strength::Strong, opaque: opaque.into() };
        let weak = |opaque: &str| Listed { strength: Strength::Weak, opaque: opaque.into() };
        assert_eq!(Tags::parse([]), Ok(None));
        assert_eq!(parse(" * "), Ok(Some(Tags::Any)));
        assert_eq!(parse("\"17\""), Ok(Some(Tags::Listed(vec![strong("17")]))));
        let several = Tags::Listed(vec![strong("a,b"), weak("c"), strong("")]);
        assert_eq!(parse("\"a,b\" , ,W/\"c\",\t\"\","), Ok(Some(several)));
        let two = Tags::parse([&b"\"a\""[..], b"\"b\""]);
        assert_eq!(two, Ok(Some(Tags::Listed(vec![strong("a"), strong("b")]))));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in
            ["", ",", "17", "\"17", "\"a\" \"b\"", "\"a b\"", "w/\"a\"", "*, \"a\"", "W/", "\"a\"x"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(Tags::parse([&b"*"[..], b"\"a\""]).is_err());
        assert!(parse(&"\"a\",".repeat(LISTED_MAX)).is_ok());
        assert!(parse(&"\"a\",".repeat(LISTED_MAX + 1)).is_err());
    }

    #[test]
    fn a_weak_tag_is_enough_to_have_it_and_not_to_change_it() {
        let etag = Etag::of_version(17);
        let tags = parse("W/\"17\"").unwrap().unwrap();
        assert!(tags.has(&etag) && !tags.has_strong(&etag));
        assert!(parse("\"17\"").unwrap().unwrap().has_strong(&etag));
        assert!(Tags::Any.has_strong(&etag));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(values in prop::collection::vec(
            prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'W'), any::<u8>()], 0..40), 0..4
        )) {
            let _ = Tags::parse(values.iter().map(Vec::as_slice));
        }

        #[test]
        fn what_is_written_is_read(
            tags in prop::collection::vec((any::<bool>(), "[!#-~]{0,20}"), 1..10)
        ) {
            let text: Vec<String> = tags
                .iter()
                .map(|(weak, opaque)| format!("{}\"{opaque}\"", if *weak { "W/" } else { "" }))
                .collect();
            let read = parse(&text.join(", ")).unwrap().unwrap();
            let written = tags.iter().map(|(weak, opaque)| Listed {
                strength: if *weak { Strength::Weak } else { Strength::Strong },
                opaque: opaque.clone().into_bytes(),
            });
            prop_assert_eq!(read, Tags::Listed(written.collect()));
        }
    }
}
