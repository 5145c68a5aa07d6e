//! The network: how long a message takes, whether it comes, and how often.
//!
//! | file | what |
//! |---|---|
//! | `network/weather.rs` | [`Weather`]: what is wrong with it at the moment |
//! | `network/size.rs` | [`bytes_of`]: how long a message is, without encoding it |

mod size;
mod weather;

use std::time::Duration;

use palco_core::Time;

use crate::random::{Random, Stream};
use crate::scenario::Scenario;

pub(crate) use size::bytes_of;
pub(crate) use weather::{Cut, Trouble, TroubleId, Weather};

/// Which machine: identities change, machines and their links stay.
pub(crate) type Machine = u32;

/// All links.
#[derive(Debug)]
pub(crate) struct Network {
    random: Random,
    delay: (Duration, Duration),
    bandwidth: u64,
    machines: usize,
    /// Per pair, until when the link is busy with what was sent before.
    busy: Vec<Time>,
    /// What is wrong.
    pub(crate) weather: Weather,
}

/// When the copies of a message arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    /// None: it is lost.
    pub(crate) first: Option<Time>,
    /// It comes twice.
    pub(crate) second: Option<Time>,
}

/// Of this many ordinary delays is the time by which a message is overtaken, or its double late.
const LATE_FACTOR_MAX: u32 = 200;

/// How much longer everything takes on a slow machine.
pub(crate) const SLOW_FACTOR: u32 = 100;

impl Network {
    /// Without anything wrong.
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let machines = scenario.nodes as usize;
        Self {
            random: Random::new(seed, Stream::Network),
            delay: scenario.delay,
            bandwidth: scenario.bandwidth.max(1),
            machines,
            busy: vec![Time::START; machines * machines],
            weather: Weather::new(machines),
        }
    }

    /// A message leaves.
    pub(crate) fn send(&mut self, now: Time, from: Machine, to: Machine, bytes: u64) -> Arrivals {
        let link = from as usize * self.machines + to as usize;
        let sending = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / self.bandwidth);
        let sent = self.busy[link].max(now) + sending;
        self.busy[link] = sent;
        let mut delay = self.random.between(self.delay.0, self.delay.1);
        if self.weather.is_fair() {
            return Arrivals { first: Some(sent + delay), second: None };
        }
        if self.weather.is_cut(from, to) || self.random.percent(self.weather.loss()) {
            return Arrivals::default();
        }
        if self.weather.is_slow(from) || self.weather.is_slow(to) {
            delay *= SLOW_FACTOR;
        }
        if self.random.percent(self.weather.reorder()) {
            delay *= self.late();
        }
        let second = self.random.percent(self.weather.duplicate()).then(|| {
            let usual = self.random.between(self.delay.0, self.delay.1);
            sent + usual * self.late()
        });
        Arrivals { first: Some(sent + delay), second }
    }

    fn late(&mut self) -> u32 {
        1 + self.random.below(u64::from(LATE_FACTOR_MAX)) as u32
    }
}

#[cfg(test)]
mod tests;
