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
                self.firsts(ranking),
                self.best_of_palco(ranking),
                self.worst(ranking),
            ]
        });
        Section {
            title: "Which server for which work".to_owned(),
            head: HEAD.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        }
    }

    fn firsts(&self, ranking: &Ranking) -> String {
        let Some(first) = ranking.groups.first() else { return "nobody".to_owned() };
        let names: Vec<String> = first.members.iter().map(|(name, _)| name.clone()).collect();
        let best = first.members.first().map(|(_, figure)| short(ranking.measure, *figure));
        format!("{}: {}", listed(&names), best.unwrap_or_default())
    }

    fn best_of_palco(&self, ranking: &Ranking) -> String {
        let is_palcos =
            |name: &str| self.contestant(name).is_some_and(|one| one.origin == Origin::Palco);
        let has_palcos =
            |group: &&super::Group| group.members.iter().any(|(name, _)| is_palcos(name));
        let Some(group) = ranking.groups.iter().find(has_palcos) else { return "–".to_owned() };
        let own = group.members.iter().filter(|(name, _)| is_palcos(name));
        let own: Vec<&(String, f64)> = own.collect();
        let names: Vec<String> = own.iter().map(|(name, _)| name.clone()).collect();
        let best = own.first().map(|(_, figure)| short(ranking.measure, *figure));
        format!("{}: {}", listed(&names), best.unwrap_or_default())
    }

    fn worst(&self, ranking: &Ranking) -> String {
        let last =
            ranking.groups.split_first().and_then(|(_, others)| others.last()?.members.last());
        let last =
            last.map(|(name, figure)| format!("{name}: {}", short(ranking.measure, *figure)));
        let failed: Vec<String> = ranking.failed.iter().map(|(name, _)| name.clone()).collect();
        let failed = (!failed.is_empty()).then(|| format!("fails: {}", listed(&failed)));
        last.into_iter().chain(failed).collect::<Vec<_>>().join("; ")
    }
}
