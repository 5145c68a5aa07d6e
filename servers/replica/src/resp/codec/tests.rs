//! The decoder: what it yields does not depend on how bytes are cut, and no bytes harm it.

use palco_service::services::resp::write_command;
use proptest::prelude::*;

use super::*;

fn small() -> RespCodec {
    RespCodec::with_limits(Limits {
        arguments_max: 6,
        argument_bytes_max: 40,
        inline_bytes_max: 60,
        command_bytes_max: 200,
    })
}

/// All commands in these bytes, which come in pieces, and the error that ends them.
fn commands(bytes: &[u8], cuts: &[usize]) -> (Vec<Command>, Option<Malformed>) {
    let mut codec = small();
    let mut input = BytesMut::new();
    let mut commands = Vec::new();
    let mut rest = bytes;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        let (piece, after) = rest.split_at(cut.min(rest.len()));
        input.extend_from_slice(piece);
        rest = after;
        loop {
            match codec.decode(&mut input) {
                Ok(Some(batch)) => {
                    assert!(!batch.commands.is_empty());
                    commands.extend(batch.commands);
                }
                Ok(None) => break,
                Err(malformed) => return (commands, Some(malformed)),
            }
        }
        // 200 bytes of a command, and the line that does not belong to it any more.
        assert!(input.len() <= bytes.len().min(260), "{} bytes wait", input.len());
    }
    (commands, None)
}

/// Bytes that are nearly commands.
fn nearly_commands() -> impl Strategy<Value = Vec<u8>> {
    let argument = prop::collection::vec(any::<u8>(), 0..20);
    let command = prop::collection::vec(argument, 1..5).prop_map(|arguments| {
        let mut bytes = BytesMut::new();
        write_command(arguments.iter().map(|argument| &argument[..]), &mut bytes);
        bytes.to_vec()
    });
    let inline = "[a-z \"'\\\\x]{0,30}\r?\n".prop_map(String::into_bytes);
    let noise = prop::collection::vec(prop::sample::select(&b"*$-019\r\n\"a"[..]), 0..12);
    let piece = prop_oneof![6 => command, 3 => inline, 1 => noise];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn however_bytes_are_cut_the_commands_are_the_same(
        bytes in nearly_commands(),
        cuts in prop::collection::vec(0_usize..12, 0..40),
    ) {
        prop_assert_eq!(commands(&bytes, &cuts), commands(&bytes, &[]));
    }

    #[test]
    fn any_bytes_are_commands_an_error_or_too_few(bytes: Vec<u8>, cuts in prop::collection::vec(0_usize..9, 0..9)) {
        let (found, _) = commands(&bytes, &cuts);
        prop_assert!(found.iter().all(|command| !command.is_empty() && command.len() <= 6));
    }
}

#[test]
fn all_that_has_come_is_one_batch_and_what_is_wrong_behind_it_comes_after() {
    let mut codec = RespCodec::new();
    let mut input = BytesMut::from(&b"PING\r\n*1\r\n$4\r\nPING\r\n\r\n*0\r\nECHO a\r\n*1\r\n!"[..]);
    let batch = codec.decode(&mut input).unwrap().unwrap();
    assert_eq!(batch.commands.len(), 3);
    for _ in 0..2 {
        assert!(matches!(codec.decode(&mut input), Err(Malformed::Syntax(_))));
    }
}

#[test]
fn a_batch_has_its_limits_in_commands_and_in_bytes() {
    let mut input = BytesMut::from("PING\r\n".repeat(COMMANDS_MAX + 3).as_bytes());
    let mut codec = RespCodec::new();
    let lengths =
        [(); 3].map(|()| codec.decode(&mut input).unwrap().map_or(0, |batch| batch.commands.len()));
    assert_eq!(lengths, [COMMANDS_MAX, 3, 0]);

    let value = vec![b'v'; BATCH_BYTES_MAX / 2];
    for _ in 0..3 {
        write_command([&b"SET"[..], b"a", &value], &mut input);
    }
    let batch = codec.decode(&mut input).unwrap().unwrap();
    assert_eq!(batch.commands.len(), 2);
}

#[test]
fn limits_on_arguments_lengths_and_lines_end_the_connection_in_words() {
    for (bytes, words) in [
        (b"*7\r\n".to_vec(), "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"*1\r\n$41\r\n".to_vec(), "-ERR Protocol error: invalid bulk length\r\n"),
        (
            vec![b'a'; 61],
            "-ERR Protocol error: too big inline request: at most 60 bytes can be\r\n",
        ),
        (b"GET \"a\r\n".to_vec(), "-ERR Protocol error: unbalanced quotes in request\r\n"),
    ] {
        let malformed = commands(&bytes, &[]).1.unwrap();
        let mut output = BytesMut::new();
        small().farewell(&Farewell::Malformed(malformed), &mut output);
        assert_eq!(output, words);
    }
}
