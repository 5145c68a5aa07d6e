//! What a client may rely on, whatever serves it: each promise is written once and tested in every cell, which is
//! every model in every place. A new model or a new place is picked up from [`palco_models::ModelKind::ALL`] and
//! [`palco_actors::PlaceKind::ALL`].
//!
//! | file | theme |
//! |---|---|
//! | `answers.rs`, `cuts.rs`, `slow_readers.rs` | every request of every service, however it arrives and is read |
//! | `malformed.rs`, `last_words.rs`, `panics.rs` | what one client does wrong is nobody else's harm |
//! | `crowds.rs`, `admission.rs` | more clients than there is room for |
//! | `drain.rs`, `drain_limits.rs` | the end of a server |
//! | `suspension.rs`, `interrupts.rs`, `kills.rs` | signals to whoever serves |
//! | `settings.rs` | what cannot be started |
//! | `stage.rs`, `actors.rs`, `watched.rs` | a system with servers, and what can be seen of them |
//! | `client.rs`, `protocols.rs`, `http.rs` | a client, what it asks, and what is answered |

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing, its support too")]

mod actors;
mod admission;
mod answers;
mod client;
mod crowds;
mod cuts;
mod drain;
mod drain_limits;
mod http;
mod interrupts;
mod kills;
mod last_words;
mod malformed;
mod panics;
mod protocols;
mod settings;
mod slow_readers;
mod stage;
mod suspension;
mod watched;
