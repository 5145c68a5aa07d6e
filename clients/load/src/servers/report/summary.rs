//! What a run says, in a few sentences made from its figures.

use palco_measure::report::Grade;

use super::ranking::standing;
use super::words::{counted, listed, short, times};
use super::{ControlRow, ServersReport};
use crate::report::number;
use crate::servers::contestant::{Dialect, Origin};
use crate::servers::workload::{Measure, Workload};

/// Designs whose costs the books compare: a process for each connection, and a pool of them.
const FORK_AND_POOL: [(&str, [&str; 2]); 2] = [
    ("in C", ["C fork per connection", "C processes in accept"]),
    ("in palco", ["palco per-connection × process", "palco team × process"]),
];

impl ServersReport {
    /// What it says, in three to six sentences.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let said = [self.what_was_asked(), self.fork_against_pool(), self.beside_the_floor()];
        let said = said.into_iter().chain([self.nobody_is_always_first(), self.reversed()]);
        said.chain([self.who_stops()]).flatten().collect()
    }

    fn what_was_asked(&self) -> Option<String> {
        let of = |origin| self.contestants.iter().filter(|one| one.origin == origin).count();
        let works: std::collections::BTreeSet<Workload> =
            self.tables.iter().map(|table| table.workload).collect();
        Some(format!(
            "{} ({} of palco, {} in C, {} of others) under {} of work, {} each; the machine's grade is {:?}, {}.{}",
            counted(self.contestants.len(), "server design"),
            of(Origin::Palco),
            of(Origin::C),
            of(Origin::Peer),
            counted(works.len(), "kind"),
            counted(self.rounds, "round"),
            self.grade,
            quietness(self.grade),
            if self.opt_level == "0" {
                " palco was built WITHOUT OPTIMISATION: its figures mean nothing."
            } else {
                ""
            },
        ))
    }

    fn control_of(&self, name: &str) -> Option<&ControlRow> {
        self.control.iter().find(|row| row.contestant == name)
    }

    fn fork_against_pool(&self) -> Option<String> {
        let said = FORK_AND_POOL.iter().filter_map(|(whose, [fork, pool])| {
            let control = |name| self.control_of(name)?.control_us;
            let (fork, pool) = (control(fork)?, control(pool)?);
            let by = if pool.min > 0.0 {
                format!("a factor of {}", number(fork.median / pool.median))
            } else {
                "which in some rounds is nothing".to_owned()
            };
            let [fork, pool] = [fork, pool].map(|of| short(Measure::Cpu, of.median));
            Some(format!("{whose} {fork} against {pool}, {by}"))
        });
        let said: Vec<String> = said.collect();
        (!said.is_empty()).then(|| {
            format!(
                "Process control of a process for each connection against that of a pool of processes: {} (Stevens: a \
                 factor of 10 or more).",
                said.join("; ")
            )
        })
    }

    fn beside_the_floor(&self) -> Option<String> {
        let mut ratios: Vec<(&str, f64)> = self
            .control
            .iter()
            .filter(|row| self.is_of(&row.contestant, Origin::Palco))
            .filter_map(|row| Some((row.contestant.as_str(), row.by_floor?.median)))
            .collect();
        ratios.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (worst, ratio) = ratios.last()?;
        let met = ratios.iter().filter(|(_, of)| *of <= super::control::BY_FLOOR_MAX).count();
        let met = if met == 0 { "none".to_owned() } else { met.to_string() };
        Some(format!(
            "Of {} with a C program of the same design beside them, {met} cost at most {} times its CPU for a short \
             connection; the dearest, {worst}, costs {}.",
            counted(ratios.len(), "palco server"),
            super::control::BY_FLOOR_MAX,
            times(*ratio),
        ))
    }

    fn is_of(&self, name: &str, origin: Origin) -> bool {
        self.contestant(name).is_some_and(|one| one.origin == origin)
    }

    /// In the plain dialect, which all designs speak.
    fn nobody_is_always_first(&self) -> Option<String> {
        let plain = || self.rankings.iter().filter(|of| of.dialect == Dialect::Plain);
        let works = plain().count();
        let firsts = |name: &str| plain().filter(|of| standing(of, name) == Some(0)).count();
        let names = self.contestants.iter().map(|one| (one.name.as_str(), firsts(&one.name)));
        let names: Vec<(&str, usize)> = names.collect();
        let most = names.iter().map(|(_, count)| *count).max()?;
        if works < 2 || most == 0 {
            return None;
        }
        let who = names.iter().filter(|(_, count)| *count == most);
        let who: Vec<String> = who.map(|(name, _)| (*name).to_owned()).collect();
        let among = format!("among the first under {most} of {works} kinds of work");
        Some(if most == works {
            format!("{} {} {among}.", listed(&who), if who.len() == 1 { "is" } else { "are" })
        } else {
            format!("No server is first everywhere; most often {}: {among}.", listed(&who))
        })
    }

    fn reversed(&self) -> Option<String> {
        let strongest = self.reversals.first()?;
        let pairs = counted(self.reversals.len(), "pair");
        Some(format!("The ranking reverses between {pairs} of workloads. {}", strongest.sentence))
    }

    /// Who clients that never end their request stop.
    fn who_stops(&self) -> Option<String> {
        let table = self.table(Workload::Slowloris, Dialect::Plain)?;
        let measured = table.rows.iter().filter_map(|row| {
            Some((row.contestant.clone(), row.spread(Measure::Answered)?.median))
        });
        let (stopped, alive): (Vec<_>, Vec<_>) = measured.partition(|(_, share)| *share < 0.5);
        let names: Vec<String> = stopped.into_iter().map(|(name, _)| name).collect();
        (!names.is_empty()).then(|| {
            format!(
                "Sixteen clients that never end their request stop {} of {} for everybody else: {}.",
                names.len(),
                counted(names.len() + alive.len(), "server"),
                listed(&names)
            )
        })
    }
}

/// What a grade means to who reads the figures.
const fn quietness(grade: Grade) -> &'static str {
    match grade {
        Grade::A => "quiet",
        Grade::B => "somebody else was at work",
        Grade::C => "busy: medians may stand, tails do not",
    }
}
