//! The dashboard of a stage: a page, an HTTP API, events as they happen, and metrics.
//!
//! | file | what |
//! |---|---|
//! | `dashboard.rs` | [`Dashboard`]: its thread, its socket, its end |
//! | `house.rs` | [`House`]: what it is given to show and to act on |
//! | `guards.rs`, `guards/` | what every request passes: security headers, Host and Origin, the [`Token`] |
//! | `refusal.rs`, `body.rs` | every error as JSON with a hint; bodies, bounded |
//! | `routes.rs`, `routes/` | one file per resource; `openapi.json` describes them all |
//! | `events.rs`, `events/` | server-sent events: one subscription for all clients, a bounded ring between them |
//! | `views.rs`, `loads.rs` | what is shown beside the observer's own types; loads that run |
//! | `registers.rs` | what was seen of the nodes that keep registers |
//! | `render/` | a capture as Mermaid and as Chrome's trace events; metrics as Prometheus reads them |
//! | `assets.rs`, `assets/` | the page |
//!
//! It runs on a thread of its own with an event loop of its own, so it answers while the stage's event loops are stuck.
//! It must never know how a server is started: it is given what there is.

#![forbid(unsafe_code)]

mod assets;
mod body;
mod dashboard;
mod events;
mod guards;
mod house;
mod loads;
mod refusal;
mod registers;
mod render;
mod routes;
mod shared;
mod views;

pub use dashboard::{Dashboard, DashboardSettings, StartError};
pub use house::{House, Reload, Served, Services};
pub use palco_replica::http::{Token, TokenError};
pub use views::{LoadView, ServerLimits, ServerView, StageInfo, StageView};
