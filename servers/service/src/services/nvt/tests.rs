//! The terminal, one event after the other.

use proptest::prelude::*;

use super::*;

/// A terminal that has said so.
fn opened() -> Nvt {
    let mut nvt = Nvt::default();
    assert_eq!(nvt.next(&mut BytesMut::new()), Ok(Some(Event::Opened)));
    nvt
}

/// All events of `bytes` that come at once.
fn events(nvt: &mut Nvt, bytes: &[u8]) -> Vec<Event> {
    let mut input = BytesMut::from(bytes);
    let events = std::iter::from_fn(|| nvt.next(&mut input).unwrap()).collect();
    assert!(input.is_empty(), "{}", input.escape_ascii());
    events
}

fn lines(nvt: &mut Nvt, bytes: &[u8]) -> Vec<String> {
    let line = |event| match event {
        Event::Line(line) => String::from_utf8(line).unwrap(),
        other => panic!("{other:?}"),
    };
    events(nvt, bytes).into_iter().map(line).collect()
}

/// Urgent data: `bytes`, of which the last is the urgent one. Returns what stays to be decoded.
fn synch(nvt: &mut Nvt, bytes: &[u8]) -> Vec<u8> {
    let mut input = BytesMut::from(bytes);
    nvt.synch(&mut input);
    input.to_vec()
}

#[test]
fn four_line_ends_end_one_line_each() {
    let mut nvt = opened();
    assert_eq!(lines(&mut nvt, b"a\r\nb\r\0c\nd\re\r\n\n\r"), ["a", "b", "c", "d", "e", "", ""]);
    assert_eq!(lines(&mut nvt, b"\nf\0g\n"), ["fg"]);
}

#[test]
fn the_line_end_is_taken_with_its_line_if_it_is_there() {
    let mut input = BytesMut::from(&b"a\r\nb"[..]);
    opened().next(&mut input).unwrap();
    assert_eq!(&input[..], b"b");
}

#[test]
fn characters_and_lines_are_erased() {
    let mut nvt = opened();
    assert_eq!(lines(&mut nvt, "helx\u{fffd}".as_bytes()), [""; 0]);
    assert_eq!(lines(&mut nvt, b"\xff\xf7\xff\xf7p\n"), ["help"]);
    assert_eq!(lines(&mut nvt, b"wrong\xff\xf8\xff\xf7right\n"), ["right"]);
    assert_eq!(lines(&mut nvt, b"\xff\xf7\xff\xf8\n"), [""]);
}

#[test]
fn each_option_is_refused_once_and_a_timing_mark_is_set_each_time() {
    let mut nvt = opened();
    assert_eq!(
        events(
            &mut nvt,
            b"\xff\xfd\x01\xff\xfb\x01\xff\xfd\x01\xff\xfb\x01\xff\xfe\x01\xff\xfc\x01"
        ),
        [Event::Option([IAC, WONT, 1]), Event::Option([IAC, DONT, 1])]
    );
    let mark = Event::Option([IAC, WILL, 6]);
    assert_eq!(events(&mut nvt, b"\xff\xfd\x06\xff\xfd\x06"), [mark.clone(), mark]);
    assert_eq!(events(&mut nvt, b"\xff\xfd\xff"), [Event::Option([IAC, WONT, 255])]);
}

#[test]
fn a_synch_discards_text_and_keeps_commands() {
    // As the text of RFC 854 has it: the data mark is the urgent byte.
    let mut nvt = opened();
    assert_eq!(lines(&mut nvt, b"beg"), [""; 0]);
    assert_eq!(
        synch(&mut nvt, b"un\r\nmore\xff\xf4\xff\xf6x\xff\xff\xff\xf2"),
        b"\xff\xf4\xff\xf6\xff\xf2"
    );
    assert_eq!(
        events(&mut nvt, b"\xff\xf4\xff\xf6\xff\xf2help\n"),
        [
            Event::Command(Command::Interrupt),
            Event::Command(Command::AreYouThere),
            Event::Synch(13),
            Event::Line(b"help".to_vec()),
        ]
    );
}

