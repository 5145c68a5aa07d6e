//! The ticket that a client asks for in the words of its protocol.

use palco_core::Ticket;

use crate::CallContext;

/// What a client is told that asks where there is nothing to be had.
pub(super) const NO_URGENT_PORT: &str = "this server has no urgent port";

/// The ticket of the request after this one: this one is over as soon as it has been answered.
///
/// # Errors
/// [`NO_URGENT_PORT`].
pub(super) fn next(cx: &CallContext<'_>) -> Result<Ticket, &'static str> {
    let own = cx.ticket().ok_or(NO_URGENT_PORT)?;
    let next = own.request.number.saturating_add(1);
    Ok(own.with_number(next))
}
