//! Exhaustive models of the mechanisms, one file each, and of the same mechanisms with one rule missing: in those the
//! checker must find a violation. They know nothing of the crate's code. What they found is `docs/results/models.md`.

mod ballots;
mod cas;
mod map;
mod page;
mod phases;
mod reconfiguration;
mod recovery;
mod report;
mod symmetry;
mod tags;
mod three_deep;
mod told;
