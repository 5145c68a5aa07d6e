//! `palco inetd status`: services, instances, limits that acted, last exits.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use palco_superserver::{InstanceStatus, LimitStatus, ServiceStatus, Status};

use crate::control::{Reply, Request, ask};
use crate::output;

pub(crate) fn status(control: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let Reply::Superserver(status) = ask(control, &Request::Superserver)? else {
        bail!("the stage answered something else")
    };
    if json {
        output::json(&status)?;
        return Ok(ExitCode::SUCCESS);
    }
    let files: Vec<String> = status.files.iter().map(|file| file.display().to_string()).collect();
    output::line(format!(
        "palco inetd, pid {}, up {}, reloaded {} times, {}\n",
        status.pid,
        humantime::format_duration(Duration::from_secs(status.uptime_s)),
        status.reloads,
        if files.is_empty() { "without a file".to_owned() } else { files.join(", ") },
    ))?;
    if let Some(obtained) = &status.urgent {
        output::line(format!("Urgent data is heard by a thread of its own: {obtained}\n"))?;
    }
    services(&status)?;
    instances(&status)?;
    urgent(&status)?;
    limits(&status)?;
    ends(&status)?;
    for remark in &status.remarks {
        output::line(remark)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn services(status: &Status) -> Result<()> {
    let row = |service: &ServiceStatus| {
        let or_none = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        [
            service.id.clone(),
            or_none(&service.addresses.join(", ")),
            service.style.clone(),
            format!(
                "{}{}",
                service.runs,
                service.user.as_ref().map_or_else(String::new, |user| format!(" as {user}"))
            ),
            service.state.clone(),
            service.running.to_string(),
            service.waiting.to_string(),
            service.started.to_string(),
            service.failed.to_string(),
            service.refused.to_string(),
            or_none(&service.confinement),
        ]
    };
    let heading = [
        "SERVICE",
        "LISTENS ON",
        "STYLE",
        "RUNS",
        "STATE",
        "NOW",
        "WAITING",
        "STARTED",
        "FAILED",
        "REFUSED",
        "CONFINED",
    ];
    output::table(heading, status.services.iter().map(row))
}

fn instances(status: &Status) -> Result<()> {
    let rows = status.services.iter().flat_map(|service| {
        service.instances.iter().map(|instance: &InstanceStatus| {
            [
                service.id.clone(),
                instance.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                instance.actor.clone(),
                instance.age_ms.map_or_else(|| "-".to_owned(), millis),
                instance.cpu_ms.map_or_else(|| "-".to_owned(), millis),
                instance
                    .rss_bytes
                    .map_or_else(|| "-".to_owned(), |bytes| format!("{} KiB", bytes >> 10)),
                instance.doing.clone().unwrap_or_default(),
            ]
        })
    });
    section(["SERVICE", "PID", "ACTOR", "AGE", "CPU", "MEMORY", "DOING"], rows.collect())
}

/// What urgent data of clients has done.
fn urgent(status: &Status) -> Result<()> {
    let rows = status.services.iter().filter_map(|service| {
        let urgent = &service.urgent;
        let counts = [urgent.suspended, urgent.continued, urgent.killed];
        let [suspended, continued, killed] = counts.map(|count| count.to_string());
        let has_acted = counts.iter().any(|count| *count > 0);
        has_acted.then(|| [service.id.clone(), suspended, continued, killed])
    });
    section(["SERVICE", "SUSPENDED BY CLIENTS", "CONTINUED", "KILLED"], rows.collect())
}

fn limits(status: &Status) -> Result<()> {
    let rows = status.services.iter().flat_map(|service| {
        let acted = service.limits.iter().filter(|limit| limit.acted.times > 0);
        acted.map(|limit: &LimitStatus| {
            [
                service.id.clone(),
                limit.limit.to_string(),
                limit.max.clone(),
                limit.action.clone(),
                limit.acted.times.to_string(),
                limit.acted.last.map_or_else(|| "-".to_owned(), ago),
                humantime::format_duration(Duration::from_millis(
                    u64::try_from(limit.acted.waited_max.as_millis()).unwrap_or(u64::MAX),
                ))
                .to_string(),
            ]
        })
    });
    section(
        ["SERVICE", "LIMIT", "AT MOST", "THEN", "ACTED", "LAST", "LONGEST WAIT"],
        rows.collect(),
    )
}

fn ends(status: &Status) -> Result<()> {
    let rows = status.services.iter().flat_map(|service| {
        service.ends.iter().rev().map(|ended| {
            [
                service.id.clone(),
                ended.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                ended.how.clone(),
                millis(ended.ran_ms),
                ago(ended.at),
            ]
        })
    });
    section(["SERVICE", "PID", "LAST EXITS", "RAN", "WHEN"], rows.collect())
}

/// A table with a line before it; nothing if it has no rows.
fn section<const N: usize>(heading: [&str; N], rows: Vec<[String; N]>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    output::line("")?;
    output::table(heading, rows)
}

fn millis(millis: u64) -> String {
    humantime::format_duration(Duration::from_millis(millis)).to_string()
}

fn ago(at: SystemTime) -> String {
    let passed = at.elapsed().unwrap_or_default().as_secs();
    format!("{} ago", humantime::format_duration(Duration::from_secs(passed)))
}
