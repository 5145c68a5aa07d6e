//! The latest events as text, bounded in number and bytes.

use std::collections::VecDeque;

use bytes::Bytes;

/// Events that are kept: about a minute of a stage that moves.
const EVENTS_MAX: usize = 256;
/// Bytes of them.
const BYTES_MAX: usize = 8 << 20;

/// Events with their places; places only grow.
#[derive(Debug, Default)]
pub(super) struct Ring {
    events: VecDeque<Event>,
    /// The place of the first that is kept.
    first: u64,
    bytes: usize,
    /// Whether somebody fills it.
    pub(super) is_fed: bool,
}

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The observer's number; none for what a snapshot does not hold.
    pub(super) seq: Option<u64>,
    pub(super) body: Body,
}

/// What a client is sent.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// This.
    Text(Bytes),
    /// The observer itself has missed so many.
    Lost(u64),
}

/// What there is for a client.
#[derive(Debug)]
pub(super) enum Taken {
    /// This event; the next place is the other.
    Event(Event, u64),
    /// So many events have gone since.
    Missed(u64),
    /// Nothing yet.
    Nothing,
}

impl Ring {
    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event.size();
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(gone) = self.events.pop_front() else { break };
            self.bytes -= gone.size();
            self.first += 1;
        }
    }

    /// Nobody fills it any more: what comes later does not follow on what is here.
    pub(super) fn close(&mut self) {
        self.first = self.end();
        self.events.clear();
        self.bytes = 0;
        self.is_fed = false;
    }

    /// The place of what comes next.
    pub(super) fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// The place after the event with this number, if that is kept.
    pub(super) fn after(&self, seq: u64) -> Option<u64> {
        let at = self.events.iter().position(|event| event.seq == Some(seq))?;
        Some(self.first + at as u64 + 1)
    }

    /// What is at `place`.
    pub(super) fn take(&self, place: u64) -> Taken {
        let Some(at) = place.checked_sub(self.first) else {
            return Taken::Missed(self.first - place);
        };
        let event = usize::try_from(at).ok().and_then(|at| self.events.get(at));
        event.map_or(Taken::Nothing, |event| Taken::Event(event.clone(), place + 1))
    }
}

impl Event {
    fn size(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Lost(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, bytes: usize) -> Event {
        Event { seq: Some(seq), body: Body::Text(vec![b'x'; bytes].into()) }
    }

    #[test]
    fn who_is_too_slow_is_told_how_much_has_gone() {
        let mut ring = Ring::default();
        (0..300).for_each(|seq| ring.push(event(seq, 1)));
        assert!(matches!(ring.take(0), Taken::Missed(44)));
        assert!(matches!(ring.take(44), Taken::Event(Event { seq: Some(44), .. }, 45)));
        assert!(matches!(ring.take(300), Taken::Nothing));
    }

    #[test]
    fn large_events_push_out_more_than_one() {
        let mut ring = Ring::default();
        (0..10).for_each(|seq| ring.push(event(seq, BYTES_MAX / 4)));
        assert_eq!((ring.events.len(), ring.bytes), (4, BYTES_MAX));
        ring.push(event(10, BYTES_MAX + 1));
        assert_eq!((ring.events.len(), ring.bytes, ring.end()), (0, 0, 11));
    }

    #[test]
    fn a_client_goes_on_where_it_was_only_if_nothing_is_missing() {
        let mut ring = Ring::default();
        [3, 5, 8].into_iter().for_each(|seq| ring.push(event(seq, 1)));
        assert_eq!((ring.after(5), ring.after(8), ring.after(4)), (Some(2), Some(3), None));
        ring.close();
        assert_eq!((ring.after(8), ring.end()), (None, 3));
        assert!(matches!(ring.take(1), Taken::Missed(2)));
    }
}
