//! The work service, with an eye on its calls: what is in progress cannot be seen from outside otherwise.
//!
//! In processes the counter is a state that they share: every call begins with a question to who keeps it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use palco_models::{Server, ServerSettings};
use palco_service::services::work::{WorkCodec, WorkRequest, WorkResponse, WorkService};
use palco_service::{Ask, CallContext, CannotRelaunch, Peer, Relaunch, Service, SharedState};

use crate::stage::{Stage, until};

/// The counters of this process, by the numbers that services are made with.
static COUNTERS: LazyLock<Mutex<HashMap<u64, Begun>>> = LazyLock::new(Mutex::default);

impl Stage {
    /// A work server, and how many of its calls have begun.
    pub(crate) fn work(&self, settings: ServerSettings) -> (Arc<Server>, Begun) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (number, begun) = (NEXT.fetch_add(1, Ordering::Relaxed), Begun::default());
        COUNTERS.lock().unwrap().insert(number, begun.clone());
        let server = Server::launch_shared::<Watched>(&self.system, settings, number).unwrap();
        (self.keep(server), begun)
    }
}

/// How many calls have begun.
#[derive(Clone, Default)]
pub(crate) struct Begun(Arc<AtomicUsize>);

impl Begun {
    #[track_caller]
    pub(crate) fn until(&self, count: usize) {
        until("the call begins", || self.0.load(Ordering::Acquire) >= count);
    }
}

pub(crate) struct Watched {
    service: WorkService,
    counter: Counter,
}

enum Counter {
    Here(Begun),
    Elsewhere(Ask<Watched>),
}

impl Service for Watched {
    type Request = WorkRequest;
    type Response = WorkResponse;
    type Session = ();

    fn open(&self, peer: &Peer) {
        self.service.open(peer);
    }

    fn takes_time(&self, request: &WorkRequest) -> bool {
        self.service.takes_time(request)
    }

    async fn call(
        &self,
        session: &mut (),
        request: WorkRequest,
        cx: &CallContext<'_>,
    ) -> WorkResponse {
        // Asked for by the ten thousand, and over as soon as it has begun.
        if request != WorkRequest::Help {
            match &self.counter {
                Counter::Here(begun) => _ = begun.0.fetch_add(1, Ordering::Release),
                Counter::Elsewhere(ask) => _ = ask(()).await,
            }
        }
        self.service.call(session, request, cx).await
    }

    async fn more(&self, response: &mut WorkResponse, cx: &CallContext<'_>) -> bool {
        self.service.more(response, cx).await
    }
}

impl Relaunch for Watched {
    const NAME: &'static str = "watched-work";
    type Config = u64;
    type Codec = WorkCodec;

    fn relaunch(number: &u64) -> Result<(Self, WorkCodec), CannotRelaunch> {
        let begun = COUNTERS.lock().unwrap()[number].clone();
        let service = Self { service: WorkService::default(), counter: Counter::Here(begun) };
        Ok((service, WorkCodec::default()))
    }
}

impl SharedState for Watched {
    type Question = ();
    type Answer = ();

    fn answer(&self, (): ()) {
        if let Counter::Here(begun) = &self.counter {
            begun.0.fetch_add(1, Ordering::Release);
        }
    }

    fn asking(_: &u64, ask: Ask<Self>) -> Result<(Self, WorkCodec), CannotRelaunch> {
        let service = Self { service: WorkService::default(), counter: Counter::Elsewhere(ask) };
        Ok((service, WorkCodec::default()))
    }
}
