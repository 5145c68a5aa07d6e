//! Services that a fresh process can make again, and services whose processes share one state.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Codec, LocalFuture, Service};

/// The most bytes of one question or answer of a [`SharedState`]: 1 MiB.
pub const EXCHANGE_BYTES_MAX: usize = 1 << 20;

/// A service that can be made from data, again and again, in any process of the program: nothing but its name and its
/// configuration crosses to another process.
pub trait Relaunch: Service + Sized {
    /// The stable name under which every process of the program knows the service.
    const NAME: &'static str;
    /// What it is made from.
    type Config: Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The codec that belongs to it.
    type Codec: Codec<Self> + Sync;

    /// Makes the service, with a state of its own, and its codec.
    ///
    /// # Errors
    /// [`CannotRelaunch`] says why it cannot be had with this configuration.
    fn relaunch(config: &Self::Config) -> Result<(Self, Self::Codec), CannotRelaunch>;

    /// The files and directories that it must be able to read; a confined process gets no others.
    fn read_paths(config: &Self::Config) -> Vec<PathBuf> {
        let _ = config;
        Vec::new()
    }

    /// The directories beneath which it must be able to read, write, make and remove; a confined process gets no others.
    fn write_paths(config: &Self::Config) -> Vec<PathBuf> {
        let _ = config;
        Vec::new()
    }
}

/// A service whose state can stay in one place while several processes serve it: they ask whoever keeps it.
pub trait SharedState: Relaunch {
    /// What is asked; as data at most [`EXCHANGE_BYTES_MAX`].
    type Question: Serialize + DeserializeOwned + Send + 'static;
    /// What is answered; as data at most [`EXCHANGE_BYTES_MAX`].
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Answers from the state, on the side of whoever keeps it. One question at a time.
    fn answer(&self, question: Self::Question) -> Self::Answer;

    /// Makes the service without a state of its own: it calls `ask` instead.
    ///
    /// # Errors
    /// As [`Relaunch::relaunch`].
    fn asking(config: &Self::Config, ask: Ask<Self>)
    -> Result<(Self, Self::Codec), CannotRelaunch>;
}

/// Asks whoever keeps the state of `S`. `None` is no answer: nothing is known of what became of the question.
pub type Ask<S> = Arc<
    dyn Fn(<S as SharedState>::Question) -> LocalFuture<'static, Option<<S as SharedState>::Answer>>
        + Send
        + Sync,
>;

/// Why a service cannot be made.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
#[error("{0}")]
pub struct CannotRelaunch(String);

impl CannotRelaunch {
    /// In the words of an error and its causes.
    pub fn because(error: impl Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self(text)
    }
}
