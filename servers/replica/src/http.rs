//! The HTTP gateway: registers for programs that speak nothing else.
//!
//! | request | what |
//! |---|---|
//! | `GET /v1/registers/{key}` | the value; its entity tag is the tag of a register, the version of a key of class cas |
//! | `GET /v1/registers/{key}?watch={etag}&timeout=30s` | the value as soon as it has another entity tag |
//! | the same with `Accept: text/event-stream` | values, one after the other, as events |
//! | `PUT`, `DELETE /v1/registers/{key}` | writes, deletes; with `If-Match`, `If-None-Match: *` and `Idempotency-Key` for keys of class cas |
//! | `GET /v1/registers?from=&count=` | a page of keys |
//! | `GET /v1/status` | how the replicas of this node stand |
//! | `POST /v1/reconfigure` | another configuration; needs the token |
//! | `GET /v1/openapi.json` | all of this for programs |
//! | `GET /v1/problems/{name}` | what a kind of problem means |
//!
//! Errors are problem documents (RFC 9457). What they know of the effect: 503 changed nothing; 504 `outcome-unknown` may
//! have happened, and may still; all others changed nothing. A watcher sees values in their order and the last of them,
//! but not every one between: registers are no logs.
//!
//! A change with an `Idempotency-Key` is applied once, however often and through however many nodes it is sent, and gets
//! the same answer, as long as the register remembers it: it remembers the last change of each of the last
//! [`CLIENTS_MAX`](palco_rambo::CLIENTS_MAX) keys and gateways. Sent again after that it would be a new change, unless it
//! says since when it may have been tried: by `If-Match` with one tag, or by `Idempotency-Since` with an entity tag that
//! the register had before. Then the answer is `outcome-unknown`.
//!
//! | file | what |
//! |---|---|
//! | `settings.rs`, `token.rs` | [`Settings`], [`Token`] |
//! | `running.rs` | [`serve`] and [`Running`]: thread, socket, end |
//! | `guards.rs` | hosts and origins that are not ours |
//! | `routes.rs`, `routes/` | a file for each resource |
//! | `key.rs`, `etag.rs`, `body.rs` | what requests are made of |
//! | `change.rs`, `identities.rs` | conditions, and changes that are applied once |
//! | `watches.rs`, `watches/` | one loop for all who watch a key |
//! | `problem.rs`, `kind.rs` | what can be wrong, and how it is said |

mod body;
mod change;
mod etag;
mod guards;
mod identities;
mod key;
mod kind;
mod problem;
mod routes;
mod running;
mod settings;
mod shared;
mod token;
mod watches;

pub use identities::{Identities, Lent};
pub use running::{Running, bound, serve};
pub use settings::{ADDRESS_DEFAULT, Settings};
pub use token::{Token, TokenError};
