//! The stage as it was last seen, and what differs from that.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use palco_actors::{
    ActorId, ActorSnapshot, AnyRef, DeadLetter, Effect, Ledger, Status, System, Time,
};

use crate::lints::{self, Watch};
use crate::log;
use crate::model::{
    ActorView, Delta, Histogram, Letter, Lint, LogEntry, StageSnapshot, Totals, Update,
};

/// For how long those that have ended are shown, in milliseconds.
const GRAVE_MS: u64 = 30_000;

/// How many of them.
const GRAVES_MAX: usize = 100;

/// How many log entries are kept.
const LOG_MAX: usize = 500;

/// The stage as it was last seen.
#[derive(Default)]
pub(crate) struct Picture {
    seq: u64,
    at_ms: u64,
    totals: Totals,
    /// In the order of the tree, the ended ones last.
    order: Vec<ActorId>,
    known: HashMap<ActorId, Known>,
    lints: Vec<Lint>,
    log: VecDeque<LogEntry>,
    /// The number of the latest life event that is in the log.
    events_seen: u64,
    letters_seen: u64,
    letters: VecDeque<Letter>,
}

pub(crate) struct Known {
    pub(crate) any: AnyRef,
    pub(crate) view: ActorView,
    pub(crate) watch: Watch,
    ended_ms: Option<u64>,
}

impl Picture {
    /// Looks; what has changed.
    pub(crate) fn look(&mut self, system: &System) -> Vec<Update> {
        let mut updates = self.look_at_events(system);
        let (survey, ledger) = system.survey();
        let at_ms = now_ms(system);
        let mut changed = Vec::new();
        let mut order = Vec::with_capacity(survey.len());
        for (any, actor) in survey {
            order.push(any.id());
            if let Some(view) = self.see(any, actor, at_ms) {
                changed.push(view);
            }
        }
        let gone = self.bury(&mut order, &mut changed, at_ms);
        self.order = order;
        let totals = self.totals(&ledger);
        let lints = lints::of(system, &self.order, &mut self.known, at_ms, &self.lints);
        let lints = (lints != self.lints).then_some(lints);
        let dead_letters = self.new_letters(system);
        let moved = totals != self.totals;
        self.totals = totals;
        self.at_ms = at_ms;
        if let Some(lints) = &lints {
            self.lints.clone_from(lints);
        }
        let is_news = moved
            || !changed.is_empty()
            || !gone.is_empty()
            || lints.is_some()
            || !dead_letters.is_empty();
        if is_news {
            self.seq += 1;
            let seq = self.seq;
            let delta = Delta { seq, at_ms, totals, changed, gone, lints, dead_letters };
            updates.push(Update::Delta(Arc::new(delta)));
        }
        updates
    }

    /// Enters an actor as it is now; its view, if it has changed.
    fn see(&mut self, any: AnyRef, actor: ActorSnapshot, at_ms: u64) -> Option<ActorView> {
        let view = view_of(&any, actor);
        let ended_ms = (view.actor.status == Status::Ended).then_some(at_ms);
        match self.known.get_mut(&any.id()) {
            Some(known) => {
                let differs = known.view != view;
                known.ended_ms = known.ended_ms.or(ended_ms);
                if differs {
                    known.view = view.clone();
                }
                differs.then_some(view)
            }
            None => {
                let watch = Watch::default();
                let known = Known { any: any.clone(), view: view.clone(), watch, ended_ms };
                self.known.insert(any.id(), known);
                Some(view)
            }
        }
    }

    /// Shows those that have ended for a while, then no longer.
    fn bury(
        &mut self,
        order: &mut Vec<ActorId>,
        changed: &mut Vec<ActorView>,
        at_ms: u64,
    ) -> Vec<ActorId> {
        let living: std::collections::HashSet<ActorId> = order.iter().copied().collect();
        let mut dead: Vec<(u64, ActorId)> = Vec::new();
        for (id, known) in &mut self.known {
            if living.contains(id) {
                continue;
            }
            if known.ended_ms.is_none() {
                known.ended_ms = Some(at_ms);
                known.view = view_of(&known.any, known.any.snapshot());
                changed.push(known.view.clone());
            }
            dead.push((known.ended_ms.unwrap_or(at_ms), *id));
        }
        dead.sort_unstable();
        let too_many = dead.len().saturating_sub(GRAVES_MAX);
        let mut gone = Vec::new();
        for (index, (ended, id)) in dead.into_iter().enumerate() {
            if index < too_many || at_ms.saturating_sub(ended) > GRAVE_MS {
                self.known.remove(&id);
                gone.push(id);
            } else {
                order.push(id);
            }
        }
        changed.retain(|view| !gone.contains(&view.actor.id));
        gone
    }

