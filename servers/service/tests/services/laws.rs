//! What holds for every codec: how the bytes are cut does not matter, and no bytes make it panic or hoard.

use bytes::BytesMut;
use palco_service::services::echo::{EchoCodec, EchoService, REQUEST_BYTES_MAX};
use palco_service::services::ftp::{FtpCodec, FtpService};
use palco_service::services::kv::{Command, KvService, Limits, RespCodec, write_command};
use palco_service::services::telnet::{self, TelnetCodec, TelnetService};
use palco_service::services::time::{TimeCodec, TimeFormat, TimeService};
use palco_service::services::work::{LINE_BYTES_MAX, WorkCodec, WorkService};
use palco_service::{Codec, Service};
use proptest::prelude::*;

use crate::support::laws::{
    READ_BYTES_MAX, assert_cuts_do_not_matter, cuts, flood, flood_chunks, garbage,
};
use crate::support::{Connection, TestHost};

/// Small enough that random commands meet them.
fn small() -> Limits {
    Limits {
        arguments_max: 6,
        value_bytes_max: 40,
        inline_bytes_max: 60,
        command_bytes_max: 120,
        keys_max: 4,
        store_bytes_max: 700,
    }
}

fn kv_bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "GET",
        "set",
        "INCR",
        "APPEND",
        "MGET",
        "MSET",
        "DEL",
        "EXISTS",
        "PING",
        "NX",
        "foo",
        "a",
        "b",
        "17",
        "",
        "CLIENT",
        "SETNAME",
        "GETNAME",
        "QUIT",
        "PALCO.TICKET",
        "FLUSHALL",
        "\"\\x41\"",
        "'",
    ]);
    let binary = prop::collection::vec(any::<u8>(), 0..50);
    let argument =
        prop_oneof![9 => word.clone().prop_map(|word| word.as_bytes().to_vec()), 1 => binary];
    let array = prop::collection::vec(argument, 0..8).prop_map(|arguments| {
        let mut bytes = BytesMut::new();
        write_command(arguments.iter().map(Vec::as_slice), &mut bytes);
        bytes.to_vec()
    });
    let inline = (prop::collection::vec(word, 0..5), prop::sample::select(vec!["\n", "\r\n"]))
        .prop_map(|(words, end)| (words.join(" ") + end).into_bytes());
    let piece = prop_oneof![10 => array, 4 => inline, 1 => garbage()];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn work_bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "cpu 3\n",
        "hog 2\r\n",
        "sleep 5\n",
        "block 0\n",
        "offload 0\r\n",
        "alloc 8\n",
        "count 3\n",
        "count 3000\n",
        "ticket\n",
        "help\n",
        "\n",
        "cpu\n",
        "cpu 99999999999\n",
        "what \u{fc}\n",
        "help",
    ]);
    let long = (LINE_BYTES_MAX - 3..LINE_BYTES_MAX + 3).prop_map(|length| "x".repeat(length));
    let piece =
        prop_oneof![20 => line.prop_map(String::from), 1 => long].prop_map(String::into_bytes);
    let piece = prop_oneof![20 => piece, 1 => garbage()];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// Lines and Telnet commands, some of them cut off or endless.
