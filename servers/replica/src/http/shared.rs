//! What all routes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use palco_rambo::{Command, Key, Outcome, Tagged, Value, Versioned};
use tokio::sync::watch::Receiver;

use super::Settings;
use super::etag::Etag;
use super::identities::Identities;
use super::problem::Problem;
use super::watches::Watches;
use crate::Registers;

/// What all routes share.
pub(crate) struct Shared {
    pub(crate) registers: Arc<dyn Registers>,
    pub(crate) settings: Settings,
    pub(crate) identities: Identities,
    pub(crate) watches: Watches,
    /// True from when the gateway is to end.
    pub(crate) ending: Receiver<bool>,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) etag: Etag,
    pub(crate) value: Value,
}

impl Shared {
    /// Carries out one command.
    pub(crate) async fn run(&self, command: Command, within: Duration) -> Outcome {
        let outcomes = self.registers.run(vec![command], within).await;
        outcomes.into_iter().next().unwrap_or(Outcome::Unknown { tag: None })
    }

    pub(crate) async fn read(&self, key: Key) -> Result<Found, Problem> {
        let outcome = self.run(Command::Read(key), self.settings.answer_within).await;
        Found::of(outcome).map_err(|outcome| Problem::of_read(&outcome))
    }

    pub(crate) fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Returns when the gateway is to end.
    pub(crate) async fn ends(&self) {
        let mut ending = self.ending.clone();
        // An error means that nobody is left to say so: that is an end too.
        let _ = ending.wait_for(|ending| *ending).await;
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Found {
    /// What was read; any other outcome comes back.
    pub(crate) fn of(outcome: Outcome) -> Result<Self, Box<Outcome>> {
        match outcome {
            Outcome::Read(Tagged { tag, value }) => Ok(Self { etag: Etag::of_tag(tag), value }),
            Outcome::Cas(versioned) => Ok(versioned.into()),
            other @ (Outcome::Written(_)
            | Outcome::Repeated { .. }
            | Outcome::Mismatch(_)
            | Outcome::Inapplicable(_)
            | Outcome::Reconfigured(_)
            | Outcome::Superseded(_)
            | Outcome::Left
            | Outcome::Unknown { .. }
            | Outcome::Failed(_)) => Err(Box::new(other)),
        }
    }
}

impl From<Versioned> for Found {
    fn from(Versioned { version, value }: Versioned) -> Self {
        Self { etag: Etag::of_version(version), value }
    }
}

/// Bytes as JSON: a string if they are UTF-8, else `{"hex": digits}`.
pub(crate) fn bytes_as_json(bytes: &Bytes) -> serde_json::Value {
    match str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            serde_json::json!({ "hex": digits })
        }
    }
}
