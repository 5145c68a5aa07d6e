//! A service in short English phrases, for people who check what a text means.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::PathBuf;

use palco_processes::Enclosure;
use serde::Serialize;

use crate::spec::{
    Action, Address, Builtin, Control, Descriptors, Endpoint, Environment, Program, Rate, Run,
    ServiceSpec, Style,
};

/// What a service will do, as it was understood. Every phrase stands for itself; a list that is empty says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The service.
    pub id: String,
    /// Where it is written: `inetd.conf:17`.
    pub origin: String,
    /// Where it listens, one phrase for each socket, or how else it is reached.
    pub listens: Vec<String>,
    /// Who accepts, and what an instance gets.
    pub style: String,
    /// What serves: a command as typed, or what the superserver does itself.
    pub runs: String,
    /// As whom. `None` for what the superserver does itself.
    pub account: Option<String>,
    /// What a program finds open.
    pub descriptors: Option<String>,
    /// What a program finds in its environment.
    pub environment: Vec<String>,
    /// In which other state a program begins.
    pub state: Vec<String>,
    /// How much of it, and what happens beyond.
    pub limits: Vec<String>,
    /// For whom, and when. Empty is for everybody, always.
    pub access: Vec<String>,
    /// What is sent before it.
    pub banners: Vec<String>,
    /// Whether its clients may suspend, continue and end it by urgent data, and if not, why.
    pub urgent: String,
    /// What a program gives up.
    pub confinement: Vec<String>,
}

/// Explains a service.
#[must_use]
pub fn explain(service: &ServiceSpec) -> Explanation {
    let program = match &service.run {
        Run::Program(program) => Some(program.as_ref()),
        Run::Builtin(_) => None,
    };
    Explanation {
        id: service.id.clone(),
        origin: service.origin.to_string(),
        listens: listens(service),
        style: style(service),
        runs: runs(&service.run),
        account: program.map(account),
        descriptors: program.map(|program| descriptors(&program.descriptors, service.style)),
        environment: program.map(|program| environment(&program.environment)).unwrap_or_default(),
        state: program.map(state).unwrap_or_default(),
        limits: limits(service),
        access: access(service),
        banners: banners(service),
        urgent: urgent(service),
        confinement: program.map(|program| confinement(&program.confinement)).unwrap_or_default(),
    }
}

fn listens(service: &ServiceSpec) -> Vec<String> {
    let mux = service.mux.as_ref().map(|mux| {
        let greeting = if mux.greets { "which says + first" } else { "and says + itself" };
        format!("through tcpmux as {}, {greeting}", mux.name)
    });
    service.endpoints.iter().map(endpoint).chain(mux).collect()
}

fn endpoint(endpoint: &Endpoint) -> String {
    let listening = &endpoint.listening;
    let both = match &endpoint.address {
        Address::Tcp { socket, only_v6: false } | Address::Udp { socket, only_v6: false } => {
            socket.is_ipv6() && socket.ip().is_unspecified()
        }
        Address::Tcp { .. } | Address::Udp { .. } => false,
        Address::UnixStream(_) | Address::UnixDatagram(_) | Address::UnixSeqpacket(_) => false,
    };
    let details = [
        both.then(|| "IPv6 and IPv4".to_owned()),
        listening.backlog.map(|backlog| format!("backlog {backlog}")),
        listening.send_buffer.map(|size| format!("send buffer {size} bytes")),
        listening.receive_buffer.map(|size| format!("receive buffer {size} bytes")),
        listening.keepalive.then(|| "keepalive".to_owned()),
        listening.nodelay.then(|| "no delay".to_owned()),
        listening.reuse_port.then(|| "shared port".to_owned()),
        listening.device.as_ref().map(|device| format!("on {device} only")),
        listening.mode.map(|mode| format!("mode {mode:04o}")),
        listening.owner.map(|(user, group)| format!("owner {user}:{group}")),
    ];
    let mut phrase = endpoint.address.to_string();
    for detail in details.into_iter().flatten() {
        phrase.push_str(", ");
        phrase.push_str(&detail);
    }
    phrase
}

