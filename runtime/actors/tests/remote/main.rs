//! What may be relied upon between nodes: exported actors and their stand-ins, lives on other nodes, lost connections.
//!
//! | file | theme |
//! |---|---|
//! | `finding.rs` | exported by name, found by name, and what cannot be |
//! | `losses.rs` | what a lost connection loses, and what it does not |
//! | `bounds.rs` | how much is ahead of an actor that does nothing |
//! | `cuts.rs` | connections that break at any point: at most once, in order |
//! | `hosting.rs` | lives on another node; what every place promises is tested in `tests/portable` |
//! | `hostile.rs` | what a peer sends that cannot be |
//!
//! Two systems in one program, and a carrier between them that does what a test says.

#![cfg(test)]

mod bounds;
mod carrier;
mod cuts;
mod finding;
mod hostile;
mod hosting;
mod losses;
mod stage;
mod trouble;
