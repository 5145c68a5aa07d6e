//! Urgent data of clients: it suspends, continues and ends the program that serves them, which knows nothing of it.
//!
//! The superserver keeps a duplicate of the connection, on which one thread for all of them listens for urgent data alone.
//! What it hears it does to the program's process group at once, and has the instance's actor follow: an event loop
//! between the two may be busy, and whoever looks at the actor sees the same in the end.
//!
//! | file | what |
//! |---|---|
//! | `urgent/line.rs` | [`Line`]: one client's, and what is done about a byte that has come on it |
//! | `urgent/wish.rs` | who wants the program to rest: its client, or others |
//! | `urgent/duplicate.rs` | the duplicate: kept no longer than the program keeps its own |
//! | `urgent/vigil.rs` | beside a program that rests: nobody may be left who could continue it |
//! | `urgent/holders.rs` | who still has a connection open, and who is left of a group |

mod duplicate;
mod holders;
mod line;
mod vigil;
mod wish;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use palco_core::{Answer, Key, Remark, RequestId, RequestState, Verb};
use palco_urgent::{Desk, Soon, StartError, ThreadSettings, UrgentThread, Watch};
use parking_lot::Mutex;

use crate::journal::Continued;

pub(crate) use duplicate::{Duplicate, Served};
pub(crate) use holders::group_lives;
pub(crate) use line::Line;

/// Where urgent data of all clients is heard.
pub(crate) struct Exchange {
    watch: Arc<Watch>,
    lines: Arc<Lines>,
}

/// The connections that are listened on, by their tokens.
#[derive(Default)]
pub(crate) struct Lines {
    open: Mutex<HashMap<u64, Arc<Line>>>,
    last: AtomicU64,
}

impl Exchange {
    /// Starts the thread, which ends when it is dropped. It is apart, since what it hears of may be the last to know the
    /// exchange, and a thread cannot wait for its own end.
    ///
    /// # Errors
    /// [`StartError`]; nobody listens then.
    pub(crate) fn start() -> Result<(Self, UrgentThread), StartError> {
        let watch = Arc::new(Watch::new().map_err(StartError::Thread)?);
        let lines = Arc::new(Lines::default());
        let desk: Arc<dyn Desk> = Arc::<Lines>::clone(&lines);
        let settings = ThreadSettings::default();
        let thread = UrgentThread::start(settings, desk, Arc::clone(&watch), None)?;
        Ok((Self { watch, lines }, thread))
    }

    /// Programs that rest because of their clients go on: nobody is going to listen to these any more.
    pub(crate) fn let_go(&self) {
        let lines: Vec<Arc<Line>> = self.lines.open.lock().values().cloned().collect();
        for line in lines {
            line.go_on(Continued::Leaving);
        }
    }
}

impl Lines {
    fn enter(&self, line: Arc<Line>) -> u64 {
        let token = self.last.fetch_add(1, Ordering::Relaxed);
        self.open.lock().insert(token, line);
        token
    }

    fn leave(&self, token: u64) {
        self.open.lock().remove(&token);
    }
}

impl Desk for Lines {
    /// There is no port here, and so there are no keys.
    fn admits(&self, _: &RequestId, _: &Key) -> bool {
        false
    }

    fn act(&self, _: RequestId, _: Verb) -> Soon<Answer> {
        Box::pin(async { Answer { state: RequestState::NotFound, remark: Remark::None } })
    }

    fn heard(&self, token: u64) -> Soon<()> {
        // Gone: what was heard came too late.
        let line = self.open.lock().get(&token).cloned();
        Box::pin(async move {
            if let Some(line) = line {
                line.hear();
            }
        })
    }
}