#[test]
fn a_synch_lasts_until_the_mark_that_follows_an_urgent_iac() {
    // As inetutils sends it: IAC is the urgent byte, and DM follows like other data.
    let mut nvt = opened();
    assert_eq!(synch(&mut nvt, b"abc\xff"), b"\xff");
    let events = events(&mut nvt, b"\xff\xf2after\n");
    assert_eq!(events, [Event::Synch(3), Event::Line(b"after".to_vec())]);
}

#[test]
fn two_synchs_of_which_one_is_noticed_end_with_the_second_mark() {
    let mut nvt = opened();
    assert_eq!(synch(&mut nvt, b"a\xff\xf2b\xff\xf2"), b"\xff\xf2");
    assert_eq!(events(&mut nvt, b"\xff\xf2"), [Event::Synch(2)]);
    assert_eq!(synch(&mut nvt, b"a\xff\xf2b\xff"), b"\xff");
    assert_eq!(synch(&mut nvt, b"\xff\xf2c\xff"), b"\xff");
    assert_eq!(events(&mut nvt, b"\xff\xf2d\n"), [Event::Synch(3), Event::Line(b"d".to_vec())]);
}

#[test]
fn a_mark_alone_and_a_synch_of_nothing_are_nothing() {
    let mut nvt = opened();
    assert_eq!(lines(&mut nvt, b"a\xff\xf2b\r"), ["ab"]);
    // The rest of the line end is no text.
    assert_eq!(synch(&mut nvt, b"\n\xff\xf2"), b"\xff\xf2");
    assert_eq!(lines(&mut nvt, b"\xff\xf2c\n"), ["c"]);
}

#[test]
fn a_command_cut_by_the_last_read_is_seen_when_something_urgent_comes() {
    let mut nvt = opened();
    let mut input = BytesMut::from(&b"one\ntwo\xff"[..]);
    nvt.next(&mut input).unwrap();
    assert_eq!(nvt.since_last_line(b"\xf4\xff"), b"two\xff\xf4\xff");
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"ab\r\n\0".to_vec()),
        3 => Just(IAC),
        3 => 236_u8..=255,
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..60)
}

proptest! {
    #[test]
    fn a_synch_leaves_no_text_and_is_over_after_a_mark(before in stream(), urgent in stream()) {
        let mut nvt = opened();
        let mut input = BytesMut::from(&before[..]);
        while nvt.next(&mut input).unwrap().is_some() {}
        input.extend_from_slice(&urgent);
        let length = input.len();
        nvt.synch(&mut input);
        prop_assert!(input.len() <= length);
        prop_assert!(pieces(&input).all(|(piece, _, _)| !matches!(piece, Piece::Text(_))));
        // Whatever is incomplete, this completes; then the mark is one.
        input.extend_from_slice(b"\xff\xf0\xff\xf0\xff\xf2end\n");
        let mut last = None;
        while let Some(event) = nvt.next(&mut input).unwrap() {
            last = Some(event);
        }
        prop_assert_eq!(last, Some(Event::Line(b"end".to_vec())));
    }

    #[test]
    fn stripping_commands_keeps_all_lines(bytes in stream()) {
        let lines = |bytes: &[u8]| {
            let (mut nvt, mut input) = (opened(), BytesMut::from(bytes));
            let all = std::iter::from_fn(|| nvt.next(&mut input).unwrap());
            all.filter(|event| matches!(event, Event::Line(_))).collect::<Vec<_>>()
        };
        // Erasing is the one thing in which commands change a line.
        let bytes: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, 247 | 248)).collect();
        let mut stripped = BytesMut::from(&bytes[..]);
        strip_commands(&mut stripped);
        prop_assert_eq!(lines(&stripped), lines(&bytes));
    }
}
