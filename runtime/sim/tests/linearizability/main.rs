//! What the search must refuse and what it must accept: known histories, all small ones, and many random ones.
//!
//! The small and the random ones are judged a second time by `naive.rs`, which tries every order there is.

mod exhaustive;
mod known_bad;
mod known_good;
mod naive;
mod random;
mod scene;
mod tape;
