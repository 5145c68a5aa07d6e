//! tcpmux (RFC 1078): the client names a service, which gets the connection.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use palco_actors::Context;
use socket2::Socket;

use super::client::{Stream, judge, wait_for_permit};
use super::program::Of;
use super::{Client, Instance};
use crate::access::Judgement;
use crate::builtins::mux::{self, Wanted};
use crate::gate::Permit;
use crate::service::{Counts, Service};
use crate::spec::{Action, Run};

impl Instance {
    /// Reads a name, and has that service serve the client.
    pub(super) async fn serve_mux(&self, cx: &Context<Self>, client: Client, permit: Permit) {
        let (mux, house) = (&self.service, &self.service.house);
        let from = client.name();
        self.has_started();
        cx.note(|| "reading the name of a service");
        let (client, wanted) = match cx.unless_stopped(read_name(client)).await {
            Some(Ok(read)) => read,
            Some(Err(error)) => return mux.note_failure(format!("tcpmux: {error}"), from),
            None => return,
        };
        let name = match wanted {
            Wanted::Help => {
                let names = house.mux_names();
                return client.say(&mux::help(names.iter().map(String::as_str)));
            }
            Wanted::Service(name) => name,
        };
        let Some(service) = house.by_mux_name(&name) else {
            client.say(mux::NOT_AVAILABLE);
            return mux.note_failure(format!("tcpmux: there is no service {name:?}"), from);
        };
        // It counts as an instance of that service from here on.
        drop(permit);
        let Some(permit) = admit(cx, &service, &client).await else { return };
        let definition = service.definition();
        match judge(cx, &definition, &service, &client).await {
            Some(Judgement::Granted(extras)) => {
                let Run::Program(program) = &definition.spec.run else { return };
                if definition.spec.mux.as_ref().is_some_and(|mux| mux.greets) {
                    client.say(mux::GO);
                }
                self.serve_by_program(
                    cx,
                    Of { service: &service, definition: &definition, program },
                    client,
                    extras,
                    permit,
                )
                .await;
            }
            Some(Judgement::Refused { reason, .. }) => {
                client.say(mux::NOT_AVAILABLE);
                Counts::add(&service.counts.refused);
                house.journal.fail(&service.id, reason, from);
            }
            None => {}
        }
    }
}

async fn admit(cx: &Context<Instance>, service: &Service, client: &Client) -> Option<Permit> {
    match service.gate.try_admit(client.source(), Instant::now()) {
        Ok(permit) => Some(permit),
        Err(excess) if excess.action == Action::Defer => {
            service.gate.count(excess.limit);
            cx.unless_stopped(wait_for_permit(cx, service, client)).await.flatten()
        }
        Err(excess) => {
            service.turn_away(excess, client.name());
            None
        }
    }
}

/// What the client asks for, and the client again, with nothing read beyond its first line.
async fn read_name(client: Client) -> io::Result<(Client, Wanted)> {
    let peer = client.peer;
    let (wanted, socket): (Wanted, Socket) = match client.into_stream()? {
        Stream::Tcp(mut stream) => {
            (mux::mux_request(&mut stream, mux::REQUEST_WITHIN).await?, stream.into_std()?.into())
        }
        Stream::Unix(mut stream) => {
            (mux::mux_request(&mut stream, mux::REQUEST_WITHIN).await?, stream.into_std()?.into())
        }
    };
    // As programs expect it.
    socket.set_nonblocking(false)?;
    Ok((Client { socket, peer }, wanted))
}

impl Client {
    pub(super) fn source(&self) -> Option<IpAddr> {
        self.peer.map(|peer| peer.ip())
    }
}
