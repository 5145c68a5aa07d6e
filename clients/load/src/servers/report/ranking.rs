//! Which architecture for which work: groups of servers that the rounds tell apart.

use super::judge::{ANSWERED_MIN, ROUNDS_MIN, common, factor, is_better, median};
use super::words::{counted, listed, of, of_origin, percent, short, times};
use super::{ContestantFacts, Group, Ranking, ServersRow, ServersTable};
use crate::servers::contestant::Origin;
use crate::servers::workload::Measure;

/// Of a table in which somebody can be ranked.
pub(super) fn ranking(
    table: &ServersTable,
    contestants: &[ContestantFacts],
    seed: u64,
) -> Option<Ranking> {
    let measure = table.workload.deciding();
    let asked = table.rows.iter().filter(|row| row.refused.is_none());
    let failed: Vec<(String, String)> = asked
        .clone()
        .filter_map(|row| Some((row.contestant.clone(), failure(row, measure)?)))
        .collect();
    let ranked = asked.filter(|row| failed.iter().all(|(name, _)| *name != row.contestant));
    let mut ranked: Vec<(&ServersRow, f64)> =
        ranked.filter_map(|row| Some((row, median(row.rounds(measure))?))).collect();
    ranked.sort_by(
        |(_, a), (_, b)| {
            if measure.is_cost() { a.total_cmp(b) } else { b.total_cmp(a) }
        },
    );
    let mut groups: Vec<Group> = Vec::new();
    let mut best: Option<&ServersRow> = None;
    for (row, figure) in ranked {
        let member = (row.contestant.clone(), figure);
        match (best, groups.last_mut()) {
            (Some(of_group), Some(group)) if !tells_apart(table, of_group, row, seed) => {
                group.members.push(member);
            }
            _ => {
                best = Some(row);
                groups.push(Group { members: vec![member] });
            }
        }
    }
    if groups.is_empty() && failed.is_empty() {
        return None;
    }
    let absent = absent(table);
    let sentence = sentence(table, &groups, &failed, &absent, contestants);
    let (workload, dialect) = (table.workload, table.dialect);
    Some(Ranking { workload, dialect, measure, groups, failed, sentence })
}

/// Whether the first is better than the second by what decides.
pub(super) fn tells_apart(
    table: &ServersTable,
    better: &ServersRow,
    worse: &ServersRow,
    seed: u64,
) -> bool {
    let measure = table.workload.deciding();
    let name = format!(
        "{} {}: {} {}",
        table.workload,
        table.dialect.name(),
        better.contestant,
        worse.contestant
    );
    is_better(&name, seed, measure, better.rounds(measure), worse.rounds(measure))
}

/// Why a server that was asked has failed.
fn failure(row: &ServersRow, measure: Measure) -> Option<String> {
    let answered = median(row.rounds(Measure::Answered));
    let too_few = answered.filter(|of| measure != Measure::Answered && *of < ANSWERED_MIN);
    too_few.map(|share| format!("{} answered", percent(share)))
}

/// Who was asked and has not failed, and yet has no figure of what decides.
pub(super) fn absent(table: &ServersTable) -> Vec<String> {
    let measure = table.workload.deciding();
    let asked = table.rows.iter().filter(|row| row.refused.is_none());
    let without = asked
        .filter(|row| failure(row, measure).is_none() && median(row.rounds(measure)).is_none());
    without.map(|row| row.contestant.clone()).collect()
}

