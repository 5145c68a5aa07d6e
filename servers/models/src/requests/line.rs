//! A connection's line, in the hands of whoever serves it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;

use palco_actors::{Actor, AnyRef, Context, PlaceKind, Signal};
use palco_core::{RequestId, Ticket};

use super::issue::{Issue, token};
use super::lines::{Lines, Words};
use super::serving::Serving;
use crate::stream::Stream;

/// The line of one connection; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    lines: Lines,
    index: usize,
    serial: u64,
    issue: Option<Arc<Issue>>,
    /// Where it was taken, and is given back; a process that has a line of its own gives none back.
    serving: Option<Arc<Serving>>,
    /// Who serves, in the server's own process: elsewhere signals are the parent's.
    actor: Option<AnyRef>,
    /// Urgent data on the connection is heard.
    is_watched: Cell<bool>,
    /// The call has turned out to be one that takes its time.
    takes_time: Cell<bool>,
    /// The last interrupt named the request that it is meant for.
    was_named: Cell<bool>,
}

impl Line {
    pub(super) fn new(
        lines: Lines,
        index: usize,
        issue: Option<Arc<Issue>>,
        serving: Option<Arc<Serving>>,
    ) -> Self {
        Self {
            lines,
            index,
            serial: 0,
            issue,
            serving,
            actor: None,
            is_watched: Cell::new(false),
            takes_time: Cell::new(false),
            was_named: Cell::new(false),
        }
    }

    /// The line of this seat's connection, in its process.
    pub(crate) fn of_seat(lines: Lines, seat: usize, issue: Option<Arc<Issue>>) -> Self {
        Self::new(lines, seat, issue, None)
    }

    fn words(&self) -> Words<'_> {
        self.lines.line(self.index)
    }

    /// The connection begins to be served, by this actor.
    pub(crate) fn open<A: Actor>(
        &mut self,
        cx: &Context<A>,
        stream: &Stream,
        peer: Option<SocketAddr>,
        is_inline: bool,
    ) {
        if let Some(serving) = &self.serving {
            let actor = cx.actor_ref().any();
            serving.set(self.index, actor.clone());
            self.actor = Some(actor);
        }
        let thread = match cx.place() {
            PlaceKind::Task | PlaceKind::Fiber => 0,
            PlaceKind::Thread | PlaceKind::Process | PlaceKind::Remote => palco_sys::thread_id(),
        };
        self.serial = self.lines.next_serial();
        self.words().open(self.serial, peer, thread, stream.descriptor());
        if is_inline {
            self.words().set_inline();
        }
    }

    /// What gives the client power over the request that is being served.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        let issue = self.issue.as_ref()?;
        let (number, _) = self.words().progress();
        let request = RequestId { server: issue.server.clone(), connection: self.serial, number };
        Some(Ticket { request, key: issue.secret.key(self.serial), address: issue.address })
    }

    /// How often the request gets its turn on an event loop.
    pub(crate) fn nice(&self) -> i8 {
        self.words().nice().map_or(0, |nice| nice.value())
    }

    /// The running call has come to a point where it lets others run. Whether it is the first of its connection: then
    /// the server has something to prepare.
    pub(crate) fn takes_time(&self) -> bool {
        let is_news = self.issue.is_some() && !self.is_watched.get();
        if is_news {
            self.takes_time.set(true);
        }
        is_news
    }

    /// Has urgent data on the connection heard from now on, once a call takes its time: connections whose calls are
    /// short cost nothing.
    pub(crate) fn watch_if_wanted(&self, stream: &Stream) {
        if self.takes_time.take() {
            self.watch(stream);
        }
    }

    /// Has urgent data on the connection heard from now on.
    pub(crate) fn watch(&self, stream: &Stream) {
        if let Some(issue) = &self.issue
            && !self.is_watched.replace(true)
        {
            let token = token(issue.number, self.index, self.serial);
            if let Err(error) = issue.watch.add(stream, token) {
                tracing::warn!(server = %issue.server, %error, "urgent data is not heard");
            }
        }
    }

    /// The call that took its time is over. What comes between two requests would wake the urgent thread for nothing.
    pub(crate) fn unwatch(&self, stream: &Stream) {
        if self.words().take_mark() {
            stream.note_mark();
        }
        if let Some(issue) = &self.issue
            && self.is_watched.replace(false)
            && let Err(error) = issue.watch.remove(stream)
        {
            tracing::debug!(server = %issue.server, %error, "urgent data is still heard");
        }
    }

    /// The number of the request that began last.
    pub(crate) fn number(&self) -> u64 {
        self.words().progress().0
    }

    /// A call begins or has returned.
    pub(crate) fn note_call(&self) {
        self.words().note_call();
    }

    /// Whether the request that is being served is to be given up.
    pub(crate) fn is_cancelled(&self) -> bool {
        let (number, is_served) = self.words().progress();
        is_served && self.words().cancelled() == Some(number)
    }

    /// Whether an interrupt is meant for the request that is being served: one that names no request is.
    pub(crate) fn is_meant(&self) -> bool {
        let (number, _) = self.words().progress();
        let named = self.words().cancelled();
        self.was_named.set(named.is_some());
        match named {
            None => true,
            Some(later) if later > number => false,
            Some(named) => {
                self.words().ask_to_cancel(0);
                named == number
            }
        }
    }

    /// Whether the last interrupt named its request; another is for who computes, not for an answer on its way.
    pub(crate) fn was_named(&self) -> bool {
        self.was_named.get()
    }

    /// Whether urgent data has come for the codec.
    pub(crate) fn take_urgent(&self) -> bool {
        self.words().take_urgent()
    }

    /// The answer has been written: what was asked for this request is not for the next.
    pub(crate) fn finish(&self) {
        let words = self.words();
        words.finish();
        words.reset_nice();
        self.let_go(words);
    }

    /// A request begins; false if it is to be given up.
    pub(crate) fn begins(&self, number: u64) -> bool {
        let words = self.words();
        words.reset_nice();
        self.let_go(words);
        words.begin(number);
        !self.is_cancelled()
    }

    /// A hold that has come too late for its request: the actor has others to serve.
    fn let_go(&self, words: Words<'_>) {
        if let (Some(_), Some(actor)) = (words.wanted_held(), &self.actor) {
            words.ask_to_hold(0);
            actor.signal(Signal::Resume);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.words().close();
        if let Some(serving) = &self.serving {
            serving.give_back(self.index);
        }
    }
}
