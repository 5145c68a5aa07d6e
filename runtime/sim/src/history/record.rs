//! Which lists of events are histories. A history that was stored comes from outside, and is judged before it is used.

use palco_core::Time;

use super::{Event, History, OperationId};

/// Why a list of events is no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// An operation ends that had not begun.
    #[error("event {event}: operation {operation} ends before its call; record calls first", operation = .operation.0)]
    NotCalled {
        /// Which event, from 0.
        event: usize,
        /// Which operation.
        operation: OperationId,
    },
    /// An operation ends again.
    #[error("event {event}: operation {operation} ends a second time; record one return", operation = .operation.0)]
    EndsTwice {
        /// Which event, from 0.
        event: usize,
        /// Which operation.
        operation: OperationId,
    },
    /// Time runs backwards.
    #[error(
        "event {event}: {at:?} is before the event in front of it; record events as they happen"
    )]
    Backwards {
        /// Which event, from 0.
        event: usize,
        /// Its time.
        at: Time,
    },
    /// More events than positions: 2³² − 1.
    #[error("{events} events do not fit a history; split it by key or in time")]
    TooLong {
        /// How many there are.
        events: usize,
    },
}

impl TryFrom<Vec<Event>> for History {
    type Error = Malformed;

    fn try_from(events: Vec<Event>) -> Result<Self, Malformed> {
        if u32::try_from(events.len()).is_err() {
            return Err(Malformed::TooLong { events: events.len() });
        }
        let mut ended = Vec::new();
        let mut last = Time::START;
        for (event, happened) in events.iter().enumerate() {
            let at = match happened {
                Event::Call(invocation) => {
                    ended.push(false);
                    invocation.at
                }
                Event::Return { operation, at, .. } => {
                    match ended.get_mut(operation.0 as usize) {
                        Some(ended @ false) => *ended = true,
                        Some(true) => {
                            return Err(Malformed::EndsTwice { event, operation: *operation });
                        }
                        None => return Err(Malformed::NotCalled { event, operation: *operation }),
                    }
                    *at
                }
            };
            if at < last {
                return Err(Malformed::Backwards { event, at });
            }
            last = at;
        }
        Ok(Self { events, ended })
    }
}

impl From<History> for Vec<Event> {
    fn from(history: History) -> Self {
        history.events
    }
}
