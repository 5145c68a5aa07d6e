//! The page as a person uses it: the real binary, a real browser, clicks.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod acting;
mod browser;
mod driver;
mod load;
mod permission;
mod registers;
mod reports;
mod requests;
mod sequence;
mod services;
mod stage;
mod stuck;
mod views;
