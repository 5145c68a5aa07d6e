//! Daemons that let people in: SSH, telnet.

use std::io::Read;
use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};

use super::{Check, Group};
use crate::world::{append, expect, run, run_with, shell, write};

/// Options of both clients: no file of a user, one key, no question.
const OPTIONS: &[&str] = &[
    "-F/dev/null",
    "-i/etc/ssh.acceptance/key",
    "-oBatchMode=yes",
    "-oStrictHostKeyChecking=no",
    "-oUserKnownHostsFile=/dev/null",
];

pub(super) const GROUPS: &[Group] = &[
    Group {
        lines: &["ssh stream tcp nowait root /usr/sbin/sshd sshd -i -f /etc/ssh.acceptance/config"],
        prepare: prepare_ssh,
        checks: &[
            Check { promise: "ssh runs a command", ask: ssh },
            Check { promise: "sftp fetches a file", ask: sftp },
        ],
    },
    Group {
        lines: &["telnet stream tcp nowait root /usr/sbin/telnetd telnetd"],
        prepare: || Ok(()),
        checks: &[Check { promise: "telnet is asked for a login", ask: telnet }],
    },
];

fn prepare_ssh() -> Result<()> {
    append("/etc/passwd", "sshd:x:1822:65534::/run/sshd:/usr/sbin/nologin")?;
    append("/etc/passwd", "guest:x:1823:65534::/home/guest:/bin/sh")?;
    append("/etc/shadow", "guest:*:19000:0:99999:7:::")?;
    write("/home/guest/letter", "Dear friend\n")?;
    write(
        "/etc/ssh.acceptance/config",
        "HostKey /etc/ssh.acceptance/host\nAuthorizedKeysFile /etc/ssh.acceptance/key.pub\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n",
    )?;
    let script = "
        mkdir -p /run/sshd
        cd /etc/ssh.acceptance
        ssh-keygen -q -t ed25519 -N '' -f host
        ssh-keygen -q -t ed25519 -N '' -f key";
    shell(script).map(drop)
}

fn ssh() -> Result<()> {
    let arguments = [OPTIONS, &["guest@127.0.0.1", "id -un; cat letter"]].concat();
    let said = run("ssh", &arguments)?;
    ensure!(said == "guest\nDear friend\n", "{said:?}");
    Ok(())
}

fn sftp() -> Result<()> {
    let arguments = [OPTIONS, &["-q", "-b-", "guest@127.0.0.1"]].concat();
    run_with("sftp", &arguments, "get letter /tmp/letter\n")?;
    expect(&std::fs::read_to_string("/tmp/letter")?, "Dear friend")
}

/// Its input stays open, for it leaves when that ends.
fn telnet() -> Result<()> {
    let mut telnet = Command::new("timeout")
        .args(["60", "inetutils-telnet", "127.0.0.1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut heard = Vec::new();
    let mut stdout = telnet.stdout.take().expect("it is piped");
    let mut some = [0; 512];
    while !String::from_utf8_lossy(&heard).contains("login:") {
        match stdout.read(&mut some)? {
            0 => bail!("it ended after {:?}", String::from_utf8_lossy(&heard)),
            length => heard.extend_from_slice(&some[..length]),
        }
    }
    drop(telnet.stdin.take());
    telnet.wait()?;
    Ok(())
}
