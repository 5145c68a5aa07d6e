//! The table: lines of a configuration, what their daemons need, and what real clients must get through them.

mod builtins;
mod files;
mod pages;
mod plain;
mod repositories;
mod shells;

use anyhow::Result;

use crate::dialect::Dialect;
use crate::namespace::Report;
use crate::subject::Subject;
use crate::world::Server;

/// Services that belong together.
pub(crate) struct Group {
    /// As [`Dialect::write`] reads them.
    lines: &'static [&'static str],
    /// Makes the files that the daemons want.
    prepare: fn() -> Result<()>,
    checks: &'static [Check],
}

/// What a client asks, and must get.
pub(crate) struct Check {
    /// Its name, which no other has.
    pub(crate) promise: &'static str,
    pub(crate) ask: fn() -> Result<()>,
}

const GROUPS: [&[Group]; 6] = [
    builtins::GROUPS,
    files::GROUPS,
    repositories::GROUPS,
    pages::GROUPS,
    shells::GROUPS,
    plain::GROUPS,
];

fn groups(dialect: Dialect) -> impl Iterator<Item = &'static Group> {
    let said = move |group: &&Group| group.lines.iter().all(|line| dialect.write(line).is_some());
    GROUPS.into_iter().flatten().filter(said)
}

/// The checks of all services that the dialect has words for.
pub(crate) fn of(dialect: Dialect) -> impl Iterator<Item = &'static Check> {
    groups(dialect).flat_map(|group| group.checks)
}

/// Starts the superserver with everything that its dialect can say, and asks all checks, one after the other.
pub(crate) fn ask_all(subject: Subject) -> Result<Report> {
    let mut configuration = String::new();
    let mut listening = 0;
    for group in groups(subject.dialect()) {
        (group.prepare)()?;
        let lines = || group.lines.iter();
        configuration.extend(lines().filter_map(|line| subject.dialect().write(line)));
        listening += lines()
            .filter(|line| line.contains(" stream tcp") && !line.contains("tcpmux/"))
            .count();
    }
    std::fs::write("/etc/inetd.acceptance", configuration)?;
    let mut server = Server::start(&mut subject.command("/etc/inetd.acceptance".as_ref()))?;
    server.until_listening(listening)?;
    let mut report = Report::new();
    for check in of(subject.dialect()) {
        let failure = (check.ask)().err();
        let said = server.said()?;
        let failure =
            failure.map(|error| format!("{error:#}\nThe superserver said meanwhile:\n{said}"));
        report.insert(check.promise.to_owned(), failure);
    }
    Ok(report)
}
