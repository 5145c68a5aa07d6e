//! Laws of the RESP2 parser.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::prop_oneof;

use super::*;
use crate::pieces::{feed, feed_whole, lengths, soup};

const BYTES_MAX: usize = 1 << 20;

const TOKENS: &[&str] = &[
    "\r\n",
    "\r",
    "\n",
    "+",
    "-",
    ":",
    "$",
    "*",
    "+OK\r\n",
    "-ERR no\r\n",
    ":1\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "$3\r\n",
    "abc\r\n",
    "*2\r\n",
    "*1\r\n",
    "*0\r\n",
    "1048576",
    "999999999",
    "-2",
    "",
];

fn parser() -> ValueParser {
    ValueParser::new(BYTES_MAX)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[^\r\n]{0,12}".prop_map(Value::Simple),
        "[^\r\n]{0,12}".prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bulk),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| prop::collection::vec(inner, 0..6).prop_map(Value::Array))
}

fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    bytes
}

/// Bytes that the parser's own buffers have room for, and values.
fn held(parser: &ValueParser) -> (usize, usize) {
    let bytes = match &parser.state {
        State::Line(line) => line.capacity(),
        State::Bulk(_, bytes) => bytes.capacity(),
    };
    (bytes, parser.open.iter().map(|array| array.values.capacity()).sum())
}

proptest! {
    #[test]
    fn a_written_value_is_read_back_from_any_pieces(
        value in value(),
        behind in prop::collection::vec(any::<u8>(), 0..8),
        lengths in lengths(),
    ) {
        let mut bytes = written(&value);
        let own = bytes.len();
        bytes.extend(behind);
        prop_assert_eq!(feed(&mut parser(), &bytes, &lengths, |_, _| {}), Ok(Some((value, own))));
    }

    #[test]
    fn where_the_pieces_are_cut_changes_nothing(bytes in soup(TOKENS), lengths in lengths()) {
        let in_pieces = feed(&mut parser(), &bytes, &lengths, |_, _| {});
        prop_assert_eq!(in_pieces, feed_whole(&mut parser(), &bytes));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, lengths in lengths()) {
        let mut parser = parser();
        while let Ok(Some((answer, used))) = feed(&mut parser, &bytes, &lengths, |_, _| {}) {
            prop_assert!(used > 0);
            let _ = answer.to_string();
            if used < bytes.len() { break }
        }
        // Also after an error.
        let _ = parser.feed(&bytes);
    }

    #[test]
    fn memory_follows_the_bytes_that_came(bytes in soup(TOKENS), lengths in lengths()) {
        let mut worst = Ok(());
        let _ = feed(&mut parser(), &bytes, &lengths, |parser, fed| {
            let (bytes, values) = held(parser);
            // Vectors double, and begin with a few elements; a value has at least three bytes.
            if bytes > 2 * fed + 8 || values > 4 * ARRAYS_NESTED_MAX.min(fed) + 2 * fed / 3 {
                worst = Err((fed, bytes, values));
            }
        });
        prop_assert_eq!(worst, Ok(()));
    }
}

#[test]
fn a_header_alone_reserves_nothing() {
    let mut parser = ValueParser::new(usize::MAX);
    for header in ["*1048576\r\n", "$999999999\r\n"] {
        assert_eq!(parser.feed(header.as_bytes()), Ok(Step::More));
        assert_eq!(held(&parser), (0, 0), "{header:?}");
    }
}

#[test]
fn a_header_above_the_limits_is_refused_before_its_data() {
    for header in ["$1048577\r\n", "*1048577\r\n", "$9223372036854775807\r\n"] {
        let refused = feed_whole(&mut parser(), header.as_bytes());
        assert!(matches!(refused, Err(Malformed::TooLarge { .. })), "{header:?}: {refused:?}");
    }
}

#[test]
fn the_deepest_nesting_passes_and_one_more_is_refused() {
    let nested = |depth: usize| [b"*1\r\n".repeat(depth), b":1\r\n".to_vec()].concat();
    let deepest = nested(ARRAYS_NESTED_MAX);
    assert!(matches!(feed_whole(&mut parser(), &deepest), Ok(Some(_))));
    let deeper = feed_whole(&mut parser(), &nested(ARRAYS_NESTED_MAX + 1));
    assert!(matches!(deeper, Err(Malformed::TooLarge { limit: ARRAYS_NESTED_MAX, .. })));
}

#[test]
fn values_are_counted_over_all_depths() {
    let mut bytes = b"*2\r\n".to_vec();
    for _ in 0..2 {
        bytes.extend_from_slice(b"*524288\r\n");
        bytes.extend(b"+\r\n".repeat(524_288));
    }
    let refused = feed_whole(&mut parser(), &bytes);
    assert!(matches!(refused, Err(Malformed::TooLarge { what: "values", .. })), "{refused:?}");
}

#[test]
fn a_line_without_end_is_refused_at_the_limit() {
    let mut endless = vec![b'a'; LINE_BYTES_MAX + 3];
    endless[0] = b'+';
    let refused = feed(&mut parser(), &endless, &[1000], |_, _| {});
    assert!(matches!(refused, Err(Malformed::TooLarge { .. })));
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    for wrong in [
        "HTTP/1.1 400",
        "\r\n",
        "+a\n",
        "+a\rb\r\n",
        ":\r\n",
        ":1.0\r\n",
        ":9223372036854775808\r\n",
        "$-2\r\n",
        "*-2\r\n",
        "$\r\n",
        "$a\r\n",
        "$1\r\nabc",
        "*1\r\nx",
    ] {
        let refused = feed_whole(&mut parser(), wrong.as_bytes());
        assert!(matches!(refused, Err(Malformed::Syntax(_))), "{wrong:?}: {refused:?}");
    }
}

#[test]
fn both_nulls_are_null() {
    for null in ["$-1\r\n", "*-1\r\n"] {
        assert_eq!(feed_whole(&mut parser(), null.as_bytes()), Ok(Some((Value::Null, 5))));
    }
}
