//! The same data for other programs.

pub(crate) mod chrome;
pub(crate) mod mermaid;
pub(crate) mod prometheus;
