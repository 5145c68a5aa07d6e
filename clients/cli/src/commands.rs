//! One file per command; each prints to stdout what it was asked for, as text or JSON.

mod activate;
mod bench;
mod call;
mod fetch;
mod files;
mod inetd;
mod inspect;
mod lab;
mod load;
mod lwp;
mod measure;
mod models;
mod node;
mod ps;
mod reconfigure;
mod register;
mod signal;
mod simulate;
mod status;
mod tree;
mod up;
mod urgent;
mod verify;

use std::process::ExitCode;

use anyhow::Result;
use palco_actors::Signal;

use crate::args::{Args, Command, Up};

pub(crate) fn run(args: Args) -> Result<ExitCode> {
    let Args { command, control, json, .. } = args;
    let command = command.unwrap_or_else(|| Command::Up(Up::default_stage()));
    match command {
        Command::Up(up) => up::up(up, control, json),
        Command::Check { file } => up::check(&file, json),
        Command::Serve(serve) => up::serve(*serve, control, json),
        Command::Models => models::models(json),
        Command::Ps => ps::ps(control, json),
        Command::Status(wanted) => status::status(control, &wanted, json),
        Command::Tree => tree::tree(control, json),
        Command::Inspect(target) => inspect::inspect(control, target, json),
        Command::Stop(target) => signal::signal(control, target, Signal::Stop, json),
        Command::Kill(target) => signal::signal(control, target, Signal::Kill, json),
        Command::Suspend(target) => signal::signal(control, target, Signal::Suspend, json),
        Command::Resume(target) => signal::signal(control, target, Signal::Resume, json),
        Command::Step(target) => signal::signal(control, target, Signal::Step, json),
        Command::Restart(target) => signal::signal(control, target, Signal::Restart, json),
        Command::Interrupt(target) => signal::signal(control, target, Signal::Interrupt, json),
        Command::Urgent(urgent) => urgent::urgent(control, &urgent, json),
        Command::Call(call) => call::call(control, &call, json),
        Command::Fetch(wanted) => fetch::fetch(&wanted, json),
        Command::Load(wanted) => load::load(control, &wanted, json),
        Command::Files(wanted) => files::files(&wanted, json),
        Command::Inetd(inetd) => inetd::inetd(*inetd, control, json),
        Command::Activate(activate) => activate::activate(activate, control, json),
        Command::Lwp(lwp) => lwp::lwp(lwp, json),
        Command::Simulate(wanted) => simulate::simulate(&wanted, json),
        Command::Node(args) => node::node(*args, control, json),
        Command::Register(wanted) => register::register(control, wanted, json),
        Command::Reconfigure(args) => reconfigure::reconfigure(control, args, json),
        Command::Verify(wanted) => verify::verify(&wanted, json),
        Command::Bench(bench) => bench::bench(bench, json),
        Command::Lab(lab) => lab::lab(&lab, json),
    }
}
