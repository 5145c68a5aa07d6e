//! One fault after the other, begun and ended: what is done to whom.

mod shift;
mod split;

use std::time::Duration;

use palco_measure::Chance;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::schedule::Planned;
use crate::{Fault, VerifyError};

/// A fault that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Stretch {
    /// Of which kind.
    pub fault: Fault,
    /// To whom, and what came of it.
    pub what: String,
    /// From when, since the start of the run.
    pub from: Duration,
    /// Until when everything was as before, but for what nodes still had to catch up.
    pub until: Duration,
    /// Whether a majority of the members was left alone: then clients must be served.
    pub keeps_quorum: bool,
}

/// Who stands between faults and the run around them.
pub(crate) trait Watch {
    /// Since the start.
    fn now(&self) -> Duration;

    /// Waits until then; `false` when the run is to end at once.
    fn wait_until(&mut self, then: Duration) -> bool;

    /// A fault begins, or none is there any more.
    fn tell(&mut self, fault: Option<(Fault, &str)>);
}

/// Makes one fault, from its beginning to its end. Nothing when it cannot be made now without losing what no protocol could
/// keep.
///
/// # Errors
/// What the system refused; or a node did not come back.
pub(crate) fn strike(
    cluster: &mut Cluster,
    planned: &Planned,
    watch: &mut dyn Watch,
) -> Result<Option<Stretch>, VerifyError> {
    let mut chance = Chance::named(planned.lot, planned.fault.name());
    let (members, lost) = cluster.members();
    // Who was wiped must have been replaced, or nobody could tell a lost value from a value that was given up.
    if members.is_empty() || lost > 0 {
        return Ok(None);
    }
    let victims = victims(cluster.nodes.len(), &members, planned, &mut chance);
    let hit = members.iter().filter(|member| victims.contains(member)).count();
    let mut act = Act { cluster, planned, watch, members, victims, keeps_quorum: false };
    act.keeps_quorum = hit * 2 < act.members.len();
    let from = act.watch.now();
    let what = match planned.fault {
        Fault::Kill => act.kill(&mut chance)?,
        Fault::Pause => act.pause(&mut chance)?,
        Fault::Partition => act.partition(&mut chance)?,
        Fault::Replace => act.replace(&mut chance),
        Fault::Storm => act.storm(&mut chance),
        Fault::Wipe => act.wipe()?,
        Fault::DiskFull => act.disk_full()?,
        Fault::LostTail => act.lost_tail()?,
    };
    let keeps_quorum = act.keeps_quorum;
    let until = watch.now();
    watch.tell(None);
    Ok(Some(Stretch { fault: planned.fault, what, from, until, keeps_quorum }))
}

/// Whom it hits: one, some, or more than a minority of the members; now and then somebody who is none.
fn victims(nodes: usize, members: &[usize], planned: &Planned, chance: &mut Chance) -> Vec<usize> {
    let mut order = members.to_vec();
    chance.shuffle(&mut order);
    let minority = (members.len() - 1) / 2;
    let is_alone = matches!(planned.fault, Fault::Wipe | Fault::DiskFull);
    let count = match (is_alone, planned.is_wide, planned.fault) {
        (true, _, _) => 1,
        // The whole room is dark.
        (_, true, Fault::LostTail) => return (0..nodes).collect(),
        (_, true, _) => minority + 1 + chance.below(members.len() - minority),
        (_, false, _) => 1 + chance.below(minority.max(1)),
    };
    if count == 1 && chance.below(5) == 0 {
        let others: Vec<_> = (0..nodes).filter(|node| !members.contains(node)).collect();
        if !others.is_empty() {
            return vec![others[chance.below(others.len())]];
        }
    }
    order.truncate(count);
    order.sort_unstable();
    order
}

/// A fault that is being made.
struct Act<'a> {
    cluster: &'a mut Cluster,
    planned: &'a Planned,
    watch: &'a mut dyn Watch,
    members: Vec<usize>,
    victims: Vec<usize>,
    keeps_quorum: bool,
}

