//! `palco lwp`: user-level threads on kernel threads.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use palco_fibers::lab::{BLOCKS_MAX, Call, Cores, Policy, Settings};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Lwp {
    /// A blocking call in pure user-level threads stops everybody; here is what each policy does about it
    ///
    /// A sleeper makes a blocking call (nanosleep) again and again; a ticker only gives way and counts its turns. Both are
    /// user-level threads on kernel threads, the LWPs, all on one core. The kernel knows LWPs only: when the sleeper blocks,
    /// its LWP does, and with it everybody who has no other.
    ///
    ///   ult      nobody helps
    ///   offload  the call goes to a helper LWP; the fiber waits, its LWP runs the others. No fiber moves
    ///   go       an LWP in a call for 20 µs loses its processor (the run queue) to another LWP, as in Go
    ///   solaris  when all LWPs block while a fiber is ready, one LWP is added, as by SIGWAITING in Solaris
    ///
    /// The table: how many turns the ticker had; its gap, the longest time that it stood still during a call, in the middle
    /// and at worst; a call, from the wish for it until the sleeper ran again; and what the policy adds to a system call
    /// that does not block. Ideal is what the calls take alone. go and solaris move started fibers between threads, which
    /// is unsound for anybody else's fibers: only this demo does it, with two bodies of its own.
    ///
    /// Examples:
    ///   palco lwp demo
    ///   palco lwp demo --policy offload
    ///   palco lwp demo --all --html lwp.html
    ///   palco lwp demo --policy solaris --lwps 2 --sleepers 3 --trace lwp.json
    #[command(verbatim_doc_comment)]
    Demo(LwpDemo),
}

#[derive(clap::Args, Debug)]
pub(crate) struct LwpDemo {
    /// What is done about a call that blocks
    #[arg(long, default_value = "ult", value_parser = policies(), conflicts_with = "all")]
    policy: Policy,
    /// All four, one after the other, and compare
    #[arg(long)]
    all: bool,
    /// How long each call blocks
    #[arg(long, default_value = "5ms", value_parser = block, value_name = "TIME")]
    block: Duration,
    /// How often each sleeper calls
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(BLOCKS_MAX)))]
    blocks: u32,
    /// LWPs at the start
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    lwps: u8,
    /// Fibers that call, dealt out to the LWPs in turn
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    sleepers: u8,
    /// Fibers that only give way, dealt out likewise [default: one for each LWP]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    tickers: Option<u8>,
    /// All threads on one core, or on all cores, as the kernel chooses
    #[arg(long, default_value = "one", value_parser = cores())]
    cores: Cores,
    /// Write a page with pictures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write a trace for Perfetto (ui.perfetto.dev) to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

impl LwpDemo {
    /// The runs that are asked for, in order.
    pub(crate) fn runs(&self) -> Vec<Settings> {
        let policies = if self.all { Policy::ALL.to_vec() } else { vec![self.policy] };
        let settings = |policy| Settings {
            policy,
            lwps: self.lwps.into(),
            tickers: self.tickers.unwrap_or(self.lwps).into(),
            sleepers: self.sleepers.into(),
            call: Call::Sleep(self.block),
            blocks: self.blocks,
            cores: self.cores,
        };
        policies.into_iter().map(settings).collect()
    }
}

fn policies() -> impl TypedValueParser<Value = Policy> {
    PossibleValuesParser::new(Policy::ALL.map(Policy::name)).try_map(|name| name.parse::<Policy>())
}

fn cores() -> impl TypedValueParser<Value = Cores> {
    PossibleValuesParser::new(["one", "all"])
        .map(|name| if name == "one" { Cores::One } else { Cores::All })
}

fn block(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("a call of no time blocks nobody; try 5ms".to_owned()),
        Ok(length) => Ok(length),
        Err(error) => Err(format!("{error}; try 5ms, 200us or 1s")),
    }
}
