//! Judging recorded histories.
