//! Giving up on a wait.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use palco_actors::{Actor, Context};

/// What `future` comes to within `time` of the system's clock; `None` if it takes longer. Drops it then.
pub(crate) async fn within<A: Actor, T>(
    cx: &Context<A>,
    time: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(future), pin!(cx.sleep(time))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
