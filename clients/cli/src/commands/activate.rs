//! `palco activate`: socket activation of one program.

use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use palco_superserver::{
    Account, Address, Control, Descriptors, Endpoint, Environment, Limits, Listening, Origin, Plan,
    Program, Run, ServiceSpec, Style,
};

use crate::args::Activate;
use crate::control::ControlSocket;
use crate::inetd::{Log, Running, Source, run};

pub(crate) fn activate(
    activate: Activate,
    control: Option<PathBuf>,
    json: bool,
) -> Result<ExitCode> {
    let plan = Plan { services: vec![service(&activate)?], ..Plan::default() };
    let control = control.or_else(ControlSocket::spare);
    let running = Running {
        source: Source::Given(Box::new(plan)),
        control,
        take_over: false,
        log: Log::Stderr,
        dashboard: None,
        leave_programs: false,
    };
    run(running, json)
}

fn service(activate: &Activate) -> Result<ServiceSpec> {
    let Some((name, args)) = activate.program.split_first() else { bail!("no program is given") };
    let path = find(name)?;
    let mut program = Program::new(&path, name);
    program.args = args.iter().map(Into::into).collect();
    program.directory = env::current_dir().context("the current directory")?;
    program.environment = environment(&activate.setenv)?;
    // Ctrl-C is for palco, which asks the program to end.
    program.new_session = true;
    program.account = activate
        .user
        .as_deref()
        .map(|user| Account::look_up(user, None).map_err(anyhow::Error::msg))
        .transpose()?;
    program.descriptors = if activate.inetd {
        Descriptors::Inetd
    } else {
        Descriptors::Listen { names: names(activate)? }
    };
    let style = if activate.accept { Style::PerConnection } else { Style::Single };
    ensure!(
        !(activate.accept && activate.datagram),
        "datagrams cannot be accepted; leave out --accept or --datagram"
    );
    ensure!(
        activate.idle_exit.is_none() || style == Style::Single,
        "--idle-exit is for programs that accept themselves; leave out --accept or --idle-exit"
    );
    ensure!(
        activate.accept || !activate.inetd || activate.listen.len() == 1,
        "--inetd gives one socket as standard input, and there are {}; add --accept",
        activate.listen.len()
    );
    ensure!(activate.instances > 0, "--instances must be at least 1");
    let id = Path::new(name).file_name().unwrap_or(name.as_ref()).to_string_lossy().into_owned();
    let origin = Origin { file: "command line".into(), line: 0 };
    let mut service = ServiceSpec::new(id, origin, style, Run::Program(Box::new(program)));
    service.limits = Limits {
        instances: Control::defer(activate.instances),
        idle: activate.idle_exit,
        ..Limits::default()
    };
    for word in &activate.listen {
        let address = address(word, activate.datagram)?;
        service.endpoints.push(Endpoint { address, listening: Listening::default() });
    }
    Ok(service)
}

fn address(word: &str, is_datagram: bool) -> Result<Address> {
    if word.starts_with('/') {
        let path = PathBuf::from(word);
        return Ok(if is_datagram {
            Address::UnixDatagram(path)
        } else {
            Address::UnixStream(path)
        });
    }
    let socket = match word.parse::<u16>() {
        Ok(port) => SocketAddr::new(IpAddr::from(Ipv4Addr::LOCALHOST), port),
        Err(_) => {
            let advice =
                || format!("`{word}` is no ADDRESS:PORT, no port, and no path that begins with /");
            let mut found = word.to_socket_addrs().with_context(advice)?;
            found.next().with_context(advice)?
        }
    };
    Ok(if is_datagram { Address::udp(socket) } else { Address::tcp(socket) })
}

/// One for each socket.
fn names(activate: &Activate) -> Result<Vec<String>> {
    let (names, sockets) = (&activate.fdname, activate.listen.len());
    ensure!(
        names.is_empty() || names.len() == sockets,
        "{} --fdname for {sockets} --listen; give one for each",
        names.len()
    );
    for name in names {
        ensure!(
            !name.is_empty() && !name.contains([':', '\n']),
            "--fdname `{name}`: a name has no colon, and is not empty"
        );
    }
    Ok(names.clone())
}

fn environment(variables: &[String]) -> Result<Environment> {
    let mut set = Vec::new();
    for variable in variables {
        let pair = variable.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) =
            pair.with_context(|| format!("--setenv `{variable}` is not NAME=VALUE"))?;
        set.push((name.into(), value.into()));
    }
    Ok(Environment { inherit: None, login: false, set, ..Environment::default() })
}

/// The program's file: as given if that is a path, else the first in PATH that can be executed.
fn find(name: &str) -> Result<PathBuf> {
    let can_be_executed = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        let path = std::path::absolute(name)?;
        ensure!(can_be_executed(&path), "{} is no program", path.display());
        return Ok(path);
    }
    let directories = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&directories)
        .map(|directory| directory.join(name))
        .find(|path| can_be_executed(path))
        .with_context(|| format!("there is no program `{name}` in PATH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_ports_and_paths_can_be_listened_on() {
        let text = |word, datagram| address(word, datagram).unwrap().to_string();
        assert_eq!(text("127.0.0.1:80", false), "tcp 127.0.0.1:80");
        assert_eq!(text("[::1]:80", false), "tcp [::1]:80");
        assert_eq!(text("69", true), "udp 127.0.0.1:69");
        assert_eq!(text("/run/x", false), "unix /run/x");
        assert!(address("nonsense", false).unwrap_err().to_string().contains("nonsense"));
    }

    #[test]
    fn a_program_is_found_in_path_or_where_it_is_said_to_be() {
        assert!(find("sh").unwrap().is_absolute());
        assert!(find("/bin/sh").is_ok());
        assert!(find("/etc/passwd").unwrap_err().to_string().contains("no program"));
        assert!(find("no-such-program").unwrap_err().to_string().contains("PATH"));
    }
}
