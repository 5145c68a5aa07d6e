//! The work service, with an eye on its calls: what is in progress cannot be seen from outside otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use palco_models::{Server, ServerSettings};
use palco_service::services::work::{WorkCodec, WorkRequest, WorkResponse, WorkService};
use palco_service::{CallContext, Peer, Service};

use crate::stage::{Stage, until};

impl Stage {
    /// A work server, and how many of its calls have begun.
    pub(crate) fn work(&self, settings: ServerSettings) -> (Arc<Server>, Begun) {
        let begun = Begun::default();
        let service = Watched { service: WorkService::default(), begun: begun.clone() };
        (self.serve(settings, service, WorkCodec::default()), begun)
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

struct Watched {
    service: WorkService,
    begun: Begun,
}

impl Service for Watched {
    type Request = WorkRequest;
    type Response = WorkResponse;
    type Session = ();

    fn open(&self, peer: &Peer) {
        self.service.open(peer);
    }

    async fn call(
        &self,
        session: &mut (),
        request: WorkRequest,
        cx: &CallContext<'_>,
    ) -> WorkResponse {
        self.begun.0.fetch_add(1, Ordering::Release);
        self.service.call(session, request, cx).await
    }
}
