//! Members that change while all goes on.

use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use palco_measure::Chance;

use super::Act;
use crate::VerifyError;
use crate::cluster::RECONFIGURE_WITHIN;
use crate::node::Control;

/// Between two reconfigurations of a storm through one node.
const STORM_PAUSE: Duration = Duration::from_millis(20);

impl Act<'_> {
    /// Other members, once; in words what came of it.
    pub(super) fn shift(&mut self, chance: &mut Chance) -> String {
        let answering = self.cluster.answering();
        let Some(names) = self.draw(&answering, chance) else {
            return "too few nodes ran to change members".to_owned();
        };
        let by = answering[chance.below(answering.len())];
        let wish = ["--members", &names];
        match self.cluster.control(by).reconfigure(&wish, RECONFIGURE_WITHIN) {
            Ok(()) => format!("{names} became members"),
            Err(_) => format!("{names} did not become members"),
        }
    }

    /// As many as there are members now, out of these.
    fn draw(&self, answering: &[usize], chance: &mut Chance) -> Option<String> {
        let mut order = answering.to_vec();
        chance.shuffle(&mut order);
        order.truncate(self.cluster.size);
        order.sort_unstable();
        (order.len() == self.cluster.size).then(|| self.names(&order).replace(' ', ""))
    }

    pub(super) fn replace(&mut self, chance: &mut Chance) -> String {
        self.keeps_quorum = true;
        self.begin("members are replaced");
        let mut what = self.shift(chance);
        let end = self.watch.now() + self.planned.lasts / 2;
        if self.watch.wait_until(end) {
            what = format!("{what}; {}", self.shift(chance));
        }
        what
    }

    /// Two nodes reconfigure at once, again and again.
    pub(super) fn storm(&mut self, chance: &mut Chance) -> String {
        self.keeps_quorum = true;
        self.begin("reconfigurations through two nodes at once");
        let mut answering = self.cluster.answering();
        chance.shuffle(&mut answering);
        let through: Vec<_> = answering.iter().take(2).copied().collect();
        let wishes: Vec<Vec<String>> = through
            .iter()
            .map(|_| (0..8).filter_map(|_| self.draw(&answering, chance)).collect())
            .collect();
        let controls: Vec<_> = through.iter().map(|place| self.cluster.control(*place)).collect();
        let end = Instant::now() + self.planned.lasts;
        let tried = scope(|threads| {
            let storms: Vec<_> = controls
                .iter()
                .zip(&wishes)
                .map(|(control, wishes)| {
                    threads.spawn(move || again_and_again(control, wishes, end))
                })
                .collect();
            let tried = storms.into_iter().map(|storm| storm.join().unwrap_or_default());
            tried.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
        });
        let (installed, refused) = tried;
        let names = self.names(&through);
        format!("{installed} reconfigurations through {names}, {refused} more were not installed")
    }

    /// Who was wiped takes its own place as somebody new.
    pub(super) fn take_own_place(&mut self, place: usize) -> Result<(), VerifyError> {
        let name = self.cluster.nodes[place].name.clone();
        let wish = format!("{name}={name}");
        let what = format!("{name} takes its own place");
        self.cluster.until(&what, |cluster| {
            let others: Vec<_> =
                cluster.answering().into_iter().filter(|other| *other != place).collect();
            let mut replaced = others.into_iter().map(|other| {
                cluster.control(other).reconfigure(&["--replace", &wish], RECONFIGURE_WITHIN)
            });
            // Whether anybody says so or not: what counts is who the members are then.
            let _ = replaced.any(|replaced| replaced.is_ok());
            matches!(cluster.members(), (members, 0) if !members.is_empty())
        })
    }
}

/// How many were installed, and how many not.
fn again_and_again(control: &Control, wishes: &[String], end: Instant) -> (u32, u32) {
    let (mut installed, mut refused) = (0, 0);
    for wish in wishes.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        match control.reconfigure(&["--members", wish], RECONFIGURE_WITHIN) {
            Ok(()) => installed += 1,
            Err(_) => refused += 1,
        }
        sleep(STORM_PAUSE);
    }
    (installed, refused)
}
