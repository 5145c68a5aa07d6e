//! Urgent data for protocols that have a meaning for it, as Telnet's Synch and FTP's ABOR.
//!
//! The urgent byte stays among the others (`SO_OOBINLINE`), and a read ends before it. While a request is being served,
//! what came until the mark is read beside it, and the codec says whether that ends the request; when none is being
//! served any more the codec gets all of it.

use std::cell::{Cell, RefCell};
use std::mem;

use palco_service::{Codec, Service};

use crate::connection::{Connection, Progress};
use crate::requests::Line;
use crate::stream::Stream;

/// What one connection knows of urgent data.
pub(crate) struct Synch<'a> {
    line: &'a Line,
    is_used: bool,
    /// What came until the urgent byte, and with it, while a request was being served.
    unread: RefCell<Vec<u8>>,
    /// What was not decoded when that request began.
    queued: RefCell<Vec<u8>>,
    /// Nothing more is decoded before the codec has had what is unread.
    pauses: Cell<bool>,
    interrupts: &'a dyn Fn(&[u8]) -> bool,
}

impl<'a> Synch<'a> {
    /// `interrupts` asks the codec whether such bytes end a request.
    pub(crate) fn new<S: Service, C: Codec<S>>(
        line: &'a Line,
        stream: &Stream,
        interrupts: &'a dyn Fn(&[u8]) -> bool,
    ) -> Self {
        let is_used = C::USES_URGENT_DATA;
        if is_used && let Err(error) = stream.keep_urgent_inline() {
            tracing::warn!(?line, %error, "urgent data is lost");
        }
        let (unread, queued, pauses) = Default::default();
        Self { line, is_used, unread, queued, pauses, interrupts }
    }

    /// Urgent data has come while a request is being served: whether it ends that.
    pub(crate) fn ends_the_request(&self, stream: &Stream) -> bool {
        let has_come = self.fetch(stream);
        self.pauses.set(has_come);
        has_come && self.interrupts(&self.queued.borrow())
    }

    /// Looks for urgent data between two requests. What ends a request ends those that came before it first.
    pub(crate) fn look<S: Service, C: Codec<S>>(
        &self,
        stream: &Stream,
        connection: &mut Connection<S, C>,
    ) {
        if self.is_used && self.fetch(stream) && !self.interrupts(connection.input()) {
            self.hand_over(connection);
        }
    }

    /// Gives the codec what came until the urgent byte.
    pub(crate) fn hand_over<S: Service, C: Codec<S>>(&self, connection: &mut Connection<S, C>) {
        let unread = mem::take(&mut *self.unread.borrow_mut());
        if !unread.is_empty() {
            connection.urgent(&unread);
        }
        self.pauses.set(false);
    }

    /// Whether there is something to hand over.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.unread.borrow().is_empty()
    }

    /// Reads on to the urgent byte, if one has come.
    fn fetch(&self, stream: &Stream) -> bool {
        // Who has gone is noticed by the next read.
        self.is_used && stream.read_to_mark(&mut self.unread.borrow_mut()).unwrap_or(false)
    }

    /// Whether what came since does, behind what came before and was not decoded.
    fn interrupts(&self, queued: &[u8]) -> bool {
        (self.interrupts)(&[queued, &self.unread.borrow()].concat())
    }
}

impl Progress for Synch<'_> {
    fn begins(&self, number: u64, queued: &[u8]) -> bool {
        if self.is_used {
            *self.queued.borrow_mut() = queued.to_vec();
        }
        let ends = self.is_waiting() && self.interrupts(queued);
        self.line.begins(number) && !ends
    }

    fn pauses(&self) -> bool {
        self.pauses.get()
    }
}
