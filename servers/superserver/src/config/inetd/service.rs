//! A line becomes a service.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::address::{self, Transport};
use crate::config::fault::{Fault, Read, quoted};
use crate::config::program::{account, check, socket_path, user_and_group};
use crate::config::reading::Reading;
use crate::config::{Dialect, Options};
use crate::spec::{
    Account, Address, Builtin, Endpoint, Environment, Listening, Origin, Program, Run, ServiceSpec,
    Style,
};

use super::column::{Entry, Served};
use super::protocol::{Kind, Socket};

/// Builds the service of an entry, and says what about it is not as written.
pub(super) fn build(
    reading: &mut Reading<'_>,
    entry: &Entry,
    default_hosts: &[String],
    origin: Origin,
) -> Read<ServiceSpec> {
    if let Kind::Rpc(_) = entry.protocol.kind {
        let text = "palco registers nothing with rpcbind, so that nobody would find it";
        return Err(Fault::new(text, "run the program by itself, or give it a port of its own"));
    }
    entry.protocol.check(entry.socket)?;
    let name = match &entry.service {
        Served::Name(name) => name.clone(),
        Served::Path(path) => path.to_string_lossy().into_owned(),
        Served::Mux(mux) => mux.name.clone(),
    };
    let endpoints = endpoints(reading, entry, default_hosts)?;
    let run = run(reading, entry, &name)?;
    let mut spec = ServiceSpec::new(name, origin, entry.waiting.style, run);
    spec.endpoints = endpoints;
    spec.limits = entry.waiting.limits(reading.options.default_rate);
    if let Served::Mux(mux) = &entry.service {
        if entry.waiting.style == Style::Single || entry.socket != Socket::Stream {
            let text = "what tcpmux starts is `stream tcp nowait`";
            return Err(Fault::new(text, "write it so, or give it a port of its own"));
        }
        spec.mux = Some(mux.clone());
    }
    if let (Run::Program(program), true) = (&mut spec.run, reading.options.libwrap) {
        skip_tcpd(reading, program)?;
        spec.access.hosts = Some(reading.options.hosts(daemon(program)));
    }
    fit_style(reading, &mut spec);
    warn(reading, entry, &spec);
    Ok(spec)
}

fn endpoints(
    reading: &Reading<'_>,
    entry: &Entry,
    default_hosts: &[String],
) -> Read<Vec<Endpoint>> {
    let addresses = match (&entry.service, entry.protocol.kind) {
        (Served::Mux(_), _) => Vec::new(),
        (Served::Path(path), _) => vec![path_address(path, entry.socket)?],
        (Served::Name(name), Kind::Inet(transport, families)) => {
            let port = address::port(reading.world, name, transport)?;
            let hosts = entry.hosts.as_deref().unwrap_or(default_hosts);
            if hosts.is_empty() {
                address::wildcards(transport, families, port)
            } else {
                let of_host =
                    |host| address::of_host(reading.world, host, transport, families, port);
                hosts.iter().map(|host| of_host(host)).collect::<Read<Vec<_>>>()?.concat()
            }
        }
        (Served::Name(_), Kind::Unix | Kind::Rpc(_)) => Vec::new(),
    };
    let listening = Listening {
        send_buffer: entry.protocol.send_buffer,
        receive_buffer: entry.protocol.receive_buffer,
        backlog: reading.options.default_backlog,
        ..Listening::default()
    };
    let endpoint = |address| Endpoint { address, listening: listening.clone() };
    Ok(addresses.into_iter().map(endpoint).collect())
}

fn path_address(path: &Path, socket: Socket) -> Read<Address> {
    socket_path(path)?;
    let path = path.to_path_buf();
    Ok(match socket {
        Socket::Stream => Address::UnixStream(path),
        Socket::Dgram => Address::UnixDatagram(path),
        Socket::Seqpacket => Address::UnixSeqpacket(path),
    })
}

fn run(reading: &Reading<'_>, entry: &Entry, name: &str) -> Read<Run> {
    if entry.program.0 == b"internal" {
        return builtin(reading, entry, name).map(Run::Builtin);
    }
    let path = entry.program.path();
    check(reading.world, &path)?;
    let mut args = entry.args.iter().map(|word| word.os());
    let arg0 = args.next().unwrap_or_else(|| base_name(&path));
    let mut program = Program::new(path, arg0);
    program.args = args.collect();
    program.account = user(reading, entry)?;
    program.environment = environment(reading.dialect, reading.options);
    Ok(Run::Program(Box::new(program)))
}

fn user(reading: &Reading<'_>, entry: &Entry) -> Read<Option<Account>> {
    let word = match (reading.dialect, entry.user.split_once('/')) {
        // A login class is a matter of BSD; the warning is given with the others.
        (Dialect::Freebsd, Some((word, _))) => word,
        (_, Some((word, _))) => {
            let text = format!("{} looks like FreeBSD's user and login class", quoted(&entry.user));
            return Err(Fault::new(text, format!("write {}", quoted(word))));
        }
        (_, None) => &entry.user,
    };
    let (user, group) = user_and_group(reading.world, word);
    account(reading.world, user, group)
}

