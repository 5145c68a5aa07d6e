//! What courses say of each mode, whether it is so, and why.
//!
//! Two judgements, which have nothing to do with each other: of what is taught (right or wrong here), and of what is
//! explained here (every count as it must be, or this kernel does otherwise).

use super::{Calls, Mode, ModeLine, Outcome, Slow, Textbook};

/// A line about `mode` from what was observed.
pub(super) fn judged(mode: Mode, outcome: Outcome) -> ModeLine {
    let (says, taught, reason) = match (mode.slow, mode.writer, mode.reader) {
        (Slow::Reader, Calls::Blocking, _) => (
            "nothing is lost: the writer waits while the pipe is full",
            outcome.lost == 0 && outcome.delivered == outcome.messages,
            "write(2) sleeps until a page of the pipe is free: the reader sets the pace of both",
        ),
        (Slow::Reader, Calls::NonBlocking, _) => (
            "messages may be lost when the pipe is full",
            outcome.lost > 0,
            "and more than may: as soon as the reader is behind by one pipe full, every message is refused with EAGAIN until it \
             reads; whether it is lost is the writer's doing, who must keep it and wait in poll(2) for POLLOUT",
        ),
        (Slow::Writer, _, Calls::Blocking) => (
            "nothing is lost: the reader waits while the pipe is empty",
            outcome.lost == 0 && outcome.delivered == outcome.messages && outcome.in_vain == 0,
            "read(2) sleeps before every message: the writer sets the pace of both",
        ),
        (Slow::Writer, _, Calls::NonBlocking) => (
            "there is little chance of a read in vain, and then zeros are handled",
            outcome.in_vain * 100 < outcome.messages && outcome.stale == 0,
            "when the writer is the slow side the pipe is empty before every message, and a read in vain leaves the \
             variable as it was: it still holds the message before, which is handled again; zero, or whatever was \
             there, only before the first. Look at the result of read(2), and wait in poll(2) for POLLIN",
        ),
    };
    let textbook = if taught { Textbook::Right } else { Textbook::Wrong };
    let as_explained = is_as_explained(mode, &outcome);
    ModeLine { mode, says: says.into(), outcome, textbook, reason: reason.into(), as_explained }
}

/// Whether every count is what follows from a pipe that holds `capacity` messages, whatever the machine is busy with.
fn is_as_explained(mode: Mode, outcome: &Outcome) -> bool {
    let Outcome { messages, capacity, .. } = *outcome;
    let all = (messages, 0);
    let fate = match (mode.slow, mode.writer) {
        (Slow::Reader, Calls::Blocking) | (Slow::Writer, _) => all,
        (Slow::Reader, Calls::NonBlocking) => {
            (messages.min(capacity), messages.saturating_sub(capacity))
        }
    };
    // Before every message and before the end the eager reader has found nothing.
    let (in_vain, reads_blocked) = match (mode.slow, mode.reader) {
        (Slow::Reader, _) => (0, 0),
        (Slow::Writer, Calls::Blocking) => (0, messages + 1),
        (Slow::Writer, Calls::NonBlocking) => (messages + 1, 0),
    };
    let writes_blocked = match (mode.slow, mode.writer) {
        (Slow::Reader, Calls::Blocking) => messages.saturating_sub(1) / capacity.max(1),
        (Slow::Reader, Calls::NonBlocking) | (Slow::Writer, _) => 0,
    };
    (outcome.delivered, outcome.lost) == fate
        && outcome.in_order
        && outcome.in_vain == in_vain
        && outcome.zeros == in_vain.min(1)
        && outcome.stale == in_vain.saturating_sub(1)
        // At least: a busy machine may make a call wait for memory, too.
        && outcome.reads_blocked.calls >= reads_blocked
        && outcome.writes_blocked.calls >= writes_blocked
}

#[cfg(test)]
mod tests {
    use super::super::Blocked;
    use super::*;

    fn blocked(calls: u64) -> Blocked {
        Blocked { calls, longest_nanos: 1, total_nanos: calls }
    }

    /// What must come out for the slow reader of a blocking writer.
    fn waiting() -> (Mode, Outcome) {
        let outcome = Outcome {
            messages: 5000,
            capacity: 1024,
            delivered: 5000,
            in_order: true,
            writes_blocked: blocked(4),
            ..Outcome::default()
        };
        (Mode::ALL[0], outcome)
    }

    #[test]
    fn what_follows_from_the_capacity_is_as_explained() {
        let (mode, outcome) = waiting();
        let line = judged(mode, outcome);
        assert!(line.as_explained && line.textbook == Textbook::Right);
    }

    #[test]
    fn any_other_count_is_objected_to() {
        let (mode, right) = waiting();
        let wrong = [
            Outcome { delivered: 4999, ..right },
            Outcome { lost: 1, ..right },
            Outcome { in_order: false, ..right },
            Outcome { in_vain: 1, ..right },
            Outcome { stale: 1, ..right },
            Outcome { zeros: 1, ..right },
            Outcome { writes_blocked: blocked(3), ..right },
        ];
        for outcome in wrong {
            assert!(!judged(mode, outcome).as_explained, "{outcome:?}");
        }
    }

    #[test]
    fn one_read_in_vain_among_many_would_prove_the_textbook_right_but_not_what_is_explained() {
        let mode = Mode::ALL[5];
        let outcome = Outcome {
            messages: 5000,
            capacity: 1024,
            delivered: 5000,
            in_order: true,
            in_vain: 1,
            zeros: 1,
            ..Outcome::default()
        };
        let line = judged(mode, outcome);
        assert_eq!((line.textbook, line.as_explained), (Textbook::Right, false));
    }
}
