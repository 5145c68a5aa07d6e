//! Replicas as actors, in every place: what is written through one node is read through every other, through crashes and
//! reconfigurations.
//!
//! The children are this program again: `main` calls [`palco_actors::enter`] first.

#![cfg(test)]

mod house;
mod lives;
mod registers;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use palco_actors::Repertoire;
use palco_replica::Replica;

fn repertoire() -> Repertoire {
    Repertoire::new().with::<Replica>()
}

fn main() -> ExitCode {
    if let Err(error) = palco_actors::enter(repertoire) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let trials = [registers::trials(), lives::trials()].into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
