//! The services that ship with palco; one file each.
//!
//! | file | protocol | session |
//! |---|---|---|
//! | `echo.rs` | RFC 862: every byte comes back | none |
//! | `time.rs` | RFC 868 and RFC 867: the server speaks first, then closes | none |
//! | `kv.rs` | RESP2: a store that `redis-cli` and `redis-benchmark` can talk to | the client's name |
//! | `work.rs` | one line in, one line out: computes, sleeps, blocks, counts, panics or crashes on demand | none |
//! | `telnet.rs` | RFC 854: a teletype whose commands a Synch can interrupt | none |
//! | `basket.rs` | HTTP: a shopping basket that the client keeps in a cookie, or the server in a session | none |
//! | `ftp.rs` | RFC 959: a control connection without data connections, for its ABOR | the client's address |
//!
//! What several of them share:
//!
//! | file | what |
//! |---|---|
//! | `arguments.rs` | numbers with a unit and a limit |
//! | `burn.rs` | a fixed amount of computation |
//! | `count.rs` | numbered lines in parts |
//! | `nvt.rs` | the terminal of Telnet and FTP |
//! | `resp.rs` | the Redis protocol: commands, and the pieces of replies |
//! | `ticket.rs` | what a client asks for that wants to use the urgent port |
//!
//! Every codec here is generic over the service: it serves any [`Service`](crate::Service) with the same request and
//! response types.

mod arguments;
mod burn;
mod count;
mod nvt;
mod ticket;

pub mod basket;
pub mod echo;
pub mod ftp;
pub mod kv;
pub mod resp;
pub mod telnet;
pub mod time;
pub mod work;