fn environment(dialect: Dialect, options: &Options) -> Environment {
    let is_laundered = dialect == Dialect::Openbsd && !options.keep_environment;
    let environment = if is_laundered {
        Environment::default()
    } else {
        Environment { inherit: None, login: false, ..Environment::default() }
    };
    Environment { ucspi: options.environment, ..environment }
}

/// What the superserver serves itself is known by its name, or by its port if the line gives the number or an alias.
fn builtin(reading: &Reading<'_>, entry: &Entry, name: &str) -> Read<Builtin> {
    let transport = match (&entry.service, entry.protocol.kind) {
        (Served::Name(_), Kind::Inet(transport, _)) => transport,
        (Served::Name(_) | Served::Path(_) | Served::Mux(_), _) => {
            let text = "`internal` serves names of /etc/services only";
            return Err(Fault::new(text, "name a program"));
        }
    };
    let by_port = || {
        Some(match address::port(reading.world, name, transport).ok()? {
            1 => Builtin::Tcpmux,
            7 => Builtin::Echo,
            9 => Builtin::Discard,
            13 => Builtin::Daytime,
            19 => Builtin::Chargen,
            37 => Builtin::Time,
            _ => return None,
        })
    };
    let found = crate::config::builtin(name).or_else(by_port).ok_or_else(|| {
        let text = format!("palco does not serve {} itself", quoted(name));
        Fault::new(
            text,
            "internal are echo, discard, daytime, time, chargen and tcpmux; name a program",
        )
    })?;
    if found == Builtin::Tcpmux && transport == Transport::Udp {
        return Err(Fault::new("tcpmux is served over tcp only", "write `stream tcp nowait`"));
    }
    Ok(found)
}

/// With libwrap, `tcpd` in a line would ask the same files again.
fn skip_tcpd(reading: &Reading<'_>, program: &mut Program) -> Read<()> {
    if program.path != Path::new("/usr/sbin/tcpd") {
        return Ok(());
    }
    // tcpd looks for programs without a path here.
    let path = Path::new("/usr/sbin").join(PathBuf::from(&program.arg0));
    check(reading.world, &path)?;
    program.arg0 = base_name(&path);
    program.path = path;
    Ok(())
}

/// The name of a program in hosts.allow and hosts.deny.
fn daemon(program: &Program) -> String {
    base_name(Path::new(&program.arg0)).to_string_lossy().into_owned()
}

fn base_name(path: &Path) -> OsString {
    path.file_name().unwrap_or(path.as_os_str()).to_os_string()
}

/// Datagrams are never accepted, and what the superserver serves itself it accepts itself.
fn fit_style(reading: &mut Reading<'_>, spec: &mut ServiceSpec) {
    let has_connections = spec.mux.is_some()
        || spec.endpoints.iter().all(|endpoint| endpoint.address.has_connections());
    let origin = spec.origin.clone();
    match (&spec.run, has_connections, spec.style) {
        (Run::Program(_), false, Style::PerConnection) => {
            let text = "datagrams with `nowait` are served as with `wait`: there is no connection to accept, and a program that \
                has not read its datagram yet would be started again and again";
            reading.explain("nowait-datagrams", &origin, text);
            spec.style = Style::Single;
        }
        (Run::Builtin(_), true, Style::Single) => {
            let text = "`internal` with `wait` is served as with `nowait`";
            reading.explain("internal-wait", &origin, text);
            spec.style = Style::PerConnection;
        }
        (Run::Builtin(_), false, _) => spec.style = Style::Single,
        (Run::Program(_) | Run::Builtin(_), _, _) => {}
    }
}

/// Says what is left out.
fn warn(reading: &mut Reading<'_>, entry: &Entry, spec: &ServiceSpec) {
    let mut say = |text: String, remedy: &str| {
        reading.warn(&spec.origin, Some(&spec.id), Fault::new(text, remedy));
    };
    if let Some(number) = &entry.waiting.ignored {
        let text =
            format!("{} is no number of starts per minute: there is no limit", quoted(number));
        say(text, "write a number above 0 after the dot, or remove the dot");
    }
    if entry.protocol.has_ttcp {
        say("T/TCP is in no kernel any more: it is served as plain TCP".into(), "remove `/ttcp`");
    }
    if let Some(filter) = &entry.accept_filter {
        let text = format!("Linux has no accept filter {}: it is left out", quoted(filter));
        say(text, "remove it");
    }
    if let Some((_, class)) = entry.user.split_once('/') {
        let text = format!("Linux has no login class {}: it is left out", quoted(class));
        say(text, "remove it; limits of resources are set by the program or by palco's TOML");
    }
}
