//! What observers see of an actor's state: between its messages it is asked, and a handler that takes long may describe
//! what it is at.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::guard::contained;
use crate::signal::INSPECT;
use crate::vitals::Vitals;

/// See [`Context::describe`](crate::Context::describe).
pub(crate) type Describes = Arc<dyn Fn() -> Value + Send + Sync>;

impl Vitals {
    pub(crate) fn describe(&self, description: Option<Describes>) {
        let is_some = description.is_some();
        // One load at the end of every handler that describes nothing.
        if is_some || self.has_description.load(Ordering::Relaxed) {
            self.life.lock().describes = description;
            self.has_description.store(is_some, Ordering::Release);
        }
    }

    /// The bits that a running handler answers by its description.
    pub(crate) fn inspections(&self) -> u32 {
        if self.has_description.load(Ordering::Acquire) { INSPECT } else { 0 }
    }

    /// Shows what the running handler describes; false if it describes nothing.
    pub(crate) fn show_description(&self) -> bool {
        if self.inspections() == 0 {
            return false;
        }
        let describes = self.life.lock().describes.clone();
        describes.is_some_and(|describes| {
            self.show(|| describes());
            if let Some(post) = &self.post {
                // Not after the handler: it may take for ever. A broken socket shows where it is read.
                let _ = post.flush();
            }
            true
        })
    }

    /// Takes the state down for whoever has asked.
    pub(crate) fn show(&self, state: impl FnOnce() -> Value) {
        let state = contained(state).ok();
        if let Some(post) = &self.post {
            post.state(state.as_ref());
        }
        if let Some(state) = state {
            self.life.lock().state = Some((state, self.system.clock().now()));
        }
        self.signals.clear(INSPECT);
        self.notify();
    }
}
