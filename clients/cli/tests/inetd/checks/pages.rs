//! Daemons that answer one question: HTTP, finger behind tcpd, ident.

use std::io::{BufRead, BufReader, Write};

use anyhow::{Result, ensure};

use super::{Check, Group};
use crate::world::{append, connect, expect, run, talk, write};

const IDENT: u16 = 113;
const DENIED: u16 = 17995;

pub(super) const GROUPS: &[Group] = &[
    Group {
        lines: &["http stream tcp nowait nobody /usr/sbin/micro-httpd micro-httpd /srv/www"],
        prepare: || write("/srv/www/index.html", "<h1>Olá</h1>\n"),
        checks: &[Check { promise: "curl gets a page", ask: http }],
    },
    Group {
        lines: &[
            "finger stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd",
            "17995  stream tcp nowait nobody /usr/sbin/tcpd /bin/uname",
        ],
        prepare: prepare_tcpd,
        checks: &[
            Check { promise: "finger is let through by tcpd", ask: finger },
            Check { promise: "tcpd closes on whom it denies", ask: denied },
        ],
    },
    Group {
        lines: &["auth stream tcp nowait nobody /usr/sbin/ident2 ident2 -i"],
        prepare: || Ok(()),
        checks: &[Check { promise: "ident names the owner of a connection", ask: ident }],
    },
];

fn http() -> Result<()> {
    let page = run("curl", &["-sSfi", "http://127.0.0.1/index.html"])?;
    expect(&page, "200 Ok")?;
    expect(&page, "<h1>Olá</h1>")
}

fn prepare_tcpd() -> Result<()> {
    append("/etc/hosts.allow", "in.fingerd: 127.0.0.1")?;
    append("/etc/hosts.deny", "in.fingerd uname: ALL")
}

fn finger() -> Result<()> {
    expect(&run("finger", &["root@127.0.0.1"])?, "Login: root")
}

fn denied() -> Result<()> {
    let said = talk(DENIED, b"")?;
    ensure!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
    Ok(())
}

/// Asked about the connection on which it is asked. It holds that one long after its answer: the first line is all.
fn ident() -> Result<()> {
    let mut stream = connect(IDENT)?;
    let port = stream.local_addr()?.port();
    write!(stream, "{port}, {IDENT}\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    expect(&line, "USERID")?;
    expect(&line, "root")
}
