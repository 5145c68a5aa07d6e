//! Pairs of workloads that want different architectures.

use super::judge::{FACTOR_MAX, factor};
use super::ranking::{standing, tells_apart};
use super::words::{of, short, times};
use super::{ContestantFacts, Ranking, Reversal, ServersTable};
use crate::servers::contestant::Origin;

/// Kendall's tau-b below which two rankings are against each other.
const TAU_MAX: f64 = -0.2;
/// How much worse the best of the one must be under the other, where nobody is among the first of both.
const WORSE_MIN: f64 = 1.5;
/// Pairs of servers that are looked at for one that the rounds tell apart on both sides.
const PAIRS_MAX: usize = 20;

/// One kind of work with its ranking.
struct Side<'a> {
    table: &'a ServersTable,
    ranking: &'a Ranking,
}

/// Two servers, each better on one side.
struct Pair<'a> {
    first: &'a str,
    second: &'a str,
    weight: f64,
}

/// All by dialect, the strongest first.
pub(super) fn reversals(
    tables: &[ServersTable],
    rankings: &[Ranking],
    contestants: &[ContestantFacts],
    seed: u64,
) -> Vec<Reversal> {
    let side = |ranking| {
        let of_ranking = |table: &&ServersTable| Side::is_same(table, ranking);
        tables.iter().find(of_ranking).map(|table| Side { table, ranking })
    };
    let sides: Vec<Side<'_>> = rankings.iter().filter_map(side).collect();
    let mut found = Vec::new();
    for (number, first) in sides.iter().enumerate() {
        for second in &sides[number + 1..] {
            if first.table.dialect == second.table.dialect {
                found.extend(reversal(first, second, contestants, seed));
            }
        }
    }
    found.sort_by(|a, b| a.dialect.cmp(&b.dialect).then(a.tau.total_cmp(&b.tau)));
    found
}

fn reversal(
    first: &Side<'_>,
    second: &Side<'_>,
    contestants: &[ContestantFacts],
    seed: u64,
) -> Option<Reversal> {
    let of_both = |one: &ContestantFacts| {
        let both = standing(first.ranking, &one.name).zip(standing(second.ranking, &one.name))?;
        Some((one.name.clone(), one.origin, both))
    };
    let both: Vec<_> = contestants.iter().filter_map(of_both).collect();
    let standings: Vec<(usize, usize)> = both.iter().map(|(_, _, both)| *both).collect();
    let tau = tau_b(&standings);
    let is_against = tau.is_some_and(|tau| tau < TAU_MAX) || first.is_at_odds(second);
    if !is_against {
        return None;
    }
    let mut pairs = Vec::new();
    for (a, origin_of_a, at_a) in &both {
        for (b, origin_of_b, at_b) in &both {
            if at_a.0 < at_b.0 && at_b.1 < at_a.1 {
                let least = first.factor(a, b).min(second.factor(b, a)).min(100.0);
                // Who is first, and who differs in nothing but the architecture, says more: each counts twice.
                let is_first = at_a.0 == 0 && at_b.1 == 0;
                let is_kin = origin_of_a == origin_of_b && *origin_of_a != Origin::Peer;
                let twice = |so: bool| if so { 2.0 } else { 1.0 };
                let weight = least * twice(is_first) * twice(is_kin);
                pairs.push(Pair { first: a, second: b, weight });
            }
        }
    }
    pairs.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut likely = pairs.iter().take(PAIRS_MAX);
    let pair = likely.find(|pair| {
        first.is_better(pair.first, pair.second, seed)
            && second.is_better(pair.second, pair.first, seed)
    })?;
    let sentence = format!(
        "Under “{}” {}; under “{}” it is the other way round: {}.",
        first.table.workload.title(),
        first.said(pair.first, pair.second),
        second.table.workload.title(),
        second.said(pair.second, pair.first),
    );
    Some(Reversal {
        dialect: first.table.dialect,
        first: first.table.workload,
        second: second.table.workload,
        tau: tau.unwrap_or(0.0),
        sentence,
    })
}

