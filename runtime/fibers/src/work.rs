//! What waits to begin: a function, or a future that somebody makes where it will stay.

use std::future::Future;
use std::pin::Pin;

use crate::name::Name;

/// A future on its LWP.
pub(crate) type Local = Pin<Box<dyn Future<Output = ()>>>;

/// Not begun yet: any LWP may have it.
pub(crate) struct Start {
    pub(crate) name: Name,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Call(Box<dyn FnOnce() + Send>),
    Future(Box<dyn FnOnce() -> Local + Send>),
}
