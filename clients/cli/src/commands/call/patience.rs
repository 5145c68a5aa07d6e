//! While an answer is awaited: how it can be interrupted, and Ctrl-\ that does, by TCP urgent data.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};
use palco_client::Connection;
use palco_client::urgent::{Urgency, UrgencyError};
use palco_core::{RequestState, Ticket};
use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use palco_urgent::Call;

use crate::args::Onset;
use crate::output;

/// An answer that comes sooner needs no word about itself.
const QUIET: Duration = Duration::from_millis(200);

/// How long an urgent byte may take to be answered before that is said.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What Ctrl-\ is to do.
#[derive(Debug)]
pub(super) struct Patience {
    onset: Onset,
    quit: SigSet,
}

/// As long as the answer is awaited.
pub(super) struct Watching(#[expect(dead_code, reason = "its end is what is heard")] Sender<()>);

impl Patience {
    /// Takes Ctrl-\ from the thread that calls, and from all that it starts.
    pub(super) fn new(onset: Onset) -> Result<Self> {
        let mut quit = SigSet::empty();
        quit.add(Signal::SIGQUIT);
        if onset != Onset::Off {
            quit.thread_block().context("cannot block a signal")?;
        }
        Ok(Self { onset, quit })
    }

    /// From now on an answer is awaited.
    pub(super) fn watch(self, connection: &Connection, ticket: Option<Ticket>) -> Result<Watching> {
        let (over, is_over) = mpsc::channel::<()>();
        let keys = match self.onset {
            Onset::Cancel => "; here Ctrl-\\ cancels",
            Onset::Hold => "; here Ctrl-\\ holds and resumes",
            Onset::Off => "",
        };
        let say = move || {
            let waited = is_over.recv_timeout(QUIET);
            if let (Err(RecvTimeoutError::Timeout), Some(ticket)) = (waited, ticket) {
                let request = &ticket.request;
                output::talk(format!(
                    "{request} is being served{keys}; from elsewhere:\n  palco urgent hold|resume|cancel|status {ticket}"
                ));
            }
        };
        spawn_named("palco-patience", STACK_BYTES_DEFAULT, say).context("cannot start a thread")?;
        if self.onset != Onset::Off {
            let urgency = connection.urgent();
            let press = move || self.press(&urgency);
            spawn_named("palco-quit", STACK_BYTES_DEFAULT, press)
                .context("cannot start a thread")?;
        }
        Ok(Watching(over))
    }

    /// Waits for the key, and sends what it means.
    fn press(&self, urgency: &Urgency) {
        let mut is_held = false;
        while self.quit.wait().is_ok() {
            let call = match (self.onset, is_held) {
                (Onset::Hold, false) => Call::Hold,
                (Onset::Hold, true) => Call::Resume,
                (Onset::Cancel | Onset::Off, _) => Call::Cancel,
            };
            let byte = char::from(call.byte());
            // Before: the answer that it brings may end this program at once.
            output::talk(format!("sends `{byte}` as urgent data"));
            match urgency.send(call) {
                Ok(()) => {}
                Err(UrgencyError::Busy) => {
                    output::talk("the urgent byte before is not answered yet");
                    continue;
                }
                Err(error) => {
                    output::talk(format!("{error}"));
                    continue;
                }
            }
            if call == Call::Cancel {
                continue; // the protocol's own words answer it
            }
            match urgency.acknowledged(ANSWER_WITHIN) {
                Some((state, true)) => {
                    is_held = state == RequestState::Held;
                    output::talk(format!("{state}"));
                }
                Some((state, false)) => {
                    output::talk(format!("{state}: it has reached no checkpoint so far"));
                }
                None => output::talk("not answered so far"),
            }
        }
    }
}
