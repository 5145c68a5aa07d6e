//! One line of the urgent port, and what it asks for. No socket.
//!
//! ```text
//! CANCEL server/connection.number:key
//! HOLD server/connection.number:key
//! RESUME server/connection.number:key
//! PRIORITY nice server/connection.number:key
//! STATUS server/connection.number:key
//! HELP
//! ```
//!
//! Verbs in any case, one space between words; all that follows is the claim, since a server's name may hold spaces.

use palco_core::{Key, Refusal, RequestId, Verb, parse_claim};

/// The longest line, in bytes, without its end.
pub const LINE_BYTES_MAX: usize = 512;

/// What is answered to `HELP`.
pub const HELP: &str = "help one command a line: CANCEL|HOLD|RESUME|STATUS request:key, or PRIORITY nice request:key, \
     as in HOLD work/17.2:0123456789abcdef0123456789abcdef; nice is -20 (most) to 19 (least)";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The grammar.
    Help,
    /// Something about a request.
    Command(Command),
}

/// A claim, and what is asked of the request that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is asked.
    pub verb: Verb,
    /// About which request.
    pub request: RequestId,
    /// The key that was shown.
    pub key: Key,
}

/// Reads a line without its LF; a CR at its end belongs to the end.
///
/// # Errors
/// [`Refusal::Malformed`] or [`Refusal::UnknownVerb`].
pub fn parse_line(line: &[u8]) -> Result<Line, Refusal> {
    if line.len() > LINE_BYTES_MAX {
        return Err(too_long());
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = str::from_utf8(line).map_err(|_| malformed("the line is not UTF-8"))?;
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (verb, claim) = match word.to_ascii_lowercase().as_str() {
        "" => return Err(malformed("a line begins with a verb; HELP shows the grammar")),
        "help" => return Ok(Line::Help),
        "cancel" => (Verb::Cancel, rest),
        "hold" => (Verb::Hold, rest),
        "resume" => (Verb::Resume, rest),
        "status" => (Verb::Status, rest),
        "priority" => {
            let (nice, claim) = rest.split_once(' ').unwrap_or((rest, ""));
            (Verb::Priority(nice.parse().map_err(malformed)?), claim)
        }
        _ => return Err(Refusal::UnknownVerb),
    };
    let (request, key) = parse_claim(claim).map_err(|error| malformed(&error.to_string()))?;
    Ok(Line::Command(Command { verb, request, key }))
}

/// What is answered to a line without an end.
pub(crate) fn too_long() -> Refusal {
    malformed("a line has at most 512 bytes")
}

fn malformed(why: &str) -> Refusal {
    Refusal::Malformed(why.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    #[test]
    fn verbs_are_read_in_any_case_and_names_may_hold_spaces() {
        let lines = [
            (format!("HOLD a b/1.2:{KEY}"), Verb::Hold),
            (format!("cancel a b/1.2:{KEY}\r"), Verb::Cancel),
            (format!("Resume a b/1.2:{KEY}"), Verb::Resume),
            (format!("STATUS a b/1.2:{KEY}"), Verb::Status),
            (format!("priority -5 a b/1.2:{KEY}"), Verb::Priority("-5".parse().unwrap())),
        ];
        for (line, verb) in lines {
            let request = "a b/1.2".parse().unwrap();
            let command = Command { verb, request, key: KEY.parse().unwrap() };
            assert_eq!(parse_line(line.as_bytes()), Ok(Line::Command(command)), "{line}");
        }
        assert_eq!(parse_line(b"help\r"), Ok(Line::Help));
    }

    #[test]
    fn what_is_no_command_says_why() {
        for line in ["", "\r", " HOLD", "HOLD", "HOLD work/1.1", "PRIORITY", "PRIORITY 20 a/1.1:"] {
            let refusal = parse_line(line.as_bytes()).unwrap_err();
            assert!(matches!(refusal, Refusal::Malformed(_)), "{line:?}: {refusal}");
        }
        assert_eq!(parse_line(b"GET / HTTP/1.1\r"), Err(Refusal::UnknownVerb));
        assert_eq!(parse_line(b"HOLD \xff/1.1:0"), Err(malformed("the line is not UTF-8")));
        assert_eq!(parse_line(&[b' '; LINE_BYTES_MAX + 1]), Err(too_long()));
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused_in_one_line(line in any::<Vec<u8>>()) {
            if let Err(refusal) = parse_line(&line) {
                prop_assert!(!refusal.to_string().contains(['\n', '\r']));
            }
        }

        #[test]
        fn commands_are_read_as_they_are_written(
            server in "[^\\p{C}]{1,40}", connection in 1_u64.., number in 1_u64.., nice in -20_i8..20,
        ) {
            let request = RequestId { server: server.into(), connection, number };
            let key: Key = KEY.parse().unwrap();
            let verb = Verb::Priority(nice.try_into().unwrap());
            let line = format!("{verb} {request}:{key}");
            let command = Command { verb, request, key };
            prop_assert_eq!(parse_line(line.as_bytes()), Ok(Line::Command(command)));
        }
    }
}