fn sentence(
    table: &ServersTable,
    groups: &[Group],
    failed: &[(String, String)],
    absent: &[String],
    contestants: &[ContestantFacts],
) -> String {
    let measure = table.workload.deciding();
    let mut said = Vec::new();
    if let Some(first) = groups.first() {
        said.push(leaders(measure, first, groups.len() == 1));
        let ranked: Vec<&(String, f64)> = groups.iter().flat_map(|group| &group.members).collect();
        let (_, best) = &first.members[0];
        let is_of = |name: &str, origin: Origin| {
            contestants.iter().any(|one| one.name == name && one.origin == origin)
        };
        for origin in [Origin::Palco, Origin::C, Origin::Peer] {
            if first.members.iter().any(|(name, _)| is_of(name, origin)) {
                continue;
            }
            let own = ranked.iter().find(|(name, _)| is_of(name, origin));
            said.extend(own.map(|(name, figure)| {
                let than = compared(measure, *best, *figure);
                format!(
                    "The best {} is {name}: {}, {than}.",
                    of_origin(origin),
                    short(measure, *figure)
                )
            }));
        }
        if groups.len() > 1
            && let Some((name, figure)) = ranked.last()
        {
            let than = compared(measure, *best, *figure);
            said.push(format!("Last is {name} with {}, {than}.", short(measure, *figure)));
        }
        let rounds = table.rows.iter().map(|row| common(row.rounds(measure), row.rounds(measure)));
        let most = rounds.map(Iterator::count).max().unwrap_or(0);
        if most < ROUNDS_MIN && ranked.len() > 1 {
            said.push(format!(
                "{} cannot tell servers apart: at least {ROUNDS_MIN} are needed.",
                counted(most, "round")
            ));
        }
    }
    if !failed.is_empty() {
        let names: Vec<String> =
            failed.iter().map(|(name, why)| format!("{name} ({why})")).collect();
        said.push(format!("Not ranked: {}.", listed(&names)));
    }
    if !absent.is_empty() {
        said.push(format!("Without this figure: {}.", listed(absent)));
    }
    said.join(" ")
}

/// Who is first, alone or not.
fn leaders(measure: Measure, first: &Group, is_all: bool) -> String {
    let figures: Vec<String> = first
        .members
        .iter()
        .map(|(name, figure)| format!("{name} ({})", short(measure, *figure)))
        .collect();
    match first.members.as_slice() {
        [(name, figure)] => {
            format!("{name} is first: {} ({}).", short(measure, *figure), of(measure))
        }
        _ if is_all => format!(
            "The rounds tell no server from another ({}): {}.",
            of(measure),
            listed(&figures)
        ),
        all => {
            let count = all.len();
            format!(
                "{count} servers share the first place, for the rounds do not tell them apart ({}): {}.",
                of(measure),
                listed(&figures)
            )
        }
    }
}

/// What `figure` is beside the best.
fn compared(measure: Measure, best: f64, figure: f64) -> String {
    match measure {
        Measure::Answered
        | Measure::Saturation
        | Measure::Balance
        | Measure::Fairness
        | Measure::Lost => format!("where the first has {}", short(measure, best)),
        _ if best <= 0.0 => format!("where the first has {}", short(measure, best)),
        _ => format!("{} as much as the first", times(factor(measure, best, figure))),
    }
}

/// Which of the groups it is in, from 0 on; who failed is behind all, together.
pub(super) fn standing(ranking: &Ranking, name: &str) -> Option<usize> {
    let is_in = |group: &Group| group.members.iter().any(|(member, _)| member == name);
    let failed = || ranking.failed.iter().any(|(failed, _)| failed == name);
    ranking.groups.iter().position(is_in).or_else(|| failed().then_some(ranking.groups.len()))
}

impl Ranking {
    /// Its place from 1 on, that of its group; nothing if it is not ranked.
    #[must_use]
    pub fn place(&self, contestant: &str) -> Option<usize> {
        let ranked = standing(self, contestant).filter(|group| *group < self.groups.len());
        ranked.map(|group| group + 1)
    }

    /// Median over the rounds of who is ranked.
    #[must_use]
    pub fn figure(&self, contestant: &str) -> Option<f64> {
        let mut members = self.groups.iter().flat_map(|group| &group.members);
        members.find(|(name, _)| name == contestant).map(|(_, figure)| *figure)
    }
}
