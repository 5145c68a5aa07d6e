//! What every request passes before it reaches its route.

pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod token;
