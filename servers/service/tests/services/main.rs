//! The services through their codecs, without sockets, threads or waiting.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

mod basket;
mod echo;
mod ftp;
mod kv;
mod kv_server;
mod kv_shared;
mod laws;
mod support;
mod telnet;
mod time;
mod work;
