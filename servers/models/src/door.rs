//! Where connections come in: accepted, and admitted or refused.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use palco_actors::{Actor, Context};
use palco_service::{Codec, Farewell, Service};

use crate::admission::Action;
use crate::books::Books;
use crate::listener::Listener;
use crate::scoreboard::Count;
use crate::serve::{Admitted, Shared};
use crate::shedding::{Shedder, Shedding};
use crate::stream::Stream;

/// After a failed accept (too many open files, say) the next try comes this much later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The listening socket of a server, and who is let in.
pub(crate) struct Door<S, C> {
    pub(crate) shared: Arc<Shared<S, C>>,
    pub(crate) socket: Arc<TcpListener>,
    pub(crate) books: Books,
    pub(crate) shedding: Option<Shedding>,
}

impl<S, C> Clone for Door<S, C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            socket: Arc::clone(&self.socket),
            books: self.books.clone(),
            shedding: self.shedding,
        }
    }
}

impl<S: Service, C: Codec<S>> Door<S, C> {
    /// Accepts until a stop. Every connection that is admitted goes through `lead` before the next is accepted.
    pub(crate) async fn open<A: Actor>(
        &self,
        cx: &Context<A>,
        mut lead: impl AsyncFnMut(Admitted),
    ) -> io::Result<()> {
        let listener = Listener::new(&self.socket, cx.place())?;
        let mut shedder = self.shedding.map(Shedder::new);
        while let Some(admitted) = self.next(cx, &listener, shedder.as_mut()).await {
            if let Some(admitted) = admitted {
                lead(admitted).await;
            }
        }
        Ok(())
    }

    /// The next admitted connection; the inner `None` is one that was not admitted, the outer one a stop.
    async fn next<A: Actor>(
        &self,
        cx: &Context<A>,
        listener: &Listener,
        shedder: Option<&mut Shedder>,
    ) -> Option<Option<Admitted>> {
        let books = &self.books;
        let defer = books.action() == Action::Defer;
        if defer && !books.has_room() {
            books.count(Count::Deferred);
            cx.note(|| "waiting: connections-max reached");
            cx.unless_stopped(books.room(cx)).await?;
        }
        cx.note(|| "accepting");
        let (stream, address) = match listener.accept(cx).await? {
            Ok(accepted) => accepted,
            // Nobody can listen any more: a drain has begun.
            Err(_) if cx.is_stopping() => return None,
            Err(error) => {
                books.count(Count::AcceptErrors);
                tracing::warn!(acceptor = %cx.path(), %error, "cannot accept");
                cx.unless_stopped(cx.sleep(ACCEPT_PAUSE)).await?;
                return Some(None);
            }
        };
        // What follows is about this connection, and about nothing before it.
        cx.begin_trace();
        if let Some(shedder) = shedder {
            // Where it cannot be known (no TCP) nobody has waited.
            let waited = palco_sys::established_for(&stream).unwrap_or_default();
            if shedder.sheds(waited, cx.system().clock().now()) {
                books.count(Count::Shed);
                self.say_busy(stream);
                let waited_ms = waited.as_millis();
                tracing::debug!(acceptor = %cx.path(), limit = "shed-above", waited_ms, "refused");
                return Some(None);
            }
        }
        let record = match books.try_admit() {
            Some(record) => record,
            // Another acceptor was faster.
            None if defer => {
                books.count(Count::Deferred);
                cx.note(|| "waiting: connections-max reached");
                cx.unless_stopped(books.admit(cx)).await?
            }
            None => {
                match books.action() {
                    Action::Drop => {
                        books.count(Count::Dropped);
                        let _ = stream.reset_on_close();
                    }
                    Action::Close | Action::Defer => {
                        books.count(Count::Closed);
                        stream.dismiss();
                    }
                    Action::Fail => {
                        books.count(Count::Failed);
                        self.say_busy(stream);
                    }
                }
                tracing::debug!(acceptor = %cx.path(), limit = "connections-max", "refused");
                return Some(None);
            }
        };
        Some(Some(Admitted { stream, address, record }))
    }

    /// Tells a client so and closes, without waiting.
    fn say_busy(&self, stream: Stream) {
        let mut words = BytesMut::new();
        self.shared.codec.farewell(&Farewell::Busy, &mut words);
        stream.say_at_once(&words);
        stream.dismiss();
    }
}
