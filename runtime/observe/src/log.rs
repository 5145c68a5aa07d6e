//! Lines of the log.

use palco_actors::{ActorId, Effect, LifeChange, LifeEvent};

use crate::model::{LogEntry, LogKind};
use crate::picture::ms;

pub(crate) fn of_event(seq: u64, event: &LifeEvent) -> LogEntry {
    let (kind, text) = match event.change {
        LifeChange::Restarted => (LogKind::Restarted, format!("{}; started again", event.reason)),
        LifeChange::Recycled => (LogKind::Recycled, "replaced by a fresh one".to_owned()),
        LifeChange::Ended if event.reason.is_failure() => {
            (LogKind::Failed, format!("{}; ended for good", event.reason))
        }
        LifeChange::Ended => (LogKind::Ended, event.reason.to_string()),
    };
    LogEntry {
        seq,
        at_ms: ms(event.at),
        kind,
        actor: event.actor,
        path: event.path.clone(),
        text,
        who: None,
    }
}

pub(crate) fn of_action(
    seq: u64,
    at_ms: u64,
    who: &str,
    action: &str,
    (actor, path): (ActorId, &str),
    effect: &Effect,
) -> LogEntry {
    let text = match effect {
        Effect::Done => format!("{action}: done"),
        Effect::Ended => format!("{action}: ended"),
        Effect::Pending { message, running_ms } => {
            let busy = message.as_deref().unwrap_or("a handler");
            format!("{action}: pending, busy with {busy} for {running_ms} ms")
        }
    };
    let (path, who) = (path.to_owned(), Some(who.to_owned()));
    LogEntry { seq, at_ms, kind: LogKind::Action, actor, path, text, who }
}
