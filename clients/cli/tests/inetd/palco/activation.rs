//! Socket activation, both ways: palco starts programs that expect it, and is started by systemd's own activator. That one
//! is asked the same as palco, for what passes there is what programs are used to.

use std::process::Command;

use anyhow::{Result, ensure};

use super::PALCO;
use crate::checks::Check;
use crate::world::{Server, connect, converse, expect, run, runs, talk, until, write};

const PORT: u16 = 8080;
const ADDRESS: &str = "127.0.0.1:8080";

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "systemd-socket-activate starts gunicorn when a client comes",
        ask: || gunicorn(&SYSTEMD),
    },
    Check {
        promise: "palco activate starts gunicorn when a client comes",
        ask: || gunicorn(&ACTIVATE),
    },
    Check {
        promise: "systemd-socket-activate --accept hands over the connection",
        ask: || accept(&SYSTEMD),
    },
    Check {
        promise: "palco activate --accept hands over the connection",
        ask: || accept(&ACTIVATE),
    },
    Check {
        promise: "systemd-socket-activate --inetd hands it over as 0 and 1",
        ask: || inetd(&SYSTEMD),
    },
    Check { promise: "palco activate --inetd hands it over as 0 and 1", ask: || inetd(&ACTIVATE) },
    Check {
        promise: "palco serve is activated by systemd, and leaves when idle",
        ask: || serve(&SYSTEMD),
    },
    Check {
        promise: "palco serve is activated by palco, and leaves when idle",
        ask: || serve(&ACTIVATE),
    },
];

/// A program that listens for another, and what stands between its options and that one.
struct Activator {
    words: &'static [&'static str],
    mark: &'static [&'static str],
}

const SYSTEMD: Activator = Activator { words: &["systemd-socket-activate"], mark: &[] };
const ACTIVATE: Activator = Activator { words: &[PALCO, "activate"], mark: &["--"] };

impl Activator {
    fn start(&self, options: &[&str], program: &[&str]) -> Result<Server> {
        let words = [self.words, options, &["-l", ADDRESS], self.mark, program].concat();
        let mut server = Server::start(Command::new(words[0]).args(&words[1..]))?;
        server.until_listening(1)?;
        Ok(server)
    }
}

fn gunicorn(activator: &Activator) -> Result<()> {
    let application = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'Ol\\xc3\\xa1']\n";
    write("/srv/application/app.py", application)?;
    let program = ["gunicorn", "--workers=2", "--chdir=/srv/application", "app:app"];
    let _server = activator.start(&[], &program)?;
    ensure!(!runs("gunicorn")?, "it runs before a client has come");
    for _ in 0..2 {
        let page = run("curl", &["-sSfi", &format!("http://{ADDRESS}/")])?;
        expect(&page, "Server: gunicorn")?;
        expect(&page, "Olá")?;
    }
    Ok(())
}

/// One descriptor, number 3, for this very process.
fn accept(activator: &Activator) -> Result<()> {
    let script = r#"echo "$LISTEN_FDS $((LISTEN_PID == $$))" >&3"#;
    let _server = activator.start(&["--accept"], &["/bin/sh", "-c", script])?;
    for _ in 0..2 {
        let said = talk(PORT, b"")?;
        ensure!(said == b"1 1\n", "{:?}", String::from_utf8_lossy(&said));
    }
    Ok(())
}

fn inetd(activator: &Activator) -> Result<()> {
    let _server = activator.start(&["--accept", "--inetd"], &["/bin/cat"])?;
    let (mut one, mut other) = (connect(PORT)?, connect(PORT)?);
    converse(&mut one)?;
    converse(&mut other)?;
    converse(&mut one)
}

fn serve(activator: &Activator) -> Result<()> {
    let program = [PALCO, "serve", "echo", "--idle-exit", "1s", "--control", "/run/activated.sock"];
    let _server = activator.start(&[], &program)?;
    let socket = || std::path::Path::new("/run/activated.sock").exists();
    ensure!(!socket(), "it runs before a client has come");
    let mut client = connect(PORT)?;
    converse(&mut client)?;
    converse(&mut connect(PORT)?)?;
    drop(client);
    until("palco leaves, and takes its control socket away", || Ok(!socket()))
}
