//! A cancelled request takes up room until its handler has really stopped.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use palco_actors::PlaceKind;
use palco_core::Verb;
use palco_models::{Limits, ServerSettings};
use palco_service::services::work::{WorkCodec, WorkRequest, WorkResponse};
use palco_service::{CallContext, Peer, Service};

use crate::client::Client;
use crate::requests::act;
use crate::stage::{Cell, in_cells, trials, until};

trials! {
    room_is_given_back_when_the_handler_has_really_stopped,
}

/// HTTP/2's Rapid Reset (CVE-2023-44487): a cancelled request that gives its room back at once, while its work goes on,
/// lets a client have any amount of work done side by side.
fn room_is_given_back_when_the_handler_has_really_stopped() {
    in_cells(Cell::shares_memory, |stage| {
        let limits = Limits { connections_max: 2, ..Limits::default() };
        let gate = Gate::default();
        let settings = ServerSettings { limits, ..stage.settings() };
        let server = stage.serve_here(settings, Gated(gate.clone()), WorkCodec::default());
        for round in 1..=2 {
            let mut client = Client::of(&server);
            client.say("help\n");
            if !stage.cell.serves_several() && stage.cell.place == PlaceKind::Thread && round == 2 {
                continue; // its only thread is at work
            }
            until("the work has begun", || gate.working() == round);
            for view in server.requests(9) {
                act(stage, &server, &view.request, Verb::Cancel);
            }
        }
        // A storm of clients that cancel, while nothing of the work has ended.
        let mut storm = Vec::new();
        for _ in 0..20 {
            let mut client = Client::of(&server);
            client.try_say("help\n");
            storm.push(client);
            for view in server.requests(9) {
                drop(stage.system.within(Duration::ZERO, server.act(&view.request, Verb::Cancel)));
            }
        }
        stage.let_pass(100);
        assert!(gate.working() <= 2, "no more is done at once than there is room for");
        assert!(server.scores().active >= gate.working() as u64);
        gate.open();
        drop(storm);
        until("all room is given back", || server.scores().active == 0 && gate.working() == 0);
    });
}

/// Work that goes on until it is let go, and how much of it goes on.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    fn working(&self) -> usize {
        self.0.0.lock().unwrap().1
    }

    fn open(&self) {
        self.0.0.lock().unwrap().0 = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.1 += 1;
        let mut state = changed.wait_while(state, |(is_open, _)| !*is_open).unwrap();
        state.1 -= 1;
    }
}

/// Every call is work for a helper thread, which ends when the gate opens.
struct Gated(Gate);

impl Service for Gated {
    type Request = WorkRequest;
    type Response = WorkResponse;
    type Session = ();

    fn open(&self, _: &Peer) {}

    async fn call(&self, (): &mut (), _: WorkRequest, cx: &CallContext<'_>) -> WorkResponse {
        let gate = self.0.clone();
        cx.block(move || gate.pass()).await;
        WorkResponse::Help("done")
    }
}
