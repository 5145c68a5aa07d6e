//! What superservers serve themselves, by the letter of RFC 862, 863, 864, 867 and 868.

use std::io::{ErrorKind, Read};
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::{Check, Group};
use crate::world::{ask_by_datagram, connect, noise, run, talk};

const ECHO: u16 = 7;
const DISCARD: u16 = 9;
const DAYTIME: u16 = 13;
const CHARGEN: u16 = 19;
const TIME: u16 = 37;

/// From 1900, as RFC 868 counts, to 1970.
const EPOCHS_SECONDS: u64 = 2_208_988_800;

/// A line of chargen shows so many of the 95 characters from space to tilde.
const SHOWN: usize = 72;
const CHARACTERS: usize = 95;

pub(super) const GROUPS: &[Group] = &[Group {
    lines: &[
        "echo    stream tcp nowait root internal",
        "discard stream tcp nowait root internal",
        "daytime stream tcp nowait root internal",
        "time    stream tcp nowait root internal",
        "chargen stream tcp nowait root internal",
        "echo    dgram udp wait root internal",
        "discard dgram udp wait root internal",
        "daytime dgram udp wait root internal",
        "time    dgram udp wait root internal",
        "chargen dgram udp wait root internal",
    ],
    prepare: || Ok(()),
    checks: &[
        Check { promise: "echo over TCP says the same", ask: echo_stream },
        Check { promise: "discard over TCP takes all and says nothing", ask: discard_stream },
        Check { promise: "daytime over TCP is one line", ask: || is_daytime(&talk(DAYTIME, b"")?) },
        Check { promise: "time over TCP is four bytes", ask: || is_time(|| talk(TIME, b"")) },
        Check {
            promise: "chargen over TCP is the pattern until the client leaves",
            ask: chargen_stream,
        },
        Check { promise: "echo over UDP says the same", ask: echo_datagram },
        Check { promise: "discard over UDP takes all and says nothing", ask: discard_datagram },
        Check {
            promise: "daytime over UDP is one line",
            ask: || is_daytime(&ask_by_datagram(DAYTIME, b"")?),
        },
        Check {
            promise: "time over UDP is four bytes",
            ask: || is_time(|| ask_by_datagram(TIME, b"")),
        },
        Check {
            promise: "chargen over UDP is the pattern",
            ask: || is_pattern(&ask_by_datagram(CHARGEN, b"")?),
        },
    ],
}];

fn echo_stream() -> Result<()> {
    let said = noise(4096);
    ensure!(talk(ECHO, &said)? == said, "the echo differs");
    Ok(())
}

fn discard_stream() -> Result<()> {
    let heard = talk(DISCARD, &noise(300_000))?;
    ensure!(heard.is_empty(), "{heard:?}");
    Ok(())
}

fn chargen_stream() -> Result<()> {
    let mut lines = vec![0; (SHOWN + 2) * 2 * CHARACTERS];
    connect(CHARGEN)?.read_exact(&mut lines)?;
    is_pattern(&lines)
}

fn echo_datagram() -> Result<()> {
    let said = noise(1000);
    ensure!(ask_by_datagram(ECHO, &said)? == said, "the echo differs");
    Ok(())
}

/// The kernel tells the second `send` when nobody has the port of the first.
fn discard_datagram() -> Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", DISCARD))?;
    socket.send(b"one")?;
    socket.send(b"two")?;
    socket.set_nonblocking(true)?;
    let heard = socket.recv(&mut [0; 16]).map_err(|error| error.kind());
    ensure!(heard == Err(ErrorKind::WouldBlock), "{heard:?}");
    Ok(())
}

fn is_daytime(answer: &[u8]) -> Result<()> {
    let text = std::str::from_utf8(answer)?;
    let line = text.strip_suffix("\r\n").with_context(|| format!("no line: {text:?}"))?;
    let year = run("date", &["+%Y"])?;
    ensure!(!line.contains('\n') && line.contains(year.trim()), "{line:?}");
    Ok(())
}

fn is_time(ask: impl Fn() -> Result<Vec<u8>>) -> Result<()> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|now| now.as_secs());
    let before = now()?;
    let answer = ask()?;
    let after = now()?;
    let bytes = <[u8; 4]>::try_from(&answer[..]).ok().with_context(|| format!("{answer:02x?}"))?;
    // It wraps around in 2036.
    let since = u32::from_be_bytes(bytes).wrapping_sub(EPOCHS_SECONDS as u32);
    // C's `time` is behind the clock by up to a tick, so it may still show the second before.
    ensure!((before as u32 - 1..=after as u32).contains(&since), "{before} {since} {after}");
    Ok(())
}

/// Lines, each of which begins with the second character of the one before. A datagram may end within one.
fn is_pattern(answer: &[u8]) -> Result<()> {
    // A datagram may have any length, none too (RFC 864).
    let begin = usize::from(answer.first().copied().unwrap_or(b' ')).wrapping_sub(0x20);
    for (number, line) in answer.chunks(SHOWN + 2).enumerate() {
        let shown = (0..SHOWN).map(|at| b' ' + ((begin + number + at) % CHARACTERS) as u8);
        let expected: Vec<u8> = shown.chain(*b"\r\n").collect();
        ensure!(expected.starts_with(line), "line {number}: {}", String::from_utf8_lossy(line));
    }
    Ok(())
}
