//! The files of one directory, served.
//!
//! | file | what |
//! |---|---|
//! | `http.rs`, `http/` | [`http`]: the stateless service, HTTP/1.1 |
//!
//! This room must never know tokio, mio or actix, not even through another crate.

#![forbid(unsafe_code)]

pub mod http;
