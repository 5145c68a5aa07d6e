//! How a process comes by its service.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use palco_actors::{Failure, Luggage};
use palco_service::{Ask, Codec, Relaunch, Service, SharedState};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keeper::{ANSWER_WITHIN, Asked};

/// A service and the way in which a process makes it.
pub(crate) trait Kin: 'static {
    type Service: Service;
    type Codec: Codec<Self::Service> + Sync;
    type Config: Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The stable name of an actor with this service.
    fn kind(role: &str) -> Cow<'static, str>;

    fn make(
        config: &Self::Config,
        luggage: &mut Luggage,
    ) -> Result<(Self::Service, Self::Codec), Failure>;
}

/// Every process has a state of its own.
pub(crate) struct Alone<S>(PhantomData<fn() -> S>);

/// The processes ask for the state; a grant for that is in their luggage.
pub(crate) struct Asking<S>(PhantomData<fn() -> S>);

impl<S: Relaunch> Kin for Alone<S> {
    type Service = S;
    type Codec = S::Codec;
    type Config = S::Config;

    fn kind(role: &str) -> Cow<'static, str> {
        format!("{role}/{}", S::NAME).into()
    }

    fn make(config: &S::Config, _: &mut Luggage) -> Result<(S, S::Codec), Failure> {
        Ok(S::relaunch(config)?)
    }
}

impl<S: SharedState> Kin for Asking<S> {
    type Service = S;
    type Codec = S::Codec;
    type Config = S::Config;

    fn kind(role: &str) -> Cow<'static, str> {
        format!("{role}/{}/shared", S::NAME).into()
    }

    fn make(config: &S::Config, luggage: &mut Luggage) -> Result<(S, S::Codec), Failure> {
        let keeper = luggage.take_grant()?.recipient::<Asked<S>>()?;
        let ask: Ask<S> = Arc::new(move |question| {
            let keeper = keeper.clone();
            Box::pin(async move {
                let answer = keeper.ask(Asked(question), ANSWER_WITHIN).await;
                answer.inspect_err(|error| tracing::warn!(%error, "no answer about the state")).ok()
            })
        });
        Ok(S::asking(config, ask)?)
    }
}
