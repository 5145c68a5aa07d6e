//! The services that ship with palco; one file each.
//!
//! | file | protocol | session |
//! |---|---|---|
//! | `echo.rs` | RFC 862: every byte comes back | none |
//! | `time.rs` | RFC 868 and RFC 867: the server speaks first, then closes | none |
//! | `kv.rs` | RESP2: a store that `redis-cli` and `redis-benchmark` can talk to | the client's name |
//! | `work.rs` | one line in, one line out: computes, sleeps, blocks, panics or crashes on demand | none |
//! | `http.rs` | HTTP/1.1 `GET` and `HEAD` of a directory | none |
//!
//! Every codec here is generic over the service: it serves any [`Service`](crate::Service) with the same request and
//! response types.

mod arguments;
mod burn;
mod count;
mod ticket;

pub mod echo;
pub mod http;
pub mod kv;
pub mod time;
pub mod work;
