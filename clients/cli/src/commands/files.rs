//! `palco files`: hints for clients, and the proxy.

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use palco_client::proxy::{self, ProxyOptions};
use serde::Serialize;
use serde_json::json;

use crate::args::{Files, FilesProxy, MountHints};
use crate::output;

/// A way to the files.
#[derive(Debug, Serialize)]
struct Hint {
    what: &'static str,
    command: String,
    program: &'static str,
    /// Debian's, that has the program.
    package: &'static str,
    is_here: bool,
}

pub(crate) fn files(files: &Files, json: bool) -> Result<ExitCode> {
    match files {
        Files::MountHints(wanted) => hints(wanted, json),
        Files::Proxy(wanted) => proxy(wanted, json),
    }
}

fn hints(wanted: &MountHints, json: bool) -> Result<ExitCode> {
    let hints = all(wanted);
    if json {
        output::json(&hints)?;
        return Ok(ExitCode::SUCCESS);
    }
    for hint in &hints {
        output::line(format!("# {}", hint.what))?;
        if !hint.is_here {
            output::line(format!(
                "# {} is not here: apt-get install {}",
                hint.program, hint.package
            ))?;
        }
        output::line(format!("{}\n", hint.command))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn all(MountHints { http, sftp, at }: &MountHints) -> Vec<Hint> {
    let (host, port) = (sftp.ip(), sftp.port());
    let hint = |what, program, package, command| Hint {
        what,
        command,
        program,
        package,
        is_here: is_here(program),
    };
    vec![
        hint(
            "HTTP: get a file, and go on with one that was cut off",
            "curl",
            "curl",
            format!("curl -C - -O http://{http}/FILE"),
        ),
        hint("the same with wget", "wget", "wget", format!("wget -c http://{http}/FILE")),
        hint("HTTP: put a file there", "curl", "curl", format!("curl -T FILE http://{http}/FILE")),
        hint(
            "HTTP, mounted to be read; what is open goes on with the next server",
            "rclone",
            "rclone",
            format!("rclone mount :http: {at} --http-url http://{http}/ --read-only --daemon"),
        ),
        hint(
            "SFTP, mounted to be read and written",
            "sshfs",
            "sshfs",
            format!("sshfs -o directport={port},reconnect {host}:/ {at}"),
        ),
        hint(
            "SFTP through a proxy: what is open goes on, if the server has --handles journalled",
            "sshfs",
            "sshfs",
            format!(
                "palco files proxy --to {sftp} --listen 127.0.0.1:7023 & sshfs -o directport=7023 127.0.0.1:/ {at}"
            ),
        ),
        hint("SFTP, by hand", "sftp", "openssh-client", format!("sftp -D \"nc {host} {port}\"")),
        hint("the end of a mount", "fusermount3", "fuse3", format!("fusermount3 -u {at}")),
    ]
}

/// Whether the program is in `PATH`.
fn is_here(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn proxy(wanted: &FilesProxy, json: bool) -> Result<ExitCode> {
    let FilesProxy { to, listen, patience } = wanted;
    ensure!(
        listen.ip().is_loopback(),
        "everybody who reaches {listen} could use the files: let the proxy listen on loopback, next to its clients"
    );
    let listener =
        TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    if json {
        output::json(&json!({ "address": address, "to": to }))?;
    } else {
        output::line(format!("proxy on {address} to {to}; Ctrl-C ends it"))?;
    }
    let options = ProxyOptions { patience: *patience, ..ProxyOptions::new(to) };
    proxy::run(&listener, &options, |event| output::talk(event.to_string()))
        .with_context(|| format!("cannot accept on {address}"))?;
    Ok(ExitCode::SUCCESS)
}