fn terminal_bytes(lines: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(lines).prop_map(|line| line.as_bytes().to_vec());
    let end = prop::sample::select(vec![&b"\r\n"[..], b"\n", b"\r", b"\r\0", b"\0", b""]);
    let command = prop_oneof![
        3 => (240_u8..=255).prop_map(|code| vec![255, code]),
        2 => (251_u8..=254, any::<u8>()).prop_map(|(verb, option)| vec![255, verb, option]),
        1 => prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|inner| [&[255, 250], &inner[..], &[255, 240]].concat()),
        1 => Just(vec![255]),
    ];
    let long = (LINE_BYTES_MAX - 3..LINE_BYTES_MAX + 3).prop_map(|length| vec![b'x'; length]);
    let endless = Just([&[255, 250][..], &[b'x'; telnet::LINE_BYTES_MAX]].concat());
    let piece = prop_oneof![
        10 => (line, end).prop_map(|(line, end)| [&line[..], end].concat()),
        10 => command,
        1 => garbage(),
        1 => long,
        1 => endless,
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn telnet_bytes() -> impl Strategy<Value = Vec<u8>> {
    terminal_bytes(&[
        "help",
        "count 3",
        "count 2 5",
        "count 3000",
        "sleep 7",
        "ticket",
        "",
        "what",
        "count",
        "quit",
        "a\u{fc}",
    ])
}

fn ftp_bytes() -> impl Strategy<Value = Vec<u8>> {
    terminal_bytes(&[
        "USER a",
        "pass",
        "SITE SLEEP 3",
        "site cpu 2",
        "SITE TICKET",
        "ABOR",
        "STAT",
        "HELP",
        "RETR x",
        "",
        "TYPE I",
        "QUIT",
        "what \u{fc}",
    ])
}

/// Urgent data comes after `before`, and then something else; the connection answers `line` afterwards, or is closed.
fn assert_urgent_data_is_survived<S: Service, C: Codec<S>>(
    service: &S,
    codec: C,
    pieces: [&[u8]; 3],
    line: &[u8],
) -> Result<(), TestCaseError> {
    let host = TestHost::default();
    let mut connection = Connection::open(service, codec, &host);
    let [before, urgent, after] = pieces;
    connection.send(before);
    if !connection.closed {
        connection.urgent(urgent);
    }
    connection.send(after);
    // Whatever is incomplete, this completes; then comes a data mark.
    connection.send(b"\xff\xf0\xff\xf0\xff\xf2\r\n");
    connection.output.clear();
    connection.send(line);
    prop_assert!(connection.closed || !connection.output.is_empty());
    Ok(())
}

proptest! {
    #[test]
    fn cuts_do_not_matter_to_telnet(bytes in telnet_bytes(), cuts in cuts()) {
        assert_cuts_do_not_matter!(TelnetService, TelnetCodec::default(), &bytes, &cuts);
    }

    #[test]
    fn cuts_do_not_matter_to_ftp(bytes in ftp_bytes(), cuts in cuts()) {
        assert_cuts_do_not_matter!(FtpService::default(), FtpCodec::default(), &bytes, &cuts);
    }

    #[test]
    fn urgent_data_anywhere_is_survived(
        before in telnet_bytes(),
        urgent in telnet_bytes(),
        after in ftp_bytes(),
    ) {
        let pieces = [&before[..], &urgent, &after];
        assert_urgent_data_is_survived(&TelnetService, TelnetCodec::default(), pieces, b"help\n")?;
        let ftp = FtpService::default();
        assert_urgent_data_is_survived(&ftp, FtpCodec::default(), pieces, b"NOOP\n")?;
    }

    #[test]
    fn cuts_do_not_matter_to_echo(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        cuts in cuts(),
    ) {
        assert_cuts_do_not_matter!(EchoService, EchoCodec, &bytes, &cuts);
    }

    #[test]
    fn cuts_do_not_matter_to_time(bytes in garbage(), cuts in cuts()) {
        for format in [TimeFormat::Binary, TimeFormat::Line] {
            assert_cuts_do_not_matter!(TimeService, TimeCodec::new(format), &bytes, &cuts);
        }
    }

    #[test]
    fn cuts_do_not_matter_to_kv(bytes in kv_bytes(), cuts in cuts()) {
        assert_cuts_do_not_matter!(KvService::new(small()), RespCodec::new(small()), &bytes, &cuts);
    }

    #[test]
    fn cuts_do_not_matter_to_work(bytes in work_bytes(), cuts in cuts()) {
        assert_cuts_do_not_matter!(WorkService::default(), WorkCodec::default(), &bytes, &cuts);
    }

    #[test]
    fn any_arguments_survive_resp(
        arguments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
    ) {
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        let mut bytes = BytesMut::new();
        write_command(arguments.iter().copied(), &mut bytes);
        bytes.extend_from_slice(b"*");
        let decoded = Codec::<KvService>::decode(&mut RespCodec::default(), &mut bytes);
        prop_assert_eq!(decoded, Ok(Some(Command::from_arguments(arguments))));
        prop_assert_eq!(&bytes[..], b"*");
    }
}

#[test]
fn an_endless_request_is_not_hoarded() {
    let echo = flood(&EchoService, EchoCodec, b"", b"x");
    assert!(echo <= REQUEST_BYTES_MAX, "{echo}");
    let time = flood(&TimeService, TimeCodec::new(TimeFormat::Line), b"", b"x");
    assert_eq!(time, 0);
    let work = flood(&WorkService::default(), WorkCodec::default(), b"cpu ", b"1");
    assert!(work <= LINE_BYTES_MAX + READ_BYTES_MAX, "{work}");
}

#[test]
fn an_endless_line_of_a_terminal_is_not_hoarded() {
    for endless in
        [&b"x"[..], b"\xff", b"\xff\xf6", b"x\xff\xf7", b"\xff\xfax", b"\0", b"\r", b"\xff\xfd\x06"]
    {
        let telnet = flood_chunks(&TelnetService, TelnetCodec::default(), b"count", endless, 32);
        assert!(telnet <= READ_BYTES_MAX, "{} {telnet}", endless.escape_ascii());
        let ftp = flood_chunks(&FtpService::default(), FtpCodec::default(), b"", endless, 32);
        assert!(ftp <= READ_BYTES_MAX, "{} {ftp}", endless.escape_ascii());
    }
}

#[test]
fn an_endless_command_is_not_hoarded() {
    let limits = Limits { command_bytes_max: 200_000, ..Limits::default() };
    for (first, endless) in [
        (&b""[..], &b"x"[..]),
        (b"*", b"1"),
        (b"*1\r\n$", b"1"),
        (b"*65536\r\n", b"$9\r\nxxxxxxxxx\r\n"),
        (b"*2\r\n$3\r\nGET\r\n$190000\r\n", b"x"),
        (b"", b"\r\n"),
        (b"", b"*0\r\n"),
        (b"get \"", b"\\x41"),
    ] {
        let service = KvService::new(limits.clone());
        let peak = flood(&service, RespCodec::new(limits.clone()), first, endless);
        assert!(peak <= 200_000 + READ_BYTES_MAX, "{} {peak}", first.escape_ascii());
    }
}
