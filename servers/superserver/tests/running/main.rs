//! A superserver that runs: real sockets, real programs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod access;
mod changing;
mod limits;
mod serving;
mod single;
mod succession;
mod support;
mod urgent;
