//! Which server to choose for which work: the rankings on one line each.

use super::words::{listed, of, short};
use super::{Ranking, ServersReport};
use crate::report::Section;
use crate::servers::contestant::Origin;

const HEAD: [&str; 6] =
    ["work", "spoken", "what decides", "first", "best of palco", "last, and who fails"];

impl ServersReport {
    /// A line for each ranking.
    pub(super) fn choices(&self) -> Section {
        let rows = self.rankings.iter().map(|ranking| {
            vec![
                ranking.workload.title().to_owned(),
                ranking.dialect.name().to_owned(),
                of(ranking.measure).to_owned(),
                firsts(ranking),
                self.best_of_palco(ranking),
                last(ranking),
            ]
        });
        Section {
            title: "Which server for which work".to_owned(),
            head: HEAD.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        }
    }

    fn best_of_palco(&self, ranking: &Ranking) -> String {
        let is_palcos =
            |name: &str| self.contestant(name).is_some_and(|one| one.origin == Origin::Palco);
        let has_palcos =
            |group: &&super::Group| group.members.iter().any(|(name, _)| is_palcos(name));
        let Some(group) = ranking.groups.iter().find(has_palcos) else { return "–".to_owned() };
        said(ranking, group.members.iter().filter(|(name, _)| is_palcos(name)))
    }
}

fn firsts(ranking: &Ranking) -> String {
    ranking
        .groups
        .first()
        .map_or_else(|| "nobody".to_owned(), |first| said(ranking, first.members.iter()))
}

fn last(ranking: &Ranking) -> String {
    let last = ranking.groups.split_first().and_then(|(_, others)| others.last());
    // The worst of them first: its figure stands for them.
    let last = last.map(|group| said(ranking, group.members.iter().rev()));
    let failed: Vec<String> = ranking.failed.iter().map(|(name, _)| name.clone()).collect();
    let failed = (!failed.is_empty()).then(|| format!("fails: {}", listed(&failed)));
    last.into_iter().chain(failed).collect::<Vec<_>>().join("; ")
}

/// The figure of the first, and who shares its place.
fn said<'a>(ranking: &Ranking, members: impl Iterator<Item = &'a (String, f64)>) -> String {
    let members: Vec<&(String, f64)> = members.collect();
    let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
    let figure = members.first().map(|(_, figure)| short(ranking.measure, *figure));
    format!("{}: {}", figure.unwrap_or_default(), listed(&names))
}
