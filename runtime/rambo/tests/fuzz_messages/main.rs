//! Fuzzing: any bytes are a message or a refusal, and a message is read as it is written.
//!
//! `cargo test` plays some thousand inputs of chance. With coverage, for as long as it is let:
//! `cargo bolero test -p palco-rambo fuzz_messages --sanitizer NONE` (cargo-bolero, nightly).

use palco_rambo::Message;

fn main() {
    bolero::check!().with_iterations(100_000).for_each(|bytes: &[u8]| {
        // Half of what is tried has the right first byte, or little of it would get further.
        for bytes in [bytes.to_vec(), [&[1], bytes].concat()] {
            if let Ok(message) = Message::decode(&bytes) {
                let mut again = Vec::new();
                message.encode(&mut again);
                assert_eq!(Message::decode(&again).expect("what was written"), message);
            }
        }
    });
}
