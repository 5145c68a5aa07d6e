//! The pages of palco, and the tests that keep what they promise.
//!
//! | where | what |
//! |---|---|
//! | `*.md` | the pages; their Rust blocks are doctests of this crate |
//! | `tests/architecture/` | laws about the crates: who may use whom, where `unsafe` and actix may stand |
//! | `tests/tidy/` | laws about the files: length, names, links, words that do not belong |
//!
//! A new page needs one item at the end of this file; `tests/tidy` names the pages that lack it:
//!
//! ```text
//! #[cfg(doctest)]
//! #[doc = include_str!("TOUR.md")]
//! pub mod tour {}
//! ```
//!
//! The item exists for doctests only, because a page links to files, which rustdoc would take for items.
//! On a page a fence without a language is Rust: write `text`, `console` or `toml` where it is not.

#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub mod readme {}

#[cfg(doctest)]
#[doc = include_str!("ARCHITECTURE.md")]
pub mod architecture {}

#[cfg(doctest)]
#[doc = include_str!("SEMANTICS.md")]
pub mod semantics {}

#[cfg(doctest)]
#[doc = include_str!("TOUR.md")]
pub mod tour {}

#[cfg(doctest)]
#[doc = include_str!("GLOSSARY.md")]
pub mod glossary {}

#[cfg(doctest)]
#[doc = include_str!("REFERENCES.md")]
pub mod references {}

#[cfg(doctest)]
#[doc = include_str!("FILES.md")]
pub mod files {}

#[cfg(doctest)]
#[doc = include_str!("SOFTSTATE.md")]
pub mod softstate {}

#[cfg(doctest)]
#[doc = include_str!("LOAD.md")]
pub mod load {}

#[cfg(doctest)]
#[doc = include_str!("FIBERS.md")]
pub mod fibers {}

#[cfg(doctest)]
#[doc = include_str!("SUPERSERVER.md")]
pub mod superserver {}

#[cfg(doctest)]
#[doc = include_str!("SWITCHING.md")]
pub mod switching {}

#[cfg(doctest)]
#[doc = include_str!("TESTING.md")]
pub mod testing {}

#[cfg(doctest)]
#[doc = include_str!("URGENT.md")]
pub mod urgent {}

#[cfg(doctest)]
#[doc = include_str!("RAMBO.md")]
pub mod rambo {}

#[cfg(doctest)]
#[doc = include_str!("REGISTERS.md")]
pub mod registers {}

#[cfg(doctest)]
#[doc = include_str!("DEPLOY.md")]
pub mod deploy {}
