//! `palco serve --inetd`: one connection, then the end.

use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use palco_actors::System;
use palco_threads::block_on;

use super::basket::{self, BasketEntry};
use super::run::watch;
use super::signals::EndSignals;
use super::{Cell, FilesEntry, ServiceKind, Shown, check_root, page};
use crate::activation;

/// What is served to the connection.
#[derive(Debug)]
pub(crate) struct Attending {
    pub(crate) service: ServiceKind,
    /// The directory of services `http` and `files`.
    pub(crate) root: Option<PathBuf>,
    /// How `files` serves it.
    pub(crate) files: Option<FilesEntry>,
    /// Who keeps the baskets of service `basket`.
    pub(crate) basket: Option<BasketEntry>,
    /// How long a request may take to finish after a signal.
    pub(crate) drain_within: Duration,
}

/// Serves the connection that this process was started with, and ends with it. Nothing is printed unless that is
/// impossible, and then only where the client does not read it. Does not return before.
///
/// Exits with 1 if the connection was given up or its handler panicked.
pub(crate) fn attend(attending: &Attending) -> Result<ExitCode> {
    let Attending { service, root, files, basket, drain_within } = attending;
    let connection = activation::connection()?;
    let signals = EndSignals::block()?;
    // Every connection is a process.
    let cell = Cell::ALONE;
    check_root(*service, root.as_deref(), files.as_ref(), None, cell)?;
    basket::check(*service, basket.as_ref(), basket::Connections::One)?;
    let system = System::builder().event_loops(1).build();
    let system = system.context("cannot start the actor system")?;
    let page = page::directory()?;
    page::write(&page, &[])?;
    let root = root.as_deref().unwrap_or(page.path());
    let shown = Shown::of(root, cell, files.as_ref(), basket.as_ref());
    let single = Arc::new(service.attend(&system, connection, *drain_within, &shown)?);
    let served = Arc::clone(&single);
    watch("palco-client", move || {
        block_on(served.ended());
        block_on(system.shutdown());
        drop(page);
        let scores = served.scores();
        process::exit(i32::from(scores.abandoned + scores.panicked > 0));
    })?;
    signals.wait()?;
    single.stop();
    signals.wait()?;
    process::exit(130);
}
