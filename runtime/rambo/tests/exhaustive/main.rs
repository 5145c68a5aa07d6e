//! All that can happen to a few real participants, within bounds that each test names: every order of messages, every
//! loss, and where it says so duplicates, timers and crashes. What a rule protects from is found when it is left out.
//!
//! | file | what |
//! |---|---|
//! | `model.rs` | what is explored, and how |
//! | `world.rs`, `network.rs` | one state: participants, disks, messages on their way |
//! | `judge.rs` | what must hold |
//! | `reads_and_writes.rs` | one register in one configuration |
//! | `restarts.rs` | the same with crashes |
//! | `ballots.rs` | which configuration is next |
//! | `configurations.rs` | a register while the configuration changes |
//! | `changes.rs` | a key of class cas |
//!
//! Clocks stand still but where a timer fires, so nothing is asked twice and nothing given up otherwise. A message that
//! is never delivered is lost. Questions of a phase that is over, and answers that change nothing, are taken as lost.

mod ballots;
mod changes;
mod configurations;
mod judge;
mod model;
mod network;
mod reads_and_writes;
mod restarts;
mod world;
