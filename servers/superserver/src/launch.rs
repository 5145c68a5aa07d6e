//! From a program's description and a client to what is started.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use palco_processes::{Launch, LaunchError};
use socket2::Socket;

use crate::service::Definition;
use crate::spec::{Descriptors, Environment, Program};

/// Where programs are looked for by programs that are started: the usual directories.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The first descriptor of `sd_listen_fds(3)`.
const LISTEN_FDS_START: i32 = 3;

/// What a program is started with.
pub(crate) enum Given<'a> {
    /// A connection, and who is at its other end.
    Connection { socket: Socket, peer: Option<SocketAddr> },
    /// Sockets on which it accepts or receives itself.
    Sockets(&'a [Socket]),
}

/// What may be said in addition for one client.
#[derive(Debug, Default)]
pub(crate) struct Besides {
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Added to the program's own.
    pub(crate) nice: Option<i32>,
    pub(crate) umask: Option<u32>,
}

/// Everything about a start but the starting.
///
/// # Errors
/// When descriptors have run out.
pub(crate) fn launch(
    definition: &Definition,
    program: &Program,
    given: Given<'_>,
    besides: Besides,
) -> Result<Launch, LaunchError> {
    let mut launch = Launch::new(&program.path).arg0(&program.arg0).args(&program.args);
    launch = with_environment(launch, program, &given).map_err(LaunchError::Socket)?;
    launch = with_descriptors(launch, &program.descriptors, given).map_err(LaunchError::Socket)?;
    for (name, value) in besides.environment {
        launch = launch.env(name, value);
    }
    launch = launch.cwd(&program.directory);
    if program.new_session {
        launch = launch.new_session();
    }
    if let Some(account) = &program.account {
        launch = launch.user(account.user.clone());
    }
    if let Some(umask) = besides.umask.or(program.umask) {
        launch = launch.umask(umask);
    }
    if besides.nice.is_some() || program.nice.is_some() {
        let nice = program.nice.unwrap_or(0).saturating_add(besides.nice.unwrap_or(0));
        launch = launch.nice(nice.clamp(-20, 19));
    }
    // The last one of a resource counts.
    for limit in definition.files.iter().chain(&program.limits) {
        launch = launch.limit(limit.resource, limit.soft, limit.hard);
    }
    if let Some(fence) = &definition.fence {
        launch = launch.enclosed(std::sync::Arc::clone(fence));
    }
    Ok(launch)
}

fn with_environment(
    mut launch: Launch,
    program: &Program,
    given: &Given<'_>,
) -> io::Result<Launch> {
    let Environment { inherit, login, set, ucspi, remote_host } = &program.environment;
    match inherit {
        None => launch = launch.inherit_env(),
        Some(names) => {
            for name in names {
                if let Some(value) = std::env::var_os(name) {
                    launch = launch.env(name, value);
                }
            }
        }
    }
    if *login {
        launch = launch.env("PATH", PATH);
        if let Some(account) = &program.account {
            launch = launch
                .env("HOME", &account.home)
                .env("SHELL", &account.shell)
                .env("USER", &account.name)
                .env("LOGNAME", &account.name);
        }
    }
    if let Given::Connection { socket, peer } = given {
        if *ucspi {
            launch = with_ucspi(launch, socket, *peer)?;
        }
        if *remote_host && let Some(peer) = peer {
            launch = launch.env("REMOTE_HOST", peer.ip().to_string());
        }
    }
    Ok(set.iter().fold(launch, |launch, (name, value)| launch.env(name, value)))
}

/// The variables of UCSPI, as far as they are known without asking anybody: <https://cr.yp.to/proto/ucspi-tcp.txt>.
fn with_ucspi(launch: Launch, socket: &Socket, peer: Option<SocketAddr>) -> io::Result<Launch> {
    let (Some(peer), Some(local)) = (peer, socket.local_addr()?.as_socket()) else {
        return Ok(launch.env("PROTO", "UNIX"));
    };
    Ok(launch
        .env("PROTO", "TCP")
        .env("TCPLOCALIP", local.ip().to_canonical().to_string())
        .env("TCPLOCALPORT", local.port().to_string())
        .env("TCPREMOTEIP", peer.ip().to_canonical().to_string())
        .env("TCPREMOTEPORT", peer.port().to_string()))
}

fn with_descriptors(
    launch: Launch,
    descriptors: &Descriptors,
    given: Given<'_>,
) -> io::Result<Launch> {
    let (sockets, is_connection): (Vec<OwnedFd>, bool) = match given {
        Given::Connection { socket, .. } => (vec![socket.into()], true),
        Given::Sockets(sockets) => (sockets.iter().map(copy).collect::<io::Result<_>>()?, false),
    };
    let names = match descriptors {
        Descriptors::Listen { names } => names,
        Descriptors::Inetd | Descriptors::Ucspi => {
            let Some(socket) = sockets.into_iter().next() else { return Ok(launch) };
            let launch = launch.fd(1, socket.try_clone()?);
            return Ok(match descriptors {
                Descriptors::Inetd => launch.fd(2, socket.try_clone()?),
                // As 2 it inherits the superserver's.
                Descriptors::Ucspi | Descriptors::Listen { .. } => launch,
            }
            .fd(0, socket));
        }
    };
    let count = sockets.len();
    let names = match is_connection {
        true => "connection".to_owned(),
        false => (0..count)
            .map(|place| names.get(place).map_or("unknown", String::as_str))
            .collect::<Vec<_>>()
            .join(":"),
    };
    let errors = io::stderr().as_fd().try_clone_to_owned()?;
    let mut launch = launch
        .fd(0, File::open("/dev/null")?)
        .fd(1, errors)
        .env("LISTEN_FDS", count.to_string())
        .env("LISTEN_FDNAMES", names)
        .pid_env("LISTEN_PID");
    for (number, socket) in (LISTEN_FDS_START..).zip(sockets) {
        launch = launch.fd(number, socket);
    }
    Ok(launch)
}

fn copy(socket: &Socket) -> io::Result<OwnedFd> {
    socket.as_fd().try_clone_to_owned()
}
