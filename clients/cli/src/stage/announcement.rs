//! What a stage says when it runs.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::{ServiceKind, StageView};
use crate::output;

/// What is said when a stage runs.
#[derive(Debug, Serialize)]
pub(crate) struct Announcement<'a> {
    #[serde(flatten)]
    pub(crate) view: &'a StageView,
    pub(crate) control: &'a Path,
    /// Where to open the dashboard; whoever has this may act. Said here and nowhere else.
    pub(crate) dashboard: Option<String>,
}

/// Prints where things are and what to try.
pub(crate) fn announce(announcement: &Announcement<'_>) -> Result<()> {
    let Announcement { view, control, dashboard } = announcement;
    let palco = std::env::args().next().unwrap_or_else(|| "palco".to_owned());
    output::line(format!("palco stage, pid {}, control {}\n", view.pid, control.display()))?;
    let rows = view.servers.iter().map(|server| {
        [
            server.name.clone(),
            format!("{} × {}", server.model, server.place),
            server.address.to_string(),
            server.command.clone(),
        ]
    });
    output::table(["SERVER", "MODEL × PLACE", "ADDRESS", "TRY"], rows)?;
    output::line("")?;
    if let Some(url) = dashboard {
        output::line(format!("Dashboard, to watch and to act: {url}\n"))?;
    }
    if let Some(urgent) = &view.urgent {
        let (address, obtained) = (urgent.address, &urgent.obtained);
        output::line(format!(
            "Urgent port, to interrupt what is being served: {address}, {obtained}\n"
        ))?;
    }
    if let Some(http) = view.http.first() {
        output::line(format!("Registers over HTTP: http://{http}/v1/registers\n"))?;
    }
    if let Some(http) = view.servers.iter().find(|server| server.service == ServiceKind::Http) {
        output::line(format!(
            "Open http://{}/ for a tour of one minute. In another terminal:",
            http.address
        ))?;
    }
    for (command, what) in [
        ("ps", "what runs, and what it is doing"),
        ("tree", "who supervises whom"),
        ("models", "all architectures, explained"),
        ("urgent", "which requests are being served, and how to interrupt one"),
    ] {
        output::line(format!("  {palco} {command:<10} {what}"))?;
    }
    output::line("\nCtrl-C drains; a second one stops at once.")
}