impl Act<'_> {
    fn names(&self, places: &[usize]) -> String {
        let names: Vec<_> =
            places.iter().map(|place| self.cluster.nodes[*place].name.as_str()).collect();
        names.join(", ")
    }

    fn begin(&mut self, what: &str) {
        self.watch.tell(Some((self.planned.fault, what)));
    }

    /// Until its time is over; in the middle of it, members may change.
    fn last(&mut self, chance: &mut Chance) -> String {
        let end = self.watch.now() + self.planned.lasts;
        if !self.planned.is_paired {
            self.watch.wait_until(end);
            return String::new();
        }
        let middle = self.watch.now() + self.planned.lasts / 3;
        let mut more = String::new();
        if self.watch.wait_until(middle) {
            more = format!("; meanwhile {}", self.shift(chance));
        }
        self.watch.wait_until(end);
        more
    }

    fn start_again(&mut self) -> Result<(), VerifyError> {
        let victims = self.victims.clone();
        victims.into_iter().try_for_each(|victim| self.cluster.start_node(victim, false))
    }

    fn kill(&mut self, chance: &mut Chance) -> Result<String, VerifyError> {
        let what = format!("{} killed", self.names(&self.victims));
        self.begin(&what);
        for victim in &self.victims {
            self.cluster.nodes[*victim].kill();
        }
        let more = self.last(chance);
        self.start_again()?;
        Ok(what + &more)
    }

    fn pause(&mut self, chance: &mut Chance) -> Result<String, VerifyError> {
        let time = self.planned.lasts.as_secs_f64();
        let what = format!("{} paused for {time:.1} s", self.names(&self.victims));
        self.begin(&what);
        for victim in &self.victims {
            self.cluster.nodes[*victim].pause(true)?;
        }
        let more = self.last(chance);
        for victim in &self.victims {
            self.cluster.nodes[*victim].pause(false)?;
        }
        Ok(what + &more)
    }

    fn wipe(&mut self) -> Result<String, VerifyError> {
        let victim = self.victims[0];
        let name = self.cluster.nodes[victim].name.clone();
        let was_member = self.members.contains(&victim);
        self.begin(&format!("{name} wiped"));
        self.cluster.nodes[victim].kill();
        let program = self.cluster.program.clone();
        self.cluster.nodes[victim].wipe(&program)?;
        let end = self.watch.now() + self.planned.lasts;
        self.watch.wait_until(end);
        self.cluster.let_in(victim);
        self.cluster.start_node(victim, false)?;
        if was_member {
            self.take_own_place(victim)?;
        }
        let came = if was_member { "took its place" } else { "was no member" };
        Ok(format!("{name} lost its directory, came back as somebody new and {came}"))
    }

    fn disk_full(&mut self) -> Result<String, VerifyError> {
        let victim = self.victims[0];
        let name = self.cluster.nodes[victim].name.clone();
        self.begin(&format!("{name} has a full disk"));
        let node = &mut self.cluster.nodes[victim];
        if let Some(disk) = &node.disk {
            disk.fill()?;
        }
        let end = self.watch.now() + self.planned.lasts;
        self.watch.wait_until(end);
        let node = &mut self.cluster.nodes[victim];
        let came = if node.runs() { "ran on" } else { "stopped" };
        node.kill();
        if let Some(disk) = &node.disk {
            disk.free()?;
        }
        self.start_again()?;
        Ok(format!("{name} had a full disk and {came}; started again"))
    }

    fn lost_tail(&mut self) -> Result<String, VerifyError> {
        let what = format!("power cut of {}", self.names(&self.victims));
        self.begin(&what);
        for victim in &self.victims {
            self.cluster.nodes[*victim].kill();
        }
        for victim in &self.victims {
            if let Some(disk) = &self.cluster.nodes[*victim].disk {
                disk.cut_power()?;
            }
        }
        let end = self.watch.now() + self.planned.lasts;
        self.watch.wait_until(end);
        self.start_again()?;
        Ok(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(fault: Fault, is_wide: bool) -> Planned {
        let (at, lasts) = (Duration::ZERO, Duration::from_secs(1));
        Planned { at, lasts, fault, is_wide, is_paired: false, lot: 0 }
    }

    #[test]
    fn only_wide_faults_take_the_quorum() {
        for seed in 0..500 {
            let mut chance = Chance::named(seed, "victims");
            for (nodes, members) in [(4, 3), (7, 5), (2, 1), (1, 1)] {
                let members: Vec<_> = (0..members).collect();
                let mut hit = |fault, is_wide| {
                    let victims = victims(nodes, &members, &planned(fault, is_wide), &mut chance);
                    assert!(!victims.is_empty() && victims.iter().all(|victim| *victim < nodes));
                    victims.iter().filter(|victim| members.contains(victim)).count()
                };
                let majority = members.len() / 2 + 1;
                assert!(hit(Fault::Pause, true) >= majority || members.len() == 1);
                assert!(hit(Fault::Kill, false) < majority || members.len() == 1);
                assert!(hit(Fault::Wipe, true) <= 1);
                assert_eq!(hit(Fault::LostTail, true), members.len());
            }
        }
    }
}
