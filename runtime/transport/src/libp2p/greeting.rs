//! How a connection begins: what both say of themselves, and who decides that it is the one they keep.
//!
//! Both send an [`Opening`] at once. If neither refuses, the node with the lesser key says its [`Verdict`]; with its first byte
//! the session has begun on its side, and on the other when it has come. One node decides for both, so that two who dial each
//! other at the same time keep one connection of the two, and the same.

use std::io;
use std::time::Duration;

use ::libp2p::swarm::Stream;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::frames::LENGTH_BYTES;
use crate::Introduction;

/// Bytes of the largest opening or verdict.
const GREETING_BYTES_MAX: usize = 4 << 10;

/// Bytes of the longest reason and the longest name that are shown of those which another node tells.
const WORDS_BYTES_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 64;

/// How long a refused connection stays open, so that its other end reads why.
const FAREWELL: Duration = Duration::from_secs(2);

/// The first thing that a node says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Opening {
    Hello(Hello),
    /// It does not talk, and why.
    Refusal(String),
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) introduction: Introduction,
    /// Drawn when it was started: tells a node that was started anew from one that lost a connection.
    pub(super) boot: u64,
    /// The last session with the other that it knows to be over.
    pub(super) over: Option<Decided>,
}

/// A session as both call it: by the number it has at the node that decided on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decided {
    /// Of the node that decided.
    pub(super) boot: u64,
    pub(super) number: u64,
}

/// What the deciding node says to an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// This connection is the session.
    Kept(Decided),
    /// Another one is.
    Another,
}

/// Says the opening, and hears the other's.
pub(super) async fn meet(stream: &mut Stream, mine: &Opening) -> io::Result<Opening> {
    say(stream, mine).await?;
    let theirs = hear(stream).await?;
    match &theirs {
        Opening::Hello(hello) if hello.introduction.name.len() > NAME_BYTES_MAX => {
            Err(io::Error::other(format!("its name has more than {NAME_BYTES_MAX} bytes")))
        }
        Opening::Hello(_) => Ok(theirs),
        Opening::Refusal(why) => Ok(Opening::Refusal(shown(why))),
    }
}

/// Hears what the deciding node decided.
pub(super) async fn verdict(stream: &mut Stream) -> io::Result<Verdict> {
    hear(stream).await
}

/// Says a last word if there is one, and waits until the other has read everything, or for as long as is decent.
pub(super) async fn part(mut stream: Stream, last: Option<Verdict>) {
    let parting = async {
        if let Some(verdict) = last {
            say(&mut stream, &verdict).await?;
        }
        stream.close().await?;
        // It closes its end when it has read; what it still says is of no interest.
        let mut ignored = [0; 256];
        let mut room = GREETING_BYTES_MAX;
        while room > 0 {
            match stream.read(&mut ignored).await? {
                0 => break,
                bytes => room = room.saturating_sub(bytes),
            }
        }
        io::Result::Ok(())
    };
    let _ = timeout(FAREWELL, parting).await;
}

/// As bytes of the stream.
pub(super) fn encoded<T: Serialize>(words: &T) -> io::Result<Vec<u8>> {
    let words = postcard::to_stdvec(words).map_err(io::Error::other)?;
    let length = u32::try_from(words.len()).ok().filter(|_| words.len() <= GREETING_BYTES_MAX);
    let length = length.ok_or_else(too_long)?;
    Ok([&length.to_le_bytes()[..], &words].concat())
}

async fn say<T: Serialize>(stream: &mut Stream, words: &T) -> io::Result<()> {
    stream.write_all(&encoded(words)?).await?;
    stream.flush().await
}

async fn hear<T: DeserializeOwned>(stream: &mut Stream) -> io::Result<T> {
    let mut length = [0; LENGTH_BYTES];
    stream.read_exact(&mut length).await?;
    let bytes = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if bytes > GREETING_BYTES_MAX {
        return Err(too_long());
    }
    let mut words = vec![0; bytes];
    stream.read_exact(&mut words).await?;
    postcard::from_bytes(&words).map_err(io::Error::other)
}

fn too_long() -> io::Error {
    io::Error::other(format!("a greeting has at most {GREETING_BYTES_MAX} bytes"))
}

/// Words of another node, made fit for a terminal.
fn shown(words: &str) -> String {
    let mut shown = String::new();
    for letter in words.chars().filter(|letter| !letter.is_control()) {
        if shown.len() + letter.len_utf8() > WORDS_BYTES_MAX {
            break;
        }
        shown.push(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_an_opening_or_none(bytes in vec(any::<u8>(), 0..200)) {
            if let Ok(opening) = postcard::from_bytes::<Opening>(&bytes) {
                prop_assert!(encoded(&opening).is_ok());
            }
        }

        #[test]
        fn words_of_others_are_short_and_plain(words in any::<String>()) {
            let shown = shown(&words.repeat(20));
            prop_assert!(shown.len() <= WORDS_BYTES_MAX);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
