//! One connection in a process of its own: forked for it, given the open socket, and gone with it.

use std::borrow::Cow;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{
    Actor, Context, ExitReason, Failure, Handler, Luggage, MessageTable, Parcel, Place, Portable,
    SpawnOptions,
};
use serde::{Deserialize, Serialize};

use super::{Common, Kin, unpack};
use crate::acceptor::{Pass, Run};
use crate::books::{Pool, Record, Seat};
use crate::deadlines::Deadlines;
use crate::requests::{IssueArgs, Line, Lines};
use crate::seats::{Layout, Seats};
use crate::serve::{Accepted, Admitted, Shared, serve};
use crate::stream::Stream;

/// As in one process: who serves one connection.
pub(super) struct ConnectionActor<K: Kin> {
    shared: Shared<K::Service, K::Codec>,
    accepted: Option<Accepted>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ConnectionArgs<C> {
    config: C,
    peer: SocketAddr,
    deadlines: Deadlines,
    layout: Layout,
    seat: usize,
    issue: Option<IssueArgs>,
}

impl<K: Kin> ConnectionActor<K> {
    async fn serve(&mut self, cx: &Context<Self>) {
        if let Some(accepted) = self.accepted.take() {
            serve(cx, &self.shared, accepted).await;
        }
    }
}

impl<K: Kin> Actor for ConnectionActor<K> {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts(); // an interrupt is for the request being served
        // To itself, not from the dispatcher: that would hear of the start first, and wake this process once more.
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }

    /// A stop that comes before the first message is a drain like any other.
    async fn stopped(&mut self, _: &ExitReason, cx: &mut Context<Self>) {
        self.serve(cx).await;
    }
}

impl<K: Kin> Handler<Run> for ConnectionActor<K> {
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        cx.finish();
        self.serve(cx).await;
    }
}

impl<K: Kin> Portable for ConnectionActor<K> {
    type Args = ConnectionArgs<K::Config>;

    fn kind() -> Cow<'static, str> {
        K::kind("connection")
    }

    /// None from outside.
    fn messages(_: &mut MessageTable<Self>) {}

    fn make(args: Self::Args, mut luggage: Luggage) -> Result<Self, Failure> {
        let stream = Stream::Blocking(TcpStream::from(luggage.take_descriptor()?));
        let seats = Seats::open(luggage.take_descriptor()?, args.layout)?;
        // For the whole life of the process, whose end costs less than to unmap them before.
        mem::forget(Arc::clone(&seats));
        let issue = unpack(args.issue, &mut luggage)?;
        let line = Line::of_seat(Lines::Seats(Arc::clone(&seats)), args.seat, issue);
        let record = Record::begin(Seat { seats, index: args.seat });
        let (service, codec) = K::make(&args.config, &mut luggage)?;
        let admitted = Admitted { stream, address: args.peer, record };
        Ok(Self {
            shared: Shared { service: Arc::new(service), codec, deadlines: args.deadlines },
            accepted: Some(admitted.with_line(line)),
        })
    }
}

/// How a dispatcher passes its connections on.
pub(crate) fn passing<K: Kin>(
    common: Arc<Common<K>>,
    pool: Arc<Pool>,
) -> Pass<K::Service, K::Codec> {
    Arc::new(move |cx, Admitted { stream, address, record }| {
        // As many seats as there are permits, and this connection has one of those.
        let Some(held) = pool.seat(record) else { return Ok(()) };
        let mut socket = Some(stream.into_descriptor());
        let common = Arc::clone(&common);
        let (serving, seat) = (Arc::clone(&common.serving), held.index);
        let options = SpawnOptions::new()
            .place(Place::Process)
            .stop_within(common.drain_within)
            .process(common.options());
        // Dropped when the process has ended, and with it `held`.
        let pack = move || {
            let used = || Failure::new("a connection has one life");
            let (socket, seats) = (socket.take().ok_or_else(used)??, held.seats());
            let parcel = Parcel::new(ConnectionArgs {
                config: common.config.clone(),
                peer: address,
                deadlines: common.deadlines,
                layout: seats.layout(),
                seat,
                issue: common.issue(),
            });
            common.equip(parcel.with_descriptor(socket).with_descriptor(seats.file()?))
        };
        let connection = cx.spawn_portable::<ConnectionActor<K>>(options, pack)?;
        serving.set(seat, connection.any());
        Ok(())
    })
}
