//! What an actor made from data may rely on, in every place: as a task, a thread, a process, a fork, a process on rings,
//! on another node, over every carrier.
//!
//! | file | theme |
//! |---|---|
//! | `order.rs`, `asking.rs`, `descriptors.rs` | delivery |
//! | `signals.rs`, `ending.rs` | reaching into a running handler, and ends |
//! | `lives.rs` | supervision: what survives |
//! | `crashes.rs` | processes alone: how they die, and what the parent makes of it |
//! | `strangers.rs` | processes alone: what is refused, and what a hostile process can do |
//!
//! The children are this program again: `main` calls [`palco_actors::enter`] first.

#![cfg(test)]

mod asking;
#[path = "../../../transport/tests/carriers/cable.rs"]
mod cable;
mod crashes;
mod descriptors;
mod ending;
mod lives;
mod nodes;
mod order;
mod probe;
mod signals;
mod stage;
mod strangers;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use palco_actors::Repertoire;

/// Tells an abort for want of memory from any other.
#[global_allocator]
static ALLOCATOR: palco_sys::NotingAllocator = palco_sys::NotingAllocator;

fn repertoire() -> Repertoire {
    Repertoire::new()
        .with::<probe::Probe>()
        .with::<strangers::Stranger>()
        .with::<descriptors::Clerk>()
}

/// Probes panic on purpose, here and in their processes; such panics start with `deliberate` and are not printed.
fn keep_deliberate_panics_quiet() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.payload_as_str().is_some_and(|text| text.starts_with("deliberate")) {
            report(info);
        }
    }));
}

fn main() -> ExitCode {
    keep_deliberate_panics_quiet();
    if let Err(error) = palco_actors::enter(repertoire) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    if let Some(why) = cable::denied() {
        eprintln!("Not run: nodes in network namespaces, which need root: {why}");
    }
    let mut trials = Vec::new();
    for module in [
        order::trials(),
        asking::trials(),
        descriptors::trials(),
        signals::trials(),
        ending::trials(),
        lives::trials(),
        crashes::trials(),
        strangers::trials(),
    ] {
        trials.extend(module);
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
