//! `palco inetd check`: what a file means, line by line, and what is wrong with it.

use std::process::ExitCode;

use anyhow::Result;
use palco_superserver::{Explanation, Plan, Severity, explain};
use serde::Serialize;

use crate::args::Reading;
use crate::inetd::Source;
use crate::output;

/// What is wrong, or worth knowing, in JSON.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    /// Whether every service can be on.
    ok: bool,
    services: &'a [Explanation],
    remarks: &'a [palco_superserver::Remark],
    files: &'a [std::path::PathBuf],
}

pub(crate) fn check(reading: Reading, json: bool) -> Result<ExitCode> {
    let Plan { services, remarks, files } = Source::Files(reading).plan()?;
    let services: Vec<Explanation> = services.iter().map(explain).collect();
    let errors = remarks.iter().filter(|remark| remark.severity == Severity::Error).count();
    let code = if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        let checked =
            Checked { ok: errors == 0, services: &services, remarks: &remarks, files: &files };
        output::json(&checked)?;
        return Ok(code);
    }
    for service in &services {
        print(service)?;
    }
    for remark in &remarks {
        output::line(remark.to_string())?;
    }
    if !remarks.is_empty() {
        output::line("")?;
    }
    let on = match services.len() {
        1 => "1 service on".to_owned(),
        on => format!("{on} services on"),
    };
    output::line(match errors {
        0 => format!("{on}, no errors"),
        1 => format!("{on}, 1 error"),
        errors => format!("{on}, {errors} errors"),
    })?;
    Ok(code)
}

/// A paragraph: the name and where it is written, then one aspect per line.
fn print(service: &Explanation) -> Result<()> {
    output::line(format!("{}  ({})", service.id, service.origin))?;
    let aspects: [(&str, Vec<String>); 12] = [
        ("listens on", service.listens.clone()),
        ("style", vec![service.style.clone()]),
        ("runs", vec![service.runs.clone()]),
        ("as", service.account.clone().into_iter().collect()),
        ("finds open", service.descriptors.clone().into_iter().collect()),
        ("environment", service.environment.clone()),
        ("begins", service.state.clone()),
        ("limits", service.limits.clone()),
        ("for", service.access.clone()),
        ("banners", service.banners.clone()),
        ("urgent data", vec![service.urgent.clone()]),
        ("gives up", service.confinement.clone()),
    ];
    for (aspect, phrases) in aspects.iter().filter(|(_, phrases)| !phrases.is_empty()) {
        for (place, phrase) in phrases.iter().enumerate() {
            let heading = if place == 0 { aspect } else { &"" };
            output::line(format!("  {heading:<12} {phrase}"))?;
        }
    }
    output::line("")
}
