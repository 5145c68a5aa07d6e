//! The command line.

mod bench;
mod fetch;
mod files;
mod inetd;
mod lab;
mod load;
mod lwp;
mod node;
mod registers;
mod serve;
mod simulate;
mod urgent;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

pub(crate) use bench::{Bench, How, RegistersArgs, ServersArgs, StateArgs};
pub(crate) use fetch::Fetch;
pub(crate) use files::{Files, FilesProxy, MountHints};
pub(crate) use inetd::{Activate, Inetd, InetdCommand, Reading};
pub(crate) use lab::Lab;
pub(crate) use load::{Arrivals, Load};
pub(crate) use lwp::{Lwp, LwpDemo};
pub(crate) use node::NodeArgs;
pub(crate) use registers::{At, ReconfigureArgs, RegisterCommand};
pub(crate) use serve::{DeadlineArgs, Serve};
pub(crate) use simulate::{Plan, Seeds, Simulate};
pub(crate) use urgent::{About, Call, Onset, UrgentCommand};
pub(crate) use verify::Verify;

use crate::stage::{DashboardArgs, Demo, UrgentArgs};

/// One actor, every place; one service, every server.
///
/// Without a command, `palco` runs the default stage: example servers under every model on ports of 127.0.0.1, and
/// prints what runs where and what to try next.
#[derive(Parser, Debug)]
#[command(
    version,
    after_help = "Start with `palco`, then in another terminal: palco ps, palco tree, palco models."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The control socket of the stage [default: one per user]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,

    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say more on stderr; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

