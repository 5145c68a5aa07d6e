//! The command lines of the superserver.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use palco_superserver::Dialect;

use super::named;
use crate::stage::DashboardArgs;

/// The words of `--dialect`.
fn dialect() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    named::<Dialect>(Dialect::ALL.map(Dialect::name))
}

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Inetd {
    #[command(subcommand)]
    pub(crate) command: Option<InetdCommand>,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Say what would be served, and end
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the sockets over from the superserver that is running; no client notices
    ///
    /// The old one leaves when its last instance has ended. If this one fails, the old one goes on.
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Append the log to this file instead of writing it to stderr; SIGHUP opens it again
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Touch so much memory first, and keep it: `palco bench spawn` shows that it does not matter
    #[arg(long, hide = true, default_value_t = 0, value_name = "MIB")]
    pub(crate) touch_mib: usize,
    #[command(flatten)]
    pub(crate) dashboard: DashboardArgs,
}

/// What is read, and how.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Reading {
    /// What to serve: inetd.conf, xinetd.conf, or palco's TOML
    #[arg(long, default_value = "/etc/inetd.conf", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The file's language [default: TOML and xinetd.conf are recognised; any other is inetd.conf as Debian's inetd reads it]
    #[arg(long, value_parser = dialect())]
    pub(crate) dialect: Option<Dialect>,
    /// Ask hosts.allow and hosts.deny for every service, as `inetd -l` does
    #[arg(short = 'l', long)]
    pub(crate) libwrap: bool,
    /// Programs inherit the whole environment, as with `inetd -E`
    #[arg(short = 'E', long)]
    pub(crate) keep_environment: bool,
    /// Programs are told about their connections in TCPREMOTEIP and so on, as with GNU `inetd --environment`
    #[arg(long)]
    pub(crate) environment: bool,
    /// Starts of each service per minute, unless it says otherwise; 0 is without limit [default: without limit]
    #[arg(short = 'R', long, value_name = "N")]
    pub(crate) rate: Option<u32>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum InetdCommand {
    /// Explain every line of a file: what will listen, as whom, with which limits; and what is wrong with it
    Check {
        /// The file
        file: PathBuf,
        /// Its language
        #[arg(long, value_parser = dialect())]
        dialect: Option<Dialect>,
    },
    /// Show a running superserver: services, instances, limits that acted, last exits
    Status,
    /// Have a running superserver read its files again, as SIGHUP does; a broken file changes nothing
    Reload,
    /// Print a file in palco's own language that shows everything it can say
    Sample,
}

#[derive(clap::Args, Debug)]
#[command(trailing_var_arg = true)]
pub(crate) struct Activate {
    /// Where to listen: ADDRESS:PORT, a port of 127.0.0.1, or the path of a unix socket; may be repeated
    #[arg(short, long, required = true, value_name = "ADDRESS")]
    pub(crate) listen: Vec<String>,
    /// Datagrams instead of connections
    #[arg(short, long)]
    pub(crate) datagram: bool,
    /// Accept, and start one program per connection, which gets it as descriptor 3
    #[arg(short, long)]
    pub(crate) accept: bool,
    /// The program gets the socket as standard input, output and error, as from inetd
    #[arg(long)]
    pub(crate) inetd: bool,
    /// The name of a socket, for LISTEN_FDNAMES; may be repeated, one for each --listen
    #[arg(long, value_name = "NAME")]
    pub(crate) fdname: Vec<String>,
    /// Programs at once, with --accept
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub(crate) instances: u32,
    /// Ask the program to end when nobody has been connected for this long; the next client starts it again
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) idle_exit: Option<Duration>,
    /// Run it as this user
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// A variable for its environment, which is otherwise this one's; may be repeated
    #[arg(short = 'E', long, value_name = "NAME=VALUE")]
    pub(crate) setenv: Vec<String>,
    /// The program and its arguments
    #[arg(required = true, allow_hyphen_values = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<String>,
}
