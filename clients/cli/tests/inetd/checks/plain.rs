//! Programs that know nothing of networks, and so show what a superserver hands over: the connection on 0, 1 and 2, a user,
//! a group, a directory. And tcpmux (RFC 1078), which starts them by name.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use anyhow::{Result, ensure};

use super::{Check, Group};
use crate::world::{PATIENCE, connect_to, converse, expect, noise, run, talk};

const TCPMUX: u16 = 1;
const CAT: u16 = 17999;
const TAC: u16 = 17998;
const DESCRIPTORS: u16 = 17997;
const BOUND: u16 = 17996;
const DIRECTORY: u16 = 17994;
const BOTH: u16 = 17993;
const SIX: u16 = 17992;

const SOCKET: &str = "/run/cat.sock";

pub(super) const GROUPS: &[Group] = &[
    Group {
        lines: &[
            "17999 stream tcp nowait nobody /bin/cat cat",
            "17998 stream tcp nowait nobody /usr/bin/socat socat STDIO EXEC:/usr/bin/tac",
            "17997 stream tcp nowait nobody /bin/ls ls -l /proc/self/fd",
            "17994 stream tcp nowait nobody /bin/pwd pwd",
        ],
        prepare: || Ok(()),
        checks: &[
            Check { promise: "cat says the same", ask: || is_echo(&talk(CAT, &noise(60_000))?) },
            Check { promise: "socat runs tac between itself and the client", ask: tac },
            Check {
                promise: "a program has the connection on 0, 1 and 2, and nothing else",
                ask: descriptors,
            },
            Check { promise: "a program begins in the root directory", ask: directory },
        ],
    },
    Group {
        lines: &["127.0.0.1:17996 stream tcp nowait nobody.nogroup /usr/bin/id id"],
        prepare: || Ok(()),
        checks: &[Check {
            promise: "a service on one address runs as its user and group",
            ask: bound,
        }],
    },
    Group {
        lines: &["17993 stream tcp46 nowait nobody /bin/cat cat"],
        prepare: || Ok(()),
        checks: &[Check { promise: "a service of both families is reached by both", ask: both }],
    },
    Group {
        lines: &["17992 stream tcp6only nowait nobody /bin/cat cat"],
        prepare: || Ok(()),
        checks: &[Check { promise: "a service of IPv6 is not reached by IPv4", ask: six }],
    },
    Group {
        lines: &["/run/cat.sock stream unix nowait root /bin/cat cat"],
        prepare: || Ok(()),
        checks: &[Check { promise: "a path is served as a port is", ask: path }],
    },
    Group {
        lines: &[
            "tcpmux        stream tcp nowait root   internal",
            "tcpmux/+date  stream tcp nowait nobody /bin/date date +%Y",
            "tcpmux/greets stream tcp nowait nobody /bin/echo echo +myself",
        ],
        prepare: || Ok(()),
        checks: &[
            Check { promise: "tcpmux lists its services", ask: mux_help },
            Check { promise: "tcpmux greets and starts a service by name", ask: mux_service },
            Check {
                promise: "tcpmux leaves the greeting to a service that greets",
                ask: mux_greeting,
            },
            Check { promise: "tcpmux refuses a name that it does not know", ask: mux_unknown },
        ],
    },
];

fn is_echo(heard: &[u8]) -> Result<()> {
    ensure!(heard == noise(60_000), "the echo differs: {} bytes", heard.len());
    Ok(())
}

fn tac() -> Result<()> {
    let heard = talk(TAC, b"one\ntwo\n")?;
    ensure!(heard == b"two\none\n", "{heard:?}");
    Ok(())
}

/// `ls` itself opens one more: the directory.
fn descriptors() -> Result<()> {
    let listed = String::from_utf8(talk(DESCRIPTORS, b"")?)?;
    let links = || listed.lines().filter_map(|line| line.split_once(" -> "));
    let sockets: Vec<&str> =
        links().map(|(_, to)| to).filter(|to| to.starts_with("socket:")).collect();
    ensure!(links().count() == 4, "{listed}");
    ensure!(sockets.len() == 3 && sockets.iter().all(|socket| *socket == sockets[0]), "{listed}");
    Ok(())
}

fn directory() -> Result<()> {
    let said = talk(DIRECTORY, b"")?;
    ensure!(said == b"/\n", "{said:?}");
    Ok(())
}

fn bound() -> Result<()> {
    let said = String::from_utf8(talk(BOUND, b"")?)?;
    let expected = "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\n";
    ensure!(said == expected, "{said:?}");
    let elsewhere = TcpStream::connect(("127.0.0.2", BOUND));
    ensure!(elsewhere.is_err(), "it listens on other addresses too");
    Ok(())
}

fn both() -> Result<()> {
    converse(&mut connect_to("127.0.0.1", BOTH)?)?;
    converse(&mut connect_to("::1", BOTH)?)
}

fn six() -> Result<()> {
    converse(&mut connect_to("::1", SIX)?)?;
    ensure!(TcpStream::connect(("127.0.0.1", SIX)).is_err(), "it listens on IPv4 too");
    Ok(())
}

fn path() -> Result<()> {
    let mut stream = UnixStream::connect(SOCKET)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&noise(60_000))?;
    stream.shutdown(Shutdown::Write)?;
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard)?;
    is_echo(&heard)
}

/// In capitals, for names are compared without regard to case.
fn mux_help() -> Result<()> {
    let list = String::from_utf8(talk(TCPMUX, b"HELP\r\n")?)?;
    let names: Vec<&str> = list.lines().map(str::trim_end).collect();
    ensure!(names.contains(&"date") && names.contains(&"greets"), "{list:?}");
    Ok(())
}

fn mux_service() -> Result<()> {
    let said = String::from_utf8(talk(TCPMUX, b"date\r\n")?)?;
    let (greeting, rest) = said.split_once("\r\n").unwrap_or_default();
    ensure!(greeting.starts_with('+') && rest == run("date", &["+%Y"])?, "{said:?}");
    Ok(())
}

fn mux_greeting() -> Result<()> {
    let said = String::from_utf8(talk(TCPMUX, b"greets\r\n")?)?;
    ensure!(said == "+myself\n", "{said:?}");
    Ok(())
}

fn mux_unknown() -> Result<()> {
    let said = String::from_utf8(talk(TCPMUX, b"nothing\r\n")?)?;
    ensure!(said.starts_with('-'), "{said:?}");
    expect(&said, "\r\n")
}
