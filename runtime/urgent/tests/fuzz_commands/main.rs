//! Fuzzing: any bytes are a command or a refusal of one line, and a command is read as it is written.
//!
//! `cargo test` plays the corpus and some thousand mutations of chance. With coverage, for as long as it is let:
//! `cargo bolero test -p palco-urgent fuzz_commands --sanitizer NONE` (cargo-bolero, nightly).

use palco_urgent::{Command, LINE_BYTES_MAX, Line, parse_line};

fn main() {
    bolero::check!().with_iterations(50_000).for_each(|line: &[u8]| match parse_line(line) {
        Ok(Line::Help) => {}
        Ok(Line::Command(command)) => {
            assert!(line.len() <= LINE_BYTES_MAX);
            let Command { verb, request, key } = &command;
            let again = format!("{verb} {request}:{key}");
            assert_eq!(parse_line(again.as_bytes()), Ok(Line::Command(command)));
        }
        Err(refusal) => {
            let text = refusal.to_string();
            assert!(text.starts_with("error ") && !text.contains(char::is_control), "{text:?}");
        }
    });
}
