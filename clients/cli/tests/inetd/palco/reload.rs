//! SIGHUP: the file is read anew, and only what differs changes.

use std::fs;
use std::net::TcpStream;

use anyhow::{Result, ensure};

use super::{CONFIGURATION, serve};
use crate::checks::Check;
use crate::world::{connect, converse, talk, until, write};

const BEFORE: &str =
    "17991 stream tcp4 nowait nobody /bin/cat cat\n17992 stream tcp4 nowait nobody /bin/cat cat\n";
const AFTER: &str = "17991 stream tcp4 nowait nobody /usr/bin/id id -u\n17993 stream tcp4 nowait nobody /bin/cat cat\n";

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "palco inetd moves listeners on SIGHUP, and keeps live connections",
        ask: moves,
    },
    Check { promise: "palco inetd changes nothing when the new file is broken", ask: broken },
    Check { promise: "palco inetd changes nothing when the new file is missing", ask: missing },
];

fn moves() -> Result<()> {
    let server = serve(BEFORE)?;
    let (mut kept, mut gone) = (connect(17991)?, connect(17992)?);
    converse(&mut kept)?;
    converse(&mut gone)?;
    write(CONFIGURATION, AFTER)?;
    server.signal("-HUP")?;
    until("the new port listens", || Ok(TcpStream::connect(("127.0.0.1", 17993)).is_ok()))?;
    until("the old port does not", || Ok(TcpStream::connect(("127.0.0.1", 17992)).is_err()))?;
    converse(&mut kept)?;
    converse(&mut gone)?;
    // Sockets change before services do.
    until("a new connection has the new program", || Ok(talk(17991, b"")? == b"65534\n"))?;
    converse(&mut connect(17993)?)
}

fn broken() -> Result<()> {
    changes_nothing(|| write(CONFIGURATION, "nothing\nof this (is) a {configuration\n"))
}

fn missing() -> Result<()> {
    changes_nothing(|| Ok(fs::remove_file(CONFIGURATION)?))
}

/// It says why: that is how the client knows that it has tried.
fn changes_nothing(spoil: fn() -> Result<()>) -> Result<()> {
    let mut server = serve(BEFORE)?;
    let mut live = connect(17991)?;
    converse(&mut live)?;
    server.said()?;
    spoil()?;
    server.signal("-HUP")?;
    until("it says what is wrong", || Ok(server.said()?.contains(CONFIGURATION)))?;
    converse(&mut live)?;
    converse(&mut connect(17991)?)?;
    converse(&mut connect(17992)?)?;
    ensure!(server.child.try_wait()?.is_none(), "it ended");
    Ok(())
}
