//! Being looked at: what is noted down of messages, and only while somebody wants to know.
//!
//! | file | what |
//! |---|---|
//! | `closeness.rs` | [`Closeness`], [`Observing`]: how closely a system is looked at, and by whom |
//! | `stamp.rs` | causal ids: which message caused which |
//! | `notes.rs` | [`MessageNote`], [`StepNote`]: what was noted |
//! | `notebook.rs` | one actor's notes: a bounded ring, distributions, counts by type |
//! | `of_actor.rs` | when something is noted |
//! | `capture.rs` | all notes of a window |
//! | `waits.rs` | [`Waiting`]: asks without an answer yet |
//! | `events.rs` | [`LifeEvent`]: ends of lives |
//!
//! A message costs one load and one branch here while nobody looks. Causal ids follow Dapper (Sigelman et al. 2010,
//! §2.1 and §4.2): a message that nothing observed has caused is observed with a fixed probability, and all that it
//! causes is observed with it.

mod capture;
mod closeness;
mod events;
mod notebook;
mod notes;
mod of_actor;
mod stamp;
mod waits;

pub use capture::{Caught, Met};
pub use closeness::{Closeness, Observing};
pub use events::{LifeChange, LifeEvent};
pub use notebook::Notes;
pub use notes::{MessageNote, Peeked, StepNote};
pub use waits::Waiting;

pub(crate) use closeness::Observation;
pub(crate) use notebook::Notebook;
pub(crate) use stamp::{Stamp, Stamped, as_current, put_current, take_current};
