//! The binary `palco`: the only place where rooms are put together.
//!
//! | file | what |
//! |---|---|
//! | `args.rs` | the command line |
//! | `commands/` | one file per command |
//! | `activation.rs` | sockets that this process was started with, by an activator or an inetd |
//! | `stage.rs`, `stage/` | what to run (file or embedded default), and running it |
//! | `control.rs`, `control/` | the Unix socket through which a running stage is asked and told |
//! | `inetd.rs`, `inetd/` | a superserver on a stage of its own |
//! | `succession.rs` | how one process takes over from another |
//! | `output.rs` | stdout is data, as text or JSON; a closed pipe is success |
//!
//! A process that this program starts for an actor is this program again: `main` finds out first which it is.
//!
//! Exit codes: 0 done, 1 failed, 2 usage, 3 a property does not hold.

#![forbid(unsafe_code)]

mod activation;
mod args;
mod commands;
mod control;
mod inetd;
mod output;
mod stage;
mod succession;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use palco_actors::Repertoire;
use palco_replica::Replica;

/// Tells an abort of a process for want of memory from any other.
#[global_allocator]
static ALLOCATOR: palco_sys::NotingAllocator = palco_sys::NotingAllocator;

/// What processes of this program can be started for.
fn repertoire() -> Repertoire {
    palco_load::players(stage::players(Repertoire::new())).with::<Replica>()
}

/// A file sees no colours, nor does who wants none (no-color.org).
fn has_colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

fn main() -> ExitCode {
    if let Err(error) = palco_actors::enter(repertoire) {
        eprintln!("palco: {error}");
        return ExitCode::FAILURE;
    }
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        // A line of inetd.conf is wrong: that is not for the client to read.
        Err(error) if error.use_stderr() && activation::client_hears_errors() => {
            return ExitCode::from(2);
        }
        Err(error) => error.exit(),
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(args.verbosity())
        .with_target(false)
        .with_ansi(has_colours())
        .init();
    match commands::run(args) {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("palco: {error:#}");
            ExitCode::FAILURE
        }
    }
}
