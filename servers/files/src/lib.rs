//! The files of one directory, served.
//!
//! | file | what |
//! |---|---|
//! | `tree.rs`, `tree/` | [`Tree`]: the directory, and that nothing outside it is found; files that appear whole or not at all |
//! | `cached.rs` | reading without waiting for a disk |
//! | `http.rs`, `http/` | [`http`]: the stateless service, HTTP/1.1 |
//! | `sftp.rs`, `sftp/` | [`sftp`]: the stateful service, SFTP version 3 |
//!
//! This room must never know tokio, mio or actix, not even through another crate.

#![forbid(unsafe_code)]

pub mod http;
pub mod sftp;

mod cached;
mod tree;

pub use tree::{Access, Dots, Existing, Links, Opening, Staged, Tree, TreeError, TreeErrorKind};
