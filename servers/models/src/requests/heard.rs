//! TCP urgent data: heard by the urgent thread, whatever whoever serves is doing.
//!
//! One byte per connection, and idempotent: a second one that comes before the first has been taken replaces it
//! (RFC 6093 §3.1, Linux takes one byte). So a client sends one, and waits for the urgent byte that answers it; a cancel
//! is answered in the words of the protocol, because the connection may be over then.

use std::process;
use std::time::Duration;

use palco_actors::{AnyRef, PlaceKind, Signal};
use palco_core::{RequestId, RequestState, Verb};
use palco_urgent::{Call, Urgent as UrgentByte, acknowledgement, send_urgent, take_urgent};

use super::issue::ends_with;
use super::{Found, Requests};

/// How often a codec is told of urgent data that it has not looked at, and for how long at most.
const TELL_EVERY: Duration = Duration::from_millis(20);
const TELL_WITHIN: Duration = Duration::from_secs(10);

impl Requests {
    /// Urgent data has come on the connection of this line, if it is still that connection.
    pub(super) async fn hear(&self, index: usize, part: u64) {
        if index >= self.serving.lines().count() {
            return;
        }
        let line = self.serving.lines().line(index);
        let serial = line.serial();
        let Some(actor) =
            self.serving.actor(index).filter(|_| serial != 0 && ends_with(serial, part))
        else {
            return;
        };
        if line.is_inline() {
            return self.tell_the_codec(Found { index, serial }, &actor).await;
        }
        let pid = match self.place {
            PlaceKind::Process => actor.pid(),
            PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Remote => {
                i32::try_from(process::id()).ok()
            }
        };
        let (Some(pid), Some(socket)) = (pid, line.socket()) else { return };
        let socket = match palco_sys::borrow_descriptor(pid, socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(server = %self.server, %error, "cannot take an urgent byte");
                return;
            }
        };
        // Else the number may be that of another connection by now.
        let (number, _) = line.progress();
        if line.serial() != serial {
            return;
        }
        let Ok(UrgentByte::Byte(byte)) = take_urgent(&socket) else { return };
        line.set_mark();
        let Some(call) = Call::of(byte) else {
            return self.note_odd(Found { index, serial }, byte);
        };
        let verb = match call {
            Call::Cancel => Verb::Cancel,
            Call::Hold => Verb::Hold,
            Call::Resume => Verb::Resume,
        };
        let request = RequestId { server: self.server.clone(), connection: serial, number };
        let answer = self.act(&request, verb).await;
        if verb == Verb::Cancel && answer.state == RequestState::Finished {
            return;
        }
        // Its client may have gone, or not read what was sent before.
        let _ = send_urgent(&socket, acknowledgement(answer.state, answer.is_reached()));
    }

    /// Has the codec told. Again and again, until it knows or nothing is being served: a process may take two interrupts
    /// that follow each other closely for one.
    async fn tell_the_codec(&self, found: Found, actor: &AnyRef) {
        let (clock, line) = (self.system.clock(), self.line(found));
        let deadline = clock.now() + TELL_WITHIN;
        line.set_urgent();
        while line.serial() == found.serial && line.is_urgent() && clock.now() < deadline {
            actor.signal(Signal::Interrupt);
            clock.sleep(TELL_EVERY).await;
        }
    }

    /// Once for each connection, as long as they do not take turns.
    fn note_odd(&self, found: Found, byte: u8) {
        let mut odd = self.odd.lock();
        if *odd != found.serial {
            *odd = found.serial;
            let peer = self.line(found).peer().map(|peer| peer.to_string()).unwrap_or_default();
            tracing::warn!(
                server = %self.server,
                connection = found.serial,
                peer,
                byte = %byte.escape_ascii(),
                "an urgent byte that means nothing: H holds, R resumes, K cancels"
            );
        }
    }
}
