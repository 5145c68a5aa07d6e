//! The experiment: numbers of 4 bytes through a pipe of one page, for each mode.
//!
//! The eager side makes one call after the other. The slow side acts only when the eager one can do no more: that is
//! seen in the state of its thread and in what it has counted, so nobody sleeps and hopes.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::beside::{Board, Eager, Units, Word, run};
use super::watch::Meter;
use super::{Calls, Mode, Outcome, Slow};

/// One page: the least that a pipe can hold.
pub(super) const PIPE_BYTES: u64 = 4096;

/// Bytes of a message: a number, the least significant byte first.
const MESSAGE: usize = 4;

/// Runs `messages` through a pipe.
pub(super) fn observe(mode: Mode, units: Units, messages: u64) -> io::Result<Outcome> {
    let (reader, writer) = pipe()?;
    let bytes = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(4096))?;
    let capacity = u64::try_from(bytes).map_err(io::Error::other)? / MESSAGE as u64;
    set_calls(&reader, mode.reader)?;
    set_calls(&writer, mode.writer)?;
    let outcome = match mode.slow {
        Slow::Reader => run(
            units,
            (writer, |writer, board: &Board| write_eagerly(writer, board, messages)),
            (reader, |reader, eager: &Eager<'_>| read_slowly(reader, eager, capacity)),
        ),
        Slow::Writer => run(
            units,
            (reader, read_eagerly),
            (writer, |writer, eager: &Eager<'_>| write_slowly(writer, eager, mode, messages)),
        ),
    }?;
    Ok(Outcome { messages, capacity, ..outcome })
}

/// Sets or clears `O_NONBLOCK`, which belongs to this end alone: the ends of a pipe are opened separately.
pub(super) fn set_calls(end: impl AsFd, calls: Calls) -> io::Result<()> {
    let flags = match calls {
        Calls::Blocking => OFlag::empty(),
        Calls::NonBlocking => OFlag::O_NONBLOCK,
    };
    fcntl(end, FcntlArg::F_SETFL(flags))?;
    Ok(())
}

/// Messages are the numbers from 1 on: 0 is what a variable holds before anything is read.
fn message(number: u64) -> [u8; MESSAGE] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// Writes all messages and forgets those that are refused.
fn write_eagerly(mut writer: PipeWriter, board: &Board, messages: u64) -> io::Result<()> {
    let mut meter = Meter::default();
    meter.begin()?;
    board.write(Word::Switches, meter.switches);
    for number in 1..=messages {
        let result = meter.next_call(|| writer.write_all(&message(number)))?;
        board.write(Word::Switches, meter.switches);
        match result {
            Ok(()) => board.add(Word::Progress),
            Err(error) if error.kind() == ErrorKind::WouldBlock => board.add(Word::Lost),
            Err(error) => return Err(error),
        }
    }
    board.write_blocked(meter.blocked);
    Ok(())
}

/// Reads one pipe full at a time, as soon as the writer can do no more, until it has ended.
fn read_slowly(mut reader: PipeReader, eager: &Eager<'_>, capacity: u64) -> io::Result<Outcome> {
    let (mut meter, mut read, mut in_order, mut in_vain) = (Meter::default(), 0, true, 0);
    loop {
        let full = read + capacity;
        eager.until(|eager| eager.has_ended() || eager.sleeps_at(full))?;
        let written = eager.board.read(Word::Progress);
        let mut bytes = [0; MESSAGE];
        while read < written {
            match meter.call(|| reader.read_exact(&mut bytes))? {
                Ok(()) => (read, in_order) = (read + 1, in_order && bytes == message(read + 1)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => in_vain += 1,
                Err(error) => return Err(error),
            }
        }
        if eager.has_ended() && read == eager.board.read(Word::Progress) {
            break;
        }
    }
    // Nobody is left who could write: that is the end, and not an empty pipe.
    in_order &= reader.read(&mut [0; MESSAGE])? == 0;
    Ok(Outcome {
        delivered: read,
        in_order,
        lost: eager.board.read(Word::Lost),
        in_vain,
        writes_blocked: eager.board.blocked(),
        reads_blocked: meter.blocked,
        ..Outcome::default()
    })
}

/// Reads until the end, and handles its variable after every read, whether anything was read or not.
///
/// It looks once before each message: after a look in vain it waits until there is something. One that looks oftener
/// would look in vain oftener.
fn read_eagerly(mut reader: PipeReader, board: &Board) -> io::Result<()> {
    let (mut meter, mut variable, mut received) = (Meter::default(), [0; MESSAGE], 0);
    meter.begin()?;
    board.write(Word::Switches, meter.switches);
    loop {
        let result = meter.next_call(|| reader.read(&mut variable))?;
        board.write(Word::Switches, meter.switches);
        match result {
            Ok(0) => break,
            Ok(_) => {
                received += 1;
                if variable != message(received) {
                    board.add(Word::Disorder);
                }
                board.add(Word::Progress);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let handled = if variable == [0; MESSAGE] { Word::Zeros } else { Word::Stale };
                board.add(handled);
                board.add(Word::InVain);
                let mut ready = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
                poll(&mut ready, PollTimeout::NONE)?;
                meter.begin()?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    board.write_blocked(meter.blocked);
    Ok(())
}

/// Writes each message, and the end, only after the reader has found the pipe empty.
fn write_slowly(
    mut writer: PipeWriter,
    eager: &Eager<'_>,
    mode: Mode,
    messages: u64,
) -> io::Result<Outcome> {
    let (mut meter, mut written, mut lost) = (Meter::default(), 0, 0);
    let dry = |eager: &Eager<'_>, written| match mode.reader {
        Calls::Blocking => eager.sleeps_at(written),
        Calls::NonBlocking => eager.board.read(Word::InVain) > written,
    };
    for number in 1..=messages {
        eager.until(|eager| dry(eager, written))?;
        match meter.call(|| writer.write_all(&message(number)))? {
            Ok(()) => written += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock => lost += 1,
            Err(error) => return Err(error),
        }
    }
    eager.until(|eager| dry(eager, written))?;
    drop(writer);
    eager.until(Eager::has_ended)?;
    let board = eager.board;
    Ok(Outcome {
        delivered: board.read(Word::Progress),
        in_order: board.read(Word::Disorder) == 0,
        lost,
        in_vain: board.read(Word::InVain),
        stale: board.read(Word::Stale),
        zeros: board.read(Word::Zeros),
        writes_blocked: meter.blocked,
        reads_blocked: board.blocked(),
        ..Outcome::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(slow: Slow, writer: Calls, reader: Calls, messages: u64) -> Outcome {
        observe(Mode { writer, reader, slow }, Units::Threads, messages).unwrap()
    }

    const EITHER: [Calls; 2] = [Calls::Blocking, Calls::NonBlocking];

    #[test]
    fn a_blocking_writer_loses_nothing_and_sleeps_once_a_pipe_full() {
        for reader in EITHER {
            let outcome = observed(Slow::Reader, Calls::Blocking, reader, 5000);
            assert_eq!((outcome.delivered, outcome.lost, outcome.in_order), (5000, 0, true));
            // 1024 fit: it sleeps before messages 1025, 2049, 3073 and 4097.
            assert!(outcome.writes_blocked.calls >= 4, "{outcome:?}");
            assert!(outcome.writes_blocked.longest_nanos <= outcome.writes_blocked.total_nanos);
            assert_eq!(outcome.in_vain, 0);
        }
    }

    #[test]
    fn a_careless_non_blocking_writer_loses_what_does_not_fit() {
        for reader in EITHER {
            let outcome = observed(Slow::Reader, Calls::NonBlocking, reader, 5000);
            assert_eq!((outcome.capacity, outcome.delivered, outcome.lost), (1024, 1024, 3976));
            assert!(outcome.in_order, "the first ones arrive");
        }
    }

    #[test]
    fn as_much_as_fits_is_neither_lost_nor_waited_for() {
        for writer in EITHER {
            let outcome = observed(Slow::Reader, writer, Calls::Blocking, 1024);
            assert_eq!((outcome.delivered, outcome.lost, outcome.in_order), (1024, 0, true));
        }
    }

    #[test]
    fn a_blocking_reader_sleeps_before_every_message_of_a_slow_writer_and_before_the_end() {
        for writer in EITHER {
            let outcome = observed(Slow::Writer, writer, Calls::Blocking, 300);
            assert_eq!((outcome.delivered, outcome.lost, outcome.in_order), (300, 0, true));
            assert_eq!((outcome.reads_blocked.calls, outcome.in_vain), (301, 0));
        }
    }

    #[test]
    fn a_careless_non_blocking_reader_handles_the_message_before_again() {
        for writer in EITHER {
            let outcome = observed(Slow::Writer, writer, Calls::NonBlocking, 300);
            assert_eq!((outcome.delivered, outcome.lost, outcome.in_order), (300, 0, true));
            assert_eq!((outcome.in_vain, outcome.zeros, outcome.stale), (301, 1, 300));
        }
    }

    #[test]
    fn nothing_sent_is_nothing_delivered() {
        for mode in Mode::ALL {
            let outcome = observe(mode, Units::Threads, 0).unwrap();
            assert_eq!((outcome.delivered, outcome.lost, outcome.stale), (0, 0, 0));
        }
    }
}