impl Side<'_> {
    fn is_same(table: &ServersTable, ranking: &Ranking) -> bool {
        (table.workload, table.dialect) == (ranking.workload, ranking.dialect)
    }

    fn firsts(&self) -> impl Iterator<Item = &str> {
        let first = self.ranking.groups.first();
        first.into_iter().flat_map(|group| group.members.iter().map(|(name, _)| name.as_str()))
    }

    /// Nobody is among the first of both, and the best of each is much worse under the other.
    fn is_at_odds(&self, other: &Self) -> bool {
        let is_first_of_both = self.firsts().any(|name| other.firsts().any(|one| one == name));
        let (Some(own), Some(others)) = (self.firsts().next(), other.firsts().next()) else {
            return false;
        };
        !is_first_of_both
            && self.factor(own, others) > WORSE_MIN
            && other.factor(others, own) > WORSE_MIN
    }

    /// How many times better `a` is than `b`, if both were asked; who failed is worse than anybody.
    fn factor(&self, a: &str, b: &str) -> f64 {
        match (self.ranking.figure(a), self.ranking.figure(b)) {
            (Some(a), Some(b)) => factor(self.ranking.measure, a, b),
            (Some(_), None) if self.failed(b).is_some() => FACTOR_MAX,
            _ => 0.0,
        }
    }

    fn failed(&self, name: &str) -> Option<&str> {
        let mut failed = self.ranking.failed.iter();
        failed.find(|(failed, _)| failed == name).map(|(_, why)| why.as_str())
    }

    fn is_better(&self, a: &str, b: &str, seed: u64) -> bool {
        if self.failed(b).is_some() {
            return self.ranking.figure(a).is_some();
        }
        let rows = self.table.row(a).zip(self.table.row(b));
        rows.is_some_and(|(a, b)| tells_apart(self.table, a, b, seed))
    }

    /// `a is better than b (…)`.
    fn said(&self, a: &str, b: &str) -> String {
        let measure = self.ranking.measure;
        let figure = |name: &str| match (self.ranking.figure(name), self.failed(name)) {
            (Some(figure), _) => short(measure, figure),
            (None, why) => why.unwrap_or("no figure").to_owned(),
        };
        let by = match (self.ranking.figure(a), self.ranking.figure(b)) {
            (Some(of_a), Some(of_b)) if of_a > 0.0 && of_b > 0.0 => {
                format!(", {}", times(factor(measure, of_a, of_b)))
            }
            _ => String::new(),
        };
        format!("{a} is better than {b} ({}: {} against {}{by})", of(measure), figure(a), figure(b))
    }
}

/// Kendall's tau-b (Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945) of pairs of ranks; nothing
/// where all are tied on one side.
fn tau_b(ranks: &[(usize, usize)]) -> Option<f64> {
    let (mut with, mut against, mut untied_first, mut untied_second) = (0.0, 0.0, 0.0, 0.0);
    for (number, a) in ranks.iter().enumerate() {
        for b in &ranks[number + 1..] {
            let (first, second) = (a.0.cmp(&b.0), a.1.cmp(&b.1));
            untied_first += f64::from(u8::from(first.is_ne()));
            untied_second += f64::from(u8::from(second.is_ne()));
            if first.is_ne() && second.is_ne() {
                if first == second { with += 1.0 } else { against += 1.0 }
            }
        }
    }
    let size: f64 = f64::sqrt(untied_first * untied_second);
    (size > 0.0).then(|| (with - against) / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tau_is_one_of_the_same_and_minus_one_of_the_opposite() {
        assert_eq!(tau_b(&[(0, 0), (1, 1), (2, 2)]), Some(1.0));
        assert_eq!(tau_b(&[(0, 2), (1, 1), (2, 0)]), Some(-1.0));
        assert_eq!(tau_b(&[(0, 0), (0, 1)]), None);
        assert_eq!(tau_b(&[]), None);
    }

    #[test]
    fn ties_make_tau_smaller() {
        // scipy.stats.kendalltau([0, 0, 1, 2], [0, 1, 1, 2]) is 0.8.
        let tau = tau_b(&[(0, 0), (0, 1), (1, 1), (2, 2)]).unwrap();
        assert!((tau - 0.8).abs() < 1e-12, "{tau}");
    }
}
