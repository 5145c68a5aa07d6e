//! A domain of one: the real protocol with nobody to talk to.

use std::future::ready;
use std::time::{Duration, Instant};

use palco_core::Time;
use palco_rambo::{
    Command, Configuration, Effect, Event, NodeId, Outcome, Participant, Settings, Storage,
};
use parking_lot::Mutex;

use crate::{Looking, Page, Registers, Running, Scanning, Standing};

/// One participant, alone in its configuration, in this program's memory. Keeps nothing beyond the program; for trying
/// things out, and for tests of what stands on registers.
#[derive(Debug)]
pub struct Alone {
    participant: Mutex<Participant>,
    since: Instant,
}

impl Default for Alone {
    fn default() -> Self {
        Self::new()
    }
}

impl Alone {
    /// With no registers yet.
    #[must_use]
    pub fn new() -> Self {
        let node = NodeId(1);
        let settings = Settings { storage: Storage::Memory, ..Settings::new(node) };
        let first = Configuration::majority(0, [node]).expect("one member, one majority");
        let participant = Participant::found(settings, first, &mut Vec::new());
        Self { participant: Mutex::new(participant), since: Instant::now() }
    }

    fn now(&self) -> Time {
        Time::START + self.since.elapsed()
    }
}

impl Registers for Alone {
    fn run(&self, commands: Vec<Command>, within: Duration) -> Running {
        let now = self.now();
        let mut outcomes = vec![Outcome::Unknown { tag: None }; commands.len()];
        let mut participant = self.participant.lock();
        let mut effects = Vec::new();
        for (request, command) in (0..).zip(commands) {
            let asked = Event::Asked { request, deadline: now + within, command };
            participant.step(now, asked, &mut effects);
        }
        for effect in effects {
            // Nobody to send to, nothing to store: a participant that is alone answers at once.
            if let Effect::Reply { request, outcome, .. } = effect
                && let Some(place) =
                    usize::try_from(request).ok().and_then(|at| outcomes.get_mut(at))
            {
                *place = outcome;
            }
        }
        Box::pin(ready(outcomes))
    }

    fn scan(&self, from: u64, keys_max: usize) -> Scanning {
        Box::pin(ready(Page::of(&self.participant.lock(), from, keys_max)))
    }

    fn look(&self) -> Looking {
        let standing = Standing::of(0, &self.participant.lock(), self.now());
        Box::pin(ready(vec![standing]))
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::Key;
    use palco_threads::block_on;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_listed() {
        let alone = Alone::new();
        let second = Duration::from_secs(1);
        let x = || Key::register("x");
        let written = block_on(alone.run(vec![Command::Write(x(), Some("1".into()))], second));
        assert!(matches!(written[..], [Outcome::Written(_)]), "{written:?}");
        let read = block_on(alone.run(vec![Command::Read(x()), Command::Read(x())], second));
        for outcome in read {
            assert!(matches!(outcome, Outcome::Read(found) if found.value == Some("1".into())));
        }
        let page = block_on(alone.scan(0, 10));
        assert_eq!(page, Page { keys: vec![x()], next: None });
        assert_eq!(block_on(alone.scan(u64::MAX, 10)), Page::default());
        assert_eq!(block_on(alone.look())[0].registers, 1);
    }
}
