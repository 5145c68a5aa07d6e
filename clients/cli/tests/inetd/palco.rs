//! What palco promises beyond the table. Each check has a namespace of its own.

mod activation;
mod load;
mod reload;
mod take_over;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::checks::Check;
use crate::dialect::Dialect;
use crate::world::{Server, expect, listeners, run, until, write};

const PALCO: &str = env!("CARGO_BIN_EXE_palco");

/// The control socket of the superserver in a namespace.
const CONTROL: &str = "/run/palco.sock";

const CONFIGURATION: &str = "/etc/inetd.acceptance";

pub(crate) const CHECKS: [&[Check]; 5] = [
    &[
        Check {
            promise: "palco inetd says where it can be asked, and what it serves",
            ask: status,
        },
        Check { promise: "palco inetd ends on SIGTERM, with status 0 and nothing left", ask: end },
    ],
    reload::CHECKS,
    take_over::CHECKS,
    activation::CHECKS,
    load::CHECKS,
];

/// `palco inetd`, in the foreground.
pub(crate) fn inetd(configuration: &Path, dialect: Dialect) -> Command {
    let mut command = Command::new(PALCO);
    command.args(["inetd", "--dialect", dialect.name(), "--control", CONTROL, "--config"]);
    command.arg(configuration);
    command
}

/// With these lines of OpenBSD's, each of which listens.
fn serve(lines: &str) -> Result<Server> {
    write(CONFIGURATION, lines)?;
    let mut server = Server::start(&mut inetd(CONFIGURATION.as_ref(), Dialect::Openbsd))?;
    server.until_listening(lines.lines().count())?;
    Ok(server)
}

fn status() -> Result<()> {
    write(
        CONFIGURATION,
        "echo stream tcp4 nowait root internal\n17999 stream tcp4 nowait nobody /bin/cat cat\n",
    )?;
    let mut server = Server::start(inetd(CONFIGURATION.as_ref(), Dialect::Openbsd).arg("--json"))?;
    let mut said = String::new();
    let announced = || {
        said.push_str(&server.said()?);
        let first = serde_json::Deserializer::from_str(&said).into_iter::<Value>().next();
        Ok(first.and_then(Result::ok).is_some_and(|object| object["control"] == CONTROL))
    };
    until("an object that names the control socket", announced)?;
    let status = run(PALCO, &["inetd", "status", "--control", CONTROL, "--json"])?;
    serde_json::from_str::<Value>(&status)?;
    expect(&status, "\"echo\"")?;
    expect(&status, "17999")
}

fn end() -> Result<()> {
    let mut server = serve("17999 stream tcp4 nowait nobody /bin/cat cat\n")?;
    ensure!(Path::new(CONTROL).exists(), "it has no control socket");
    server.signal("-TERM")?;
    let status = server.child.wait()?;
    ensure!(status.success(), "{status}: {}", server.said()?);
    ensure!(!Path::new(CONTROL).exists(), "its control socket is still there");
    ensure!(listeners()? == 0, "something listens still");
    Ok(())
}
