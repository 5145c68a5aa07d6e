//! HTTP through its codec, without sockets, threads or waiting.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

mod appends;
mod changes;
mod files;
mod laws;
mod protocol;
#[expect(dead_code, reason = "the services of palco-service use what is not used here")]
#[path = "../../../service/tests/services/support.rs"]
mod support;
