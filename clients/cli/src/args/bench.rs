//! The command line of `palco bench`.

mod registers;
mod servers;
mod state;

use std::path::PathBuf;

use clap::Subcommand;
use palco_load::actors::Question;
use palco_load::spawn::Part;
use palco_measure::matrix::{Bytes, Extent, Filter};
use palco_measure::{Cores, Pages, Pattern, Policy, Unit};

use super::named;
pub(crate) use registers::RegistersArgs;
pub(crate) use servers::ServersArgs;
pub(crate) use state::StateArgs;

#[derive(Subcommand, Debug)]
pub(crate) enum Bench {
    /// Starting and losing a process: with std, with a bare C program, with palco, and as an actor; from a small parent
    /// and from one with 256 MiB touched. And superservers, one program per connection: palco inetd beside openbsd-inetd,
    /// xinetd, inetutils-inetd and tcpserver, those that are found (in PATH, /usr/sbin, or below $PALCO_DAEMONS);
    /// interleaved in one run
    Spawn {
        /// Half a minute instead of two; less certain
        #[arg(long)]
        quick: bool,
        /// Print Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
        /// Only this part
        #[arg(long, value_parser = named::<Part>(Part::ALL.map(Part::name)))]
        only: Option<Part>,
    },
    /// Being looked at: what messages cost with nobody there, with an observer attached, under the eyes of a dashboard,
    /// and while everything is captured; on one loop, and on 2 000 actors; interleaved in one run
    Observe {
        /// Half a minute instead of two; less certain
        #[arg(long)]
        quick: bool,
        /// Print Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Ask and tell: actors on one loop, on two, on threads, in processes; beside bare primitives and, with feature
    /// `peers`, beside actix, ractor and kameo, interleaved in one run
    Actors {
        /// Ten seconds instead of a minute; less certain
        #[arg(long)]
        quick: bool,
        /// Print Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
        /// Only this question
        #[arg(long, value_parser = named::<Question>(Question::ALL.map(Question::name)))]
        only: Option<Question>,
    },
    /// Out of band: how long the urgent thread takes to have what was sent under each scheduling policy, and a request to be
    /// held under every model in every place, by the urgent port and by TCP urgent data, beside 8 threads that compute; the
    /// bytes of an answer during a hold; urgent data behind 64 KiB that nobody reads
    ///
    /// Exit code 3 if a held answer goes on, or urgent data that stays silent was not refused. Run it as root, or with
    /// CAP_SYS_NICE: without real time the figures are those of a usual sender.
    Urgent {
        /// Half a minute instead of two and a half; less certain
        #[arg(long)]
        quick: bool,
        /// Print Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Thread against process context switching: the same ping-pong between functions, fibers, tasks, threads and processes,
    /// by every mechanism, on one core and on two, with and without working sets, and in rings
    ///
    /// Evidence or no number: a round counts only if the kernel's count of context switches, a sequence word and the
    /// processors agree with what is claimed. A row without enough such rounds has no figure, but the reason. Rounds of all
    /// rows are interleaved. The report is also kept as a page: its path is printed, and the dashboard links it.
    ///
    /// It takes about a minute. Run it on a quiet machine and as root, or with CAP_SYS_NICE: rows in real time are refused
    /// without. Exit code 3 if a mechanism that is broken on purpose was not refused: then nothing may be believed.
    ///
    /// Examples:
    ///   palco bench switch --quick
    ///   palco bench switch --html report.html --json >report.json
    ///   palco bench switch --units thread,process --via futex-shared,pipe --ws 0,64K,1M --pattern chase --pages 4K,2M
    ///   palco bench switch --peers
    ///   palco bench compare before.json after.json
    #[command(verbatim_doc_comment)]
    Switch {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
        /// Also run perf bench, lmbench and stress-ng, where installed, and print their claims beside the kernel's count
        #[arg(long)]
        peers: bool,
    },
    /// Rings of threads and of processes on one core, each touching 64 pages at every hop: the knee where the processor
    /// runs out of address spaces it remembers
    ///
    /// Examples:
    ///   palco bench ring --quick
    ///   palco bench ring --n 2..32
    #[command(verbatim_doc_comment)]
    Ring {
        /// Every ring from this size to that, of 2 to 64 units [default: some sizes from 2 to 16]
        #[arg(long, value_name = "FROM..TO", value_parser = ring_sizes)]
        n: Option<(u32, u32)>,
        #[command(flatten)]
        how: How,
    },
    /// What a unit costs to make, finish and reap: fiber, task, actor, thread, process; from a small heap and from one with
    /// 256 MiB touched
    #[command(verbatim_doc_comment)]
    Create {
        #[command(flatten)]
        how: How,
    },
    /// Resident memory of an idle fiber, task, actor, thread and process
    Memory {
        #[command(flatten)]
        how: How,
    },
    /// Messages between processes: latency and throughput of pipes, sockets, queues and shared memory, with the kernel's
    /// count of switches per message
    #[command(verbatim_doc_comment)]
    Ipc {
        #[command(flatten)]
        how: How,
    },
    /// Replicated registers: three nodes of palco, on disk and in memory, beside three members of etcd and a single redis;
    /// gets and sets, one by one and several at once, interleaved in one run
    ///
    /// What counts is operations by second of the servers' processor time, all server processes together; with it go
    /// rates, percentiles, bytes between the servers and flushes. At the end: palco's targets, met or not. Peers that are
    /// not installed have rows that say so. All servers run on ports of 127.0.0.1 with their files below $TMPDIR, and end
    /// with the run.
    ///
    /// It takes about twenty minutes, with --gaps some more, and needs the machine for itself.
    ///
    /// Examples:
    ///   palco bench registers --clients 1,64 --rounds 3 --for 1s
    ///   palco bench registers --peers none --gaps --bulk 64MiB
    #[command(verbatim_doc_comment)]
    Registers(RegistersArgs),
    /// Appends over HTTP while the server is killed with SIGKILL at random: what is lost and what is doubled, with
    /// idempotency keys and without
    ///
    /// Exit code 3 if anything is lost, or doubled with keys. A kill takes about a tenth of a second.
    ///
    /// Example:
    ///   palco bench appends --kills 100
    #[command(verbatim_doc_comment)]
    Appends {
        /// How often the server is killed, with keys and once more without
        #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        kills: u64,
    },
    /// Files, stateless beside stateful: palco over HTTP and over SFTP, with handles that end with the connection, that
    /// outlive the server, and with leases, beside nginx and OpenSSH's sftp-server
    ///
    /// What a block costs to be read and written, in round trips, bytes, time and processor time; how many reads are
    /// answered from what was read ahead; what a server remembers of a client; what a client must do when a server is
    /// killed; how old what is read from a cache is; what leases cost by their term. At the end: what must hold, met or
    /// not. Peers that are not installed have rows that say so. All servers run on ports of 127.0.0.1 with their files
    /// below $TMPDIR, and end with the run.
    ///
    /// It takes about four minutes, and needs the machine for itself.
    ///
    /// Examples:
    ///   palco bench state --html state.html
    ///   palco bench state --only reads,recovery --rounds 5 --peers none
    ///   palco bench state --only staleness --terms 100ms,1s,10s
    #[command(verbatim_doc_comment)]
    State(StateArgs),
    /// Servers: every model of palco in every place, beside the same designs in C and the servers people use (nginx, Apache,
    /// redis-server, openbsd-inetd), under work of every kind: which architecture for which work
    ///
    /// Every turn has a server of its own, and one client on the last core. It measures the server's processor time,
    /// response times at a fixed rate, the highest rate, memory by idle connection, how alike workers are loaded, what a
    /// killed worker takes along, and how fair it is. The report ranks the servers for each kind of work as the figures say,
    /// and says between which the ranking reverses. It is also kept as a page: its path is printed, and the dashboard links
    /// it. Peers that are not installed have rows that say so. All servers run on ports of 127.0.0.1 with their files below
    /// $TMPDIR, and end with the run.
    ///
    /// It takes about twenty minutes, with --quick three, and needs the machine for itself. Fewer than three rounds tell no
    /// server from another.
    ///
    /// Examples:
    ///   palco bench servers --quick
    ///   palco bench servers --only short,slowloris --servers team --peers none
    ///   palco bench servers --html servers.html --json >servers.json
    #[command(verbatim_doc_comment)]
    Servers(ServersArgs),
    /// Compare two reports (`--json`) of `palco bench switch`, `ring`, `create`, `memory` or `ipc`
    ///
    /// Refuses where the machines differ in what decides: processor, kernel, mitigations, clock source and the like. Exit
    /// code 3 if it refuses. Both files are what `--json` prints.
    ///
    /// Example:
    ///   palco bench switch --json >before.json
    ///   palco bench switch --json >after.json
    ///   palco bench compare before.json after.json
    #[command(verbatim_doc_comment)]
    Compare {
        /// The earlier report
        before: PathBuf,
        /// The later one, which is said to be slower, faster or alike
        after: PathBuf,
        /// Compare although the machines differ
        #[arg(long)]
        force: bool,
        /// Print Markdown
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
}

/// Which rows are measured; without any of these, those of the extent.
#[derive(clap::Args, Debug)]
pub(crate) struct Which {
    /// Only these units
    #[arg(long, value_name = "UNIT,…", value_delimiter = ',', value_parser = named::<Unit>(Unit::ALL.map(Unit::name)))]
    units: Vec<Unit>,
    /// Only these mechanisms: futex-shared, pipe, yield, tokio-notify, …; a wrong one names them all
    #[arg(long, value_name = "MECHANISM,…", value_delimiter = ',', value_parser = mechanism)]
    via: Vec<String>,
    /// Only these working sets, in bytes a side: 0, 16K, 4M, any up to 64M
    #[arg(long, value_name = "BYTES,…", value_delimiter = ',')]
    ws: Vec<Bytes>,
    /// Only working sets that are touched in this order
    #[arg(long, value_name = "ORDER,…", value_delimiter = ',', value_parser = named::<Pattern>(Pattern::ALL.map(Pattern::name)))]
    pattern: Vec<Pattern>,
    /// Only working sets on pages of these sizes
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',', value_parser = named::<Pages>(Pages::ALL.map(Pages::name)))]
    pages: Vec<Pages>,
    /// Only on the same core, on two hardware threads of one core (sibling), or on two cores (other)
    #[arg(long, value_name = "WHERE,…", value_delimiter = ',', value_parser = named::<Cores>(Cores::ALL.map(Cores::name)))]
    cores: Vec<Cores>,
    /// Only in real time (fifo), or only scheduled as usual (other)
    #[arg(long, value_name = "POLICY,…", value_delimiter = ',', value_parser = named::<Policy>(Policy::ALL.map(Policy::name)))]
    policy: Vec<Policy>,
}

impl Which {
    pub(crate) fn into_filter(self) -> Filter {
        Filter {
            units: self.units,
            mechanisms: self.via,
            working_sets: self.ws.into_iter().map(|Bytes(bytes)| bytes).collect(),
            patterns: self.pattern,
            pages: self.pages,
            cores: self.cores,
            policies: self.policy,
            ring: None,
        }
    }
}

/// How it is measured and what becomes of the report.
#[derive(clap::Args, Debug)]
pub(crate) struct How {
    /// Only what answers the main questions, in about ten seconds; less certain
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Every row there is; may take some minutes
    #[arg(long)]
    full: bool,
    /// Rounds of every row, 3 to 1000; more than 7 take longer
    #[arg(long, default_value_t = 7, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=1000))]
    pub(crate) rounds: u32,
    /// Decides the order of the rows in each round [default: the time of day]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Let rounds count too that found the processor over 5 % below its best; the report says so
    #[arg(long)]
    pub(crate) keep_noisy: bool,
    /// Print Markdown
    #[arg(long, alias = "md", conflicts_with_all = ["json", "csv"])]
    pub(crate) markdown: bool,
    /// Print one line per row and round, comma-separated
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Write the page to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Do not keep the report in $XDG_STATE_HOME/palco/reports (~/.local/state/palco/reports)
    #[arg(long)]
    pub(crate) no_keep: bool,
}

impl How {
    pub(crate) fn extent(&self) -> Extent {
        match (self.quick, self.full) {
            (true, _) => Extent::Quick,
            (_, true) => Extent::Full,
            _ => Extent::Usual,
        }
    }
}

fn mechanism(name: &str) -> Result<String, String> {
    palco_measure::matrix::check_mechanism(name).map(|()| name.to_owned())
}

fn ring_sizes(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{text}` is no range of sizes: two numbers from 2 to 64, as 2..32");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to): (u32, u32) = (
        from.parse().map_err(|_| wrong())?,
        to.trim_start_matches('=').parse().map_err(|_| wrong())?,
    );
    if (2..=to).contains(&from) && to <= 64 { Ok((from, to)) } else { Err(wrong()) }
}