    fn totals(&self, ledger: &Ledger) -> Totals {
        let living = || self.known.values().filter(|known| known.ended_ms.is_none());
        let own = i32::try_from(std::process::id()).ok().and_then(palco_processes::usage);
        let processes = living().filter_map(|known| known.view.actor.process.as_ref()?.pid);
        Totals {
            actors: living().count() as u64,
            threads: own.as_ref().map_or(0, |own| own.threads.into()),
            processes: processes.count() as u64,
            sent: ledger.sent,
            handled: ledger.handled,
            dropped: ledger.dropped,
            queued: ledger.queued,
            in_flight: ledger.in_flight,
            balanced: ledger.is_balanced(),
            restarts: living().map(|known| u64::from(known.view.actor.restarts)).sum(),
            rss_bytes: own.as_ref().map_or(0, |own| own.rss_bytes),
            cpu_ms: own.as_ref().map_or(0, |own| millis(own.cpu)),
        }
    }

    fn new_letters(&mut self, system: &System) -> Vec<Letter> {
        let (latest, fresh) = system.dead_letters_after(self.letters_seen);
        self.letters_seen = latest;
        let letter = |letter: &DeadLetter| Letter {
            at_ms: ms(letter.at),
            to: letter.to.to_string(),
            message: short(letter.message),
            reason: letter.reason.to_string(),
        };
        let letters: Vec<Letter> = fresh.iter().map(letter).collect();
        self.letters.extend(letters.iter().cloned());
        let too_many = self.letters.len().saturating_sub(LOG_MAX);
        self.letters.drain(..too_many);
        letters
    }

    /// New log entries.
    pub(crate) fn look_at_events(&mut self, system: &System) -> Vec<Update> {
        let events = system.life_events(self.events_seen);
        let mut updates = Vec::new();
        for event in events {
            self.events_seen = event.number;
            self.seq += 1;
            updates.push(self.enter(log::of_event(self.seq, &event)));
        }
        updates
    }

    pub(crate) fn note_action(
        &mut self,
        system: &System,
        who: &str,
        action: &str,
        actor: ActorId,
        path: &str,
        effect: &Effect,
    ) -> Update {
        self.seq += 1;
        let entry = log::of_action(self.seq, now_ms(system), who, action, (actor, path), effect);
        self.enter(entry)
    }

    fn enter(&mut self, entry: LogEntry) -> Update {
        if self.log.len() == LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back(entry.clone());
        Update::Log(Arc::new(entry))
    }

    pub(crate) fn log_since(&self, seq: u64) -> Vec<LogEntry> {
        self.log.iter().filter(|entry| entry.seq > seq).cloned().collect()
    }

    pub(crate) fn snapshot(&self) -> StageSnapshot {
        let actors = self.order.iter().filter_map(|id| self.known.get(id));
        StageSnapshot {
            seq: self.seq,
            at_ms: self.at_ms,
            totals: self.totals,
            actors: actors.map(|known| known.view.clone()).collect(),
            lints: self.lints.clone(),
            log: self.log.iter().cloned().collect(),
            dead_letters: self.letters.iter().cloned().collect(),
        }
    }

    pub(crate) fn find(&self, actor: ActorId) -> Option<AnyRef> {
        self.known.get(&actor).map(|known| known.any.clone())
    }
}

/// An actor as it is shown in a list.
pub(crate) fn view_of(any: &AnyRef, actor: ActorSnapshot) -> ActorView {
    let (waited, ran) = any.durations();
    let quantiles = |buckets| Histogram { buckets }.quantiles();
    let message = actor.message.as_deref().map(short);
    let actor = ActorSnapshot { message, ..actor };
    ActorView { actor, wait: quantiles(waited), handle: quantiles(ran) }
}

/// A type's name without the modules, as `Asked<KvService>`.
pub(crate) fn short(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut path = 0; // where the path that is being read begins
    for letter in name.chars() {
        if letter == ':' {
            short.truncate(path);
            continue;
        }
        short.push(letter);
        if !letter.is_alphanumeric() && letter != '_' {
            path = short.len();
        }
    }
    short
}

pub(crate) fn now_ms(system: &System) -> u64 {
    ms(system.clock().now())
}

pub(crate) fn ms(time: Time) -> u64 {
    time.as_nanos() / 1_000_000
}

pub(crate) fn us(time: Time) -> u64 {
    time.as_nanos() / 1_000
}

pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_of_types_are_shown_without_modules() {
        assert_eq!(short("palco::keeper::Asked<palco_service::kv::KvService>"), "Asked<KvService>");
        assert_eq!(short("alloc::vec::Vec<(u8, a_b::C)>"), "Vec<(u8, C)>");
        assert_eq!((short("u64"), short("other")), ("u64".to_owned(), "other".to_owned()));
    }
}
