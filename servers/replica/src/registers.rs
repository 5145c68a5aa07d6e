//! What a gateway stands on: registers, wherever their replicas are.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use palco_rambo::{Command, Key, Outcome, Participant};
use serde::{Deserialize, Serialize};

use crate::Standing;

/// The outcomes of commands, in their order.
pub type Running = Pin<Box<dyn Future<Output = Vec<Outcome>> + Send>>;
/// A page of keys.
pub type Scanning = Pin<Box<dyn Future<Output = Page> + Send>>;
/// How each shard of this node stands.
pub type Looking = Pin<Box<dyn Future<Output = Vec<Standing>> + Send>>;

/// Registers that can be read, written and reconfigured through this node, which need not keep any itself.
pub trait Registers: Send + Sync + 'static {
    /// Carries out all these commands at the same time: what one does, another may see or not. Who wants an order waits
    /// for the first before asking for the second. Every command has its outcome after `within` at the latest, if only
    /// [`Outcome::Unknown`]. Dropped early, the commands go on.
    fn run(&self, commands: Vec<Command>, within: Duration) -> Running;

    /// Keys that this node knows of and that hold a value here, at least one unless there is no more, in no order that
    /// means anything. Keys that were there all the time while a scan went from its first page to its last are on a
    /// page, if this node keeps them; others may be.
    fn scan(&self, from: u64, keys_max: usize) -> Scanning;

    /// How each shard of this node stands.
    fn look(&self) -> Looking;
}

/// A page of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Some keys.
    pub keys: Vec<Key>,
    /// Where to go on; nothing when that was all. Begin at 0.
    pub next: Option<u64>,
}

impl Page {
    /// Keys on one page, at most.
    pub const KEYS_MAX: usize = 10_000;

    /// Of what this participant holds.
    #[must_use]
    pub fn of(participant: &Participant, from: u64, keys_max: usize) -> Self {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let held = participant.registers().skip(from);
        let mut page = Self::default();
        for (passed, (key, tagged)) in held.enumerate() {
            if page.keys.len() >= keys_max.max(1) {
                page.next = Some(from.saturating_add(passed) as u64);
                break;
            }
            if tagged.value.is_some() {
                page.keys.push(key.clone());
            }
        }
        page
    }
}