fn style(service: &ServiceSpec) -> String {
    let has_connections =
        service.endpoints.iter().all(|endpoint| endpoint.address.has_connections());
    match (&service.run, service.style, has_connections) {
        (Run::Builtin(_), _, _) => "the superserver serves it itself",
        (Run::Program(_), Style::PerConnection, _) => "the superserver accepts; an instance for each connection",
        (Run::Program(_), Style::Single, true) => "one instance accepts by itself; while it runs, the superserver does not listen",
        (Run::Program(_), Style::Single, false) => "one instance gets the socket with the datagrams; while it runs, the superserver does not listen",
    }
    .to_owned()
}

fn runs(run: &Run) -> String {
    match run {
        Run::Program(program) => {
            let mut command = shown(program.path.as_os_str());
            for argument in &program.args {
                command.push(' ');
                command.push_str(&shown(argument));
            }
            if program.path.file_name() != Some(&program.arg0) {
                command.push_str(&format!(", called {}", shown(&program.arg0)));
            }
            command
        }
        Run::Builtin(Builtin::Echo) => "echo (RFC 862)".into(),
        Run::Builtin(Builtin::Discard) => "discard (RFC 863)".into(),
        Run::Builtin(Builtin::Daytime) => "daytime (RFC 867)".into(),
        Run::Builtin(Builtin::Time) => "time (RFC 868)".into(),
        Run::Builtin(Builtin::Chargen) => "chargen (RFC 864)".into(),
        Run::Builtin(Builtin::Tcpmux) => "tcpmux (RFC 1078)".into(),
        Run::Builtin(Builtin::Redirect(to)) => format!("connected to {to}"),
    }
}

/// An argument as a shell would take it.
fn shown(argument: &OsStr) -> String {
    let text = argument.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%^".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!(
            "'{}'",
            text.escape_debug().to_string().replace("\\'", "'\\''").replace("\\\"", "\"")
        )
    }
}

fn account(program: &Program) -> String {
    program.account.as_ref().map_or_else(
        || "who the superserver is".to_owned(),
        |account| {
            let user = &account.user;
            let groups = list(&user.groups);
            let groups = if groups.is_empty() {
                "no other groups".into()
            } else {
                format!("groups {groups}")
            };
            format!("{} (user {}, group {}, {groups})", account.name, user.uid, user.gid)
        },
    )
}

fn descriptors(descriptors: &Descriptors, style: Style) -> String {
    let socket = match style {
        Style::PerConnection => "the connection",
        Style::Single => "the socket",
    };
    match descriptors {
        Descriptors::Inetd => format!("{socket} as 0, 1 and 2"),
        Descriptors::Ucspi => format!("{socket} as 0 and 1, the superserver's standard error as 2"),
        Descriptors::Listen { names } if names.is_empty() => format!("{socket} as 3 (LISTEN_FDS)"),
        Descriptors::Listen { names } => format!("sockets from 3 on (LISTEN_FDS): {}", list(names)),
    }
}