impl Args {
    /// What goes to stderr.
    pub(crate) fn verbosity(&self) -> LevelFilter {
        match self.verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run a whole stage: the embedded default, or a TOML file
    ///
    /// Ctrl-C drains: nothing is accepted any more, running requests finish. A second Ctrl-C stops at once.
    ///
    /// Examples:
    ///   palco up
    ///   palco up --print >stage.toml; palco up stage.toml
    ///   palco up --demo stuck
    ///   palco up --dashboard 127.0.0.1:9000 --token-file ~/.palco-token
    #[command(verbatim_doc_comment)]
    Up(Up),
    /// Check a stage file and say what it would run
    Check {
        /// The stage file
        file: PathBuf,
    },
    /// Serve one service under one model in one place
    ///
    /// Examples:
    ///   palco serve echo --model team --place thread --workers 8 --listen 127.0.0.1:7001
    ///   palco serve kv --model per-connection --place task
    ///   palco serve kv --model team --place process --workers 4 --state shared
    ///   palco serve files --root DIR --listen 127.0.0.1:7010
    ///
    /// Started by an activator (systemd, systemd-socket-activate, palco activate), it serves on the socket it is given:
    ///   palco activate -l 127.0.0.1:7000 -- palco serve echo --idle-exit 30s
    ///   palco activate -l 127.0.0.1:7000 --accept -- palco serve echo --inetd
    /// A line of inetd.conf:
    ///   echo stream tcp nowait nobody /usr/bin/palco palco serve echo --inetd
    #[command(verbatim_doc_comment)]
    Serve(Box<Serve>),
    /// Show the table of server architectures: dispatch policy times placement
    Models,
    /// List the servers and actors of a running stage
    Ps,
    /// Show what every place of every server is doing, a letter each, as Apache's scoreboard does
    Status(StatusArgs),
    /// Show the supervision tree of a running stage
    Tree,
    /// Show one actor: what it does, its counters, its state
    Inspect(Target),
    /// Stop an actor after its running handler; a server is drained
    Stop(Target),
    /// Kill an actor at its next await point or checkpoint; its supervisor may start it again
    Kill(Target),
    /// Hold an actor where it is: no progress until `resume`
    Suspend(Target),
    /// Let a suspended actor go on where it rested
    Resume(Target),
    /// Let a suspended actor finish its handler, or handle one message, and rest again
    Step(Target),
    /// End an actor's life after its running handler and begin another: a fresh start, and no failure
    Restart(Target),
    /// Abandon the request that an actor is serving; the actor goes on
    Interrupt(Target),
    /// Send one request to a server and print the answer
    ///
    /// Examples:
    ///   palco call echo hello
    ///   palco call kv SET greeting hello
    ///   palco call work-team cpu 20000
    ///   palco call http /index.html
    ///   palco call --service kv --address 127.0.0.1:6379 PING
    ///   palco call work --cpu 30s
    ///
    /// A request that takes its time shows its name and where it can be interrupted; Ctrl-\ interrupts it from here, by TCP
    /// urgent data on its own connection.
    #[command(verbatim_doc_comment)]
    Call(Call),
    /// Fetch files, one by one and several at once: a client with threads does not wait for one answer after the other
    ///
    /// Examples:
    ///   palco fetch --from 127.0.0.1:7010 --into DIR
    ///   palco fetch --from 127.0.0.1:7022 --protocol sftp --parallel 1,2,4,16 /photos/
    #[command(verbatim_doc_comment)]
    Fetch(Fetch),
    /// Ask a server at intended moments, whether or not it keeps up, and say how long its answers took
    ///
    /// An open loop: a request is sent when it is due, and its response time counts from that moment, also where all
    /// connections were busy. A loop that waits for the answer before it asks again (--closed) stops asking while the
    /// server stands still, and never sees what its clients would have seen.
    ///
    /// Examples:
    ///   palco load echo --rate 1000
    ///   palco load 127.0.0.1:8080 --protocol http --request 'GET /' --rate 2000 --connections 64 --for 30s
    ///   palco load 127.0.0.1:13 --protocol daytime --rate 20 --arrivals poisson --per-request
    ///   palco load 127.0.0.1:8080 --protocol http --rate 500 --crowd idle:1000 --crowd slow-writers:8
    ///   palco load kv --rate 5000 --arrivals bursts:100 --histogram kv.hgrm
    #[command(verbatim_doc_comment)]
    Load(Box<Load>),
    /// Reach files that are served: commands of clients, and a proxy that outlives the server
    #[command(subcommand)]
    Files(Files),
    /// Interrupt, hold, resume or prioritise a request that is being served; without a verb, list them
    ///
    /// A request is what `palco call` shows, with its key, from anywhere: it is taken to the urgent port. Without a key it
    /// is taken to the stage of this user.
    ///
    /// Examples:
    ///   palco call work cpu 30000000 &
    ///   palco urgent
    ///   palco urgent hold work-team/17.2
    ///   palco urgent priority 10 work-team/17.2
    ///   palco urgent cancel work-team/17.2:0123456789abcdef0123456789abcdef@127.0.0.1:7009
    #[command(verbatim_doc_comment)]
    Urgent(UrgentCommand),
    /// Run a superserver: one process that listens for many services and starts the program of each when somebody asks
    ///
    /// It stays in the foreground. SIGHUP reads the files again; Ctrl-C and SIGTERM end it, and leave running programs alone.
    ///
    /// Examples:
    ///   palco inetd --config /etc/inetd.conf
    ///   palco inetd check /etc/xinetd.conf
    ///   palco inetd status
    ///   palco inetd --config /etc/inetd.conf --take-over
    ///   palco inetd sample >inetd.toml; palco inetd --config inetd.toml
    #[command(verbatim_doc_comment)]
    Inetd(Box<Inetd>),
    /// Listen for a program, and start it when the first client comes (socket activation)
    ///
    /// The program finds the listening sockets from descriptor 3 on, as sd_listen_fds(3) says; when it ends, the next
    /// client starts it again. Ctrl-C ends both.
    ///
    /// Examples:
    ///   palco activate -l 127.0.0.1:8080 -- gunicorn app:app
    ///   palco activate -l 8080 --idle-exit 5min -- gunicorn app:app
    ///   palco activate -l 127.0.0.1:7000 --accept --inetd -- cat
    #[command(verbatim_doc_comment)]
    Activate(Activate),
    /// User-level threads on kernel threads (LWPs): what happens when one of them blocks
    #[command(subcommand)]
    Lwp(Lwp),
    /// Try to break replicated registers (RAMBO) in a simulated world, the same for the same seed
    ///
    /// Clients read and write registers that some nodes keep together, while messages are lost, nodes crash and members are
    /// replaced. Nothing is real but the protocol: time, network and disks are made of the seed, and so a run can be had
    /// again. Checks judge every operation and every step. What they object to is printed with the command that shows it
    /// again, and the exit code is 3. Times are those of the simulated world, unless it is said that they are real.
    ///
    /// With --flaws or --quorums broken a rule is left out on purpose: then a check must object. If none does, the
    /// runs were too few or too quiet to prove anything.
    ///
    /// Examples:
    ///   palco simulate
    ///   palco simulate --seeds 1..1000 --faults all --reconfigure-every 50ms
    ///   palco simulate --mode all --reconfigure-every 20ms
    ///   palco simulate --seed 7 --faults crash,loss --html run.html
    ///   palco simulate --seeds 1..100 --reconfigure-every 20ms --flaws drop-at-decision --html broken.html
    ///   palco simulate --nodes 9 --members 9 --quorums grid --ops 1e6 --json
    ///   palco simulate --scale --html growth.html
    ///   palco simulate --story lost-write --html lost.html
    #[command(verbatim_doc_comment)]
    Simulate(Box<Simulate>),
    /// Read and write replicated registers, and see who keeps them
    ///
    /// Any Redis client does as well: redis-cli -p 6380 SET x 1
    ///
    /// Examples:
    ///   palco register set x 1; palco register get x
    ///   palco register cas cas:leader 0 me
    ///   palco register watch x
    ///   palco register status
    #[command(subcommand, verbatim_doc_comment)]
    Register(RegisterCommand),
    /// Run one node of a cluster that keeps registers, on this machine or on many
    ///
    /// The first one founds the cluster, the others join it; then `palco reconfigure` makes them members. Nodes prove to each
    /// other who they are by their keys. What a node promises is on disk before it says so; one that has lost its directory
    /// comes back as somebody new.
    ///
    /// Examples:
    ///   palco node --name n1 --data d1 --found
    ///   palco node --name n2 --data d2 --listen 127.0.0.1:7402 --resp 127.0.0.1:6381 --join /ip4/127.0.0.1/tcp/7401/p2p/12D3…
    ///   palco reconfigure --members n1,n2,n3 --control d1/control.sock
    ///   redis-cli -p 6381 SET x 1
    #[command(verbatim_doc_comment)]
    Node(Box<NodeArgs>),
    /// Have other nodes keep the registers, from any set to any other in one step, while clients go on
    ///
    /// It is refused when too few of the new members answer: then nothing has changed.
    ///
    /// Examples:
    ///   palco reconfigure --members n1,n2,n3
    ///   palco reconfigure --replace n1=n4
    ///   palco reconfigure --members n1,n2,n3,n4,n5,n6 --quorum grid:2x3
    #[command(verbatim_doc_comment)]
    Reconfigure(ReconfigureArgs),
    /// Break a real cluster of register nodes while clients use it, and judge what they were told
    ///
    /// Nodes are processes, if possible each with a network and a disk of its own. Exit code 0 if everything can be true and
    /// nothing that was acknowledged is lost, 3 if not.
    ///
    /// Examples:
    ///   palco verify
    ///   palco verify --faults kill,pause,partition --time 10m --html verify.html
    ///   palco verify --cluster 127.0.0.1:6380,127.0.0.1:6381
    #[command(verbatim_doc_comment)]
    Verify(Box<Verify>),
    /// Measure on this machine
    #[command(subcommand)]
    Bench(Bench),
    /// Try what is taught, on this machine
    #[command(subcommand)]
    Lab(Lab),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Up {
    /// A stage file [default: the embedded stage; see it with `palco up --print`]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Print the embedded stage file and exit: a start for your own
    #[arg(long, conflicts_with = "file")]
    pub(crate) print: bool,
    /// Something to find on the dashboard beside the stage: `stuck`, an actor that everybody waits for
    #[arg(long, value_name = "DEMO", value_parser = named::<Demo>(Demo::ALL.map(Demo::name)))]
    pub(crate) demo: Option<Demo>,
    /// Take over from the stage that runs: listen on its sockets, then have it finish what it serves and end
    ///
    /// Nobody is refused and nobody's connection is lost meanwhile; what servers keep in memory stays behind. A successor
    /// that cannot start changes nothing. SIGHUP has a stage start one by itself, from its own file and arguments. A stage that
    /// keeps registers, as the default one does, refuses.
    #[arg(long, conflicts_with = "print")]
    pub(crate) take_over: bool,
    #[command(flatten)]
    pub(crate) dashboard: DashboardArgs,
    #[command(flatten)]
    pub(crate) urgent: UrgentArgs,
}

impl Up {
    /// The default stage.
    pub(crate) fn default_stage() -> Self {
        let (dashboard, urgent) = (DashboardArgs::default_ones(), UrgentArgs::default());
        Self { file: None, print: false, demo: None, take_over: false, dashboard, urgent }
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct StatusArgs {
    /// One server [default: all]
    #[arg(value_name = "SERVER")]
    pub(crate) server: Option<String>,
    /// Keys and values, as `/server-status?auto` of Apache says them (the dashboard answers there too)
    #[arg(long, conflicts_with = "json")]
    pub(crate) auto: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Target {
    /// Path (`echo/dispatcher`) or id (`#17`), as `palco ps` shows it
    pub(crate) name: String,
    /// How long to wait for the effect
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) within: Duration,
}

/// Parses one of `names` by its `FromStr`; clap lists the names when none fits.
fn named<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}
