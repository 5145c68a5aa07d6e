//! The figures behind a gate.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::{Acted, Excess, Limit};
use crate::spec::{Limits, Rate};

/// How long a reading of the machine's load is good for; the kernel makes one every five seconds.
const LOAD_GOOD_FOR: Duration = Duration::from_secs(1);
/// Addresses whose recent starts are remembered; beyond that the table is swept of those without any.
const SOURCES_MAX: usize = 65_536;

#[derive(Debug)]
pub(super) struct Book {
    pub(super) limits: Limits,
    pub(super) active: u32,
    pub(super) waiting: u32,
    starts: Starts,
    sources: HashMap<IpAddr, OfSource>,
    load: Option<(Instant, u32)>,
    acted: [Acted; Limit::ALL.len()],
}

/// What is known of one client's address.
#[derive(Debug, Default)]
struct OfSource {
    active: u32,
    starts: Starts,
}

/// The latest starts, as many as a rate counts.
#[derive(Debug, Default)]
struct Starts(VecDeque<Instant>);

impl Starts {
    /// When the next start is within the rate; `None` is now.
    fn next(&mut self, rate: Rate, now: Instant) -> Option<Instant> {
        while self.0.front().is_some_and(|first| now.saturating_duration_since(*first) >= rate.per)
        {
            self.0.pop_front();
        }
        let full = self.0.len() >= rate.count.max(1) as usize;
        // The rate may have been lowered: as many as there are too many have to be forgotten first.
        let too_many = self.0.len().saturating_sub(rate.count.max(1) as usize);
        full.then(|| self.0.get(too_many).map(|first| *first + rate.per)).flatten()
    }
}

impl Book {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            active: 0,
            waiting: 0,
            starts: Starts::default(),
            sources: HashMap::new(),
            load: None,
            acted: Default::default(),
        }
    }

    /// What stands against a start, in the order of what lasts longest. Without a source only what holds for everybody.
    pub(super) fn excess(&mut self, source: Option<IpAddr>, now: Instant) -> Option<Excess> {
        let excess = |limit, action, until| Some(Excess { limit, action, until });
        if let Some(load) = self.limits.load
            && self.load(now) > load.max
        {
            return excess(Limit::Load, load.action, Some(now + LOAD_GOOD_FOR));
        }
        let instances = self.limits.instances;
        if self.active >= instances.max.max(1) {
            return excess(Limit::Instances, instances.action, None);
        }
        if let Some(rate) = self.limits.rate
            && let Some(until) = self.starts.next(rate.max, now)
        {
            return excess(Limit::Rate, rate.action, Some(until));
        }
        let known = self.sources.get_mut(&source?)?;
        if let Some(per_source) = self.limits.per_source
            && known.active >= per_source.max.max(1)
        {
            return excess(Limit::PerSource, per_source.action, None);
        }
        if let Some(rate) = self.limits.rate_per_source
            && let Some(until) = known.starts.next(rate.max, now)
        {
            return excess(Limit::RatePerSource, rate.action, Some(until));
        }
        None
    }

    /// Counts a start.
    pub(super) fn enter(&mut self, source: Option<IpAddr>, now: Instant) {
        self.count_in(source);
        if self.limits.rate.is_some() {
            self.starts.0.push_back(now);
        }
        if self.limits.rate_per_source.is_some()
            && let Some(known) = source.and_then(|source| self.sources.get_mut(&source))
        {
            known.starts.0.push_back(now);
        }
    }

    /// Counts an instance, which is no start.
    pub(super) fn count_in(&mut self, source: Option<IpAddr>) {
        self.active += 1;
        let Some(source) = source.filter(|_| self.counts_sources()) else { return };
        if self.sources.len() >= SOURCES_MAX {
            let now = Instant::now();
            let per = self.limits.rate_per_source.map_or(Duration::ZERO, |rate| rate.max.per);
            self.sources.retain(|_, known| known.matters(now, per));
        }
        self.sources.entry(source).or_default().active += 1;
    }

    /// Counts an end.
    pub(super) fn count_out(&mut self, source: Option<IpAddr>) {
        self.active -= 1;
        let Some(source) = source else { return };
        let Some(known) = self.sources.get_mut(&source) else { return };
        // It may have begun before sources were counted.
        known.active = known.active.saturating_sub(1);
        if known.active == 0 && known.starts.0.is_empty() {
            self.sources.remove(&source);
        }
    }

    fn counts_sources(&self) -> bool {
        self.limits.per_source.is_some() || self.limits.rate_per_source.is_some()
    }

    /// The load of the last minute, times 100; 0 where it cannot be read.
    fn load(&mut self, now: Instant) -> u32 {
        match self.load {
            Some((at, load)) if now.saturating_duration_since(at) < LOAD_GOOD_FOR => load,
            Some(_) | None => {
                let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
                let load = parse_load(&text).unwrap_or(0);
                self.load = Some((now, load));
                load
            }
        }
    }

    pub(super) fn acted(&self, limit: Limit) -> Acted {
        self.acted[limit as usize]
    }

    pub(super) fn acted_mut(&mut self, limit: Limit) -> &mut Acted {
        &mut self.acted[limit as usize]
    }
}

impl OfSource {
    fn matters(&self, now: Instant, per: Duration) -> bool {
        let last = self.starts.0.back();
        self.active > 0 || last.is_some_and(|last| now.saturating_duration_since(*last) < per)
    }
}

/// The first field of /proc/loadavg, as `0.42`.
fn parse_load(text: &str) -> Option<u32> {
    let (whole, hundredths) = text.split_ascii_whitespace().next()?.split_once('.')?;
    let hundredths: u32 = hundredths.get(..2)?.parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_read_in_hundredths() {
        assert_eq!(parse_load("12.34 0.10 0.05 1/200 4711\n"), Some(1234));
        assert_eq!(parse_load("junk"), None);
        assert_eq!(parse_load(""), None);
    }
}