fn environment(environment: &Environment) -> Vec<String> {
    let names = |names: &[OsString]| {
        list(&names.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>())
    };
    let inherited = match environment.inherit.as_deref() {
        None => "everything of the superserver's".to_owned(),
        Some([]) => "nothing of the superserver's".to_owned(),
        Some(some) => format!("of the superserver's {}", names(some)),
    };
    let set: Vec<_> = environment.set.iter().map(|(name, _)| name.clone()).collect();
    [
        Some(inherited),
        environment
            .login
            .then(|| "PATH and, with an account, HOME, SHELL, USER, LOGNAME".to_owned()),
        (!set.is_empty()).then(|| format!("set: {}", names(&set))),
        environment
            .ucspi
            .then(|| "addresses as PROTO, TCPLOCALIP, TCPREMOTEIP and so on".to_owned()),
        environment.remote_host.then(|| "the client as REMOTE_HOST".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn state(program: &Program) -> Vec<String> {
    let limits = program.limits.iter().map(|limit| {
        let number = |number: u64| {
            if number == u64::MAX { "unlimited".to_owned() } else { number.to_string() }
        };
        format!("{:?} {} to {}", limit.resource, number(limit.soft), number(limit.hard))
    });
    [
        Some(format!("in {}", program.directory.display())),
        (!program.new_session).then(|| "in the superserver's session".to_owned()),
        program.umask.map(|umask| format!("umask {umask:03o}")),
        program.nice.map(|nice| format!("niceness {nice}")),
    ]
    .into_iter()
    .flatten()
    .chain(limits)
    .collect()
}

fn limits(service: &ServiceSpec) -> Vec<String> {
    let limits = &service.limits;
    let rate = |rate: Rate| {
        format!("{} starts within {}", rate.count, humantime::format_duration(rate.per))
    };
    let instances = match (&service.run, service.style) {
        (Run::Program(_), Style::Single) => "one instance".to_owned(),
        (Run::Program(_) | Run::Builtin(_), _) => {
            beyond(limits.instances, |max| format!("{max} at once"))
        }
    };
    [
        Some(instances),
        limits
            .per_source
            .map(|control| beyond(control, |max| format!("{max} at once for one client"))),
        limits.rate.map(|control| beyond(control, rate)),
        limits
            .rate_per_source
            .map(|control| beyond(control, |max| format!("{} for one client", rate(max)))),
        limits.load.map(|control| {
            beyond(control, |max| format!("a load of {}.{:02}", max / 100, max % 100))
        }),
        limits.idle.map(|idle| {
            format!("ended after {} without a connection", humantime::format_duration(idle))
        }),
        Some(format!(
            "killed {} after being asked to end",
            humantime::format_duration(limits.end_within)
        )),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn beyond<T: Copy>(control: Control<T>, phrase: impl FnOnce(T) -> String) -> String {
    let action = match control.action {
        Action::Defer => "more wait".to_owned(),
        Action::Drop => "more are closed at once".to_owned(),
        Action::Close(pause) => {
            format!("then it does not listen for {}", humantime::format_duration(pause))
        }
        Action::Fail => "then it is off until configured anew".to_owned(),
    };
    format!("{}; {action}", phrase(control.max))
}

fn access(service: &ServiceSpec) -> Vec<String> {
    let rules = &service.access;
    let only = rules.only_from.as_ref().map(|sources| {
        if sources.is_empty() {
            "for nobody".to_owned()
        } else {
            format!("only from {}", list(sources))
        }
    });
    [
        only,
        (!rules.no_access.is_empty()).then(|| format!("not from {}", list(&rules.no_access))),
        (!rules.times.is_empty()).then(|| format!("only at {}", list(&rules.times))),
        rules.hosts.as_ref().map(|hosts| {
            format!(
                "as {} and {} say of {}",
                hosts.allow.display(),
                hosts.deny.display(),
                hosts.daemon
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn urgent(service: &ServiceSpec) -> String {
    match service.deaf() {
        None => "S suspends, C continues, K ends it with all its group".to_owned(),
        Some(why) => format!("off: {why}"),
    }
}

fn banners(service: &ServiceSpec) -> Vec<String> {
    let phrase = |file: &Option<PathBuf>, whom: &str| {
        file.as_ref().map(|file| format!("{} to {whom}", file.display()))
    };
    let banners = &service.banners;
    [
        phrase(&banners.always, "everybody"),
        phrase(&banners.success, "those who are served"),
        phrase(&banners.failure, "those who are refused"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn confinement(confinement: &Enclosure) -> Vec<String> {
    let paths =
        |paths: &[PathBuf]| list(&paths.iter().map(|path| path.display()).collect::<Vec<_>>());
    let read = confinement
        .read
        .as_deref()
        .map(|read| format!("reads below {}", none_if_empty(paths(read))));
    let write = confinement
        .write
        .as_deref()
        .map(|write| format!("writes below {}", none_if_empty(paths(write))));
    [
        confinement.no_new_privileges.then(|| "gains no privileges".to_owned()),
        read,
        write,
        confinement.no_administration.then(|| "administers nothing".to_owned()),
        confinement.no_network.then(|| "makes no connections".to_owned()),
        confinement.private_tmp_bytes.map(|bytes| format!("a /tmp of its own of {bytes} bytes")),
        confinement.memory_bytes.map(|bytes| format!("{bytes} bytes of memory for all instances")),
        confinement.processes.map(|count| format!("{count} processes for all instances")),
        confinement
            .cpu_percent
            .map(|percent| format!("{percent} % of a processor for all instances")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn none_if_empty(text: String) -> String {
    if text.is_empty() { "nothing".into() } else { text }
}

fn list(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
