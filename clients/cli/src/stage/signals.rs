//! The signals that a stage listens to.

use std::fs::File;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

/// Whether this process has a controlling terminal. One that had, and has not any more, was hung up on.
pub(super) fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Those that ask for the end, Ctrl-C and SIGTERM, and maybe others.
pub(crate) struct EndSignals(SigSet);

impl EndSignals {
    /// Before any other thread exists: all of them inherit the mask, and only who waits here gets the signals.
    pub(crate) fn block() -> Result<Self> {
        Self::block_with(&[])
    }

    /// With others, which ask for something else.
    pub(crate) fn block_with(others: &[Signal]) -> Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM].iter().chain(others) {
            signals.add(*signal);
        }
        signals.thread_block().context("cannot block signals")?;
        Ok(Self(signals))
    }

    /// Which of them has come.
    pub(crate) fn wait(&self) -> Result<Signal> {
        self.0.wait().context("cannot wait for signals")
    }
}
