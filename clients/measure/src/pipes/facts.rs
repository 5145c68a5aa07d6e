//! One fact of pipe(7) after the other, each looked up in the kernel with a pipe of its own.

use std::fs;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use super::modes::set_calls;
use super::{Calls, FactLine, PipesError, Textbook};

/// What was seen, in words, and whether it is what is taught and what is explained here.
struct Seen {
    observed: String,
    as_taught: bool,
    as_explained: bool,
}

impl Seen {
    /// Where what is taught is all there is to explain.
    fn of(observed: String, as_taught: bool) -> Self {
        Self { observed, as_taught, as_explained: as_taught }
    }
}

/// What pipe(7) says that a pipe holds.
const SAID_CAPACITY: usize = 65536;

/// A fact that can be looked up.
struct Fact {
    tried: &'static str,
    says: &'static str,
    reason: &'static str,
    look: fn() -> io::Result<Seen>,
}

const FACTS: [Fact; 11] = [
    Fact {
        tried: "how much fits",
        says: "65536 bytes",
        reason: "16 pages, of 4096 bytes where pages have that size; a user who has many pipes already gets less \
                 (/proc/sys/fs/pipe-user-pages-soft)",
        look: capacity,
    },
    Fact {
        tried: "writes of 1 byte until it is full",
        says: "65536 bytes fit",
        reason: "a write is appended to the last page when it fits there whole: small ones waste no room",
        look: || filled_by(1, |size, _| size),
    },
    Fact {
        tried: "writes of 2049 bytes until it is full",
        says: "65536 bytes fit",
        reason: "what is said of capacity is said of pages: two such writes do not fit into one page, and one that is \
                 not split begins a new page, so half of every page stays empty",
        look: || filled_by(2049, |size, page| size / page * 2049),
    },
    Fact {
        tried: "write of 4096 bytes, room for 100, O_NONBLOCK",
        says: "all or nothing: EAGAIN",
        reason: "POSIX promises it up to PIPE_BUF (4096 here): several writers never tear each other's messages",
        look: all_or_nothing,
    },
    Fact {
        tried: "write of 8192 bytes, room for 4096, O_NONBLOCK",
        says: "may be partial",
        reason: "beyond PIPE_BUF as much is taken as there is room for, and the caller must look at the result",
        look: torn,
    },
    Fact {
        tried: "read of an empty pipe, O_NONBLOCK",
        says: "EAGAIN",
        reason: "and never 0 while a writer is left: a program that takes one for the other ends too early or never",
        look: read_of_empty,
    },
    Fact {
        tried: "read after the last writer has gone",
        says: "what is left, then 0 bytes",
        reason: "the last is the last copy of the writing end: one kept by mistake, by the reader itself after fork(2) \
                 for instance, and the end never comes",
        look: read_after_the_last_writer,
    },
    Fact {
        tried: "write after the last reader has gone",
        says: "SIGPIPE, or EPIPE where it is ignored",
        reason: "it is ignored here, as in every Rust program from its start",
        look: write_after_the_last_reader,
    },
    Fact {
        tried: "F_SETPIPE_SZ to 5000 bytes",
        says: "at least that",
        reason: "rounded up to a power of two of pages; F_GETPIPE_SZ says what it has become",
        look: rounded_up,
    },
    Fact {
        tried: "F_SETPIPE_SZ below what is in it",
        says: "EBUSY",
        reason: "what is in the pipe stays: whoever wants it smaller must read first",
        look: not_below_its_content,
    },
    Fact {
        tried: "F_SETPIPE_SZ beyond /proc/sys/fs/pipe-max-size",
        says: "EPERM, or granted by CAP_SYS_RESOURCE",
        reason: "the limit of everybody else is 1 MiB, unless it was changed",
        look: not_beyond_the_limit,
    },
];

/// Looks all of them up.
pub(super) fn all() -> Result<Vec<FactLine>, PipesError> {
    FACTS.iter().map(Fact::line).collect()
}

impl Fact {
    fn line(&self) -> Result<FactLine, PipesError> {
        let seen = (self.look)();
        let Seen { observed, as_taught, as_explained } =
            seen.map_err(|source| PipesError { tried: self.tried.to_owned(), source })?;
        Ok(FactLine {
            tried: self.tried.to_owned(),
            says: self.says.to_owned(),
            observed,
            textbook: if as_taught { Textbook::Right } else { Textbook::Wrong },
            reason: self.reason.to_owned(),
            as_explained,
        })
    }
}

/// A pipe whose ends do not block.
fn non_blocking() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe()?;
    set_calls(&reader, Calls::NonBlocking)?;
    set_calls(&writer, Calls::NonBlocking)?;
    Ok((reader, writer))
}

fn size_of(writer: &PipeWriter) -> io::Result<usize> {
    usize::try_from(fcntl(writer, FcntlArg::F_GETPIPE_SZ)?).map_err(io::Error::other)
}

/// The kernel gives one page when it is asked for one byte.
fn page() -> io::Result<usize> {
    let (_reader, writer) = pipe()?;
    usize::try_from(fcntl(&writer, FcntlArg::F_SETPIPE_SZ(1))?).map_err(io::Error::other)
}

/// Writes pieces until one is refused; how many bytes the pipe has taken.
fn fill(writer: &mut PipeWriter, piece: usize) -> io::Result<usize> {
    let (bytes, mut taken) = (vec![7; piece], 0);
    loop {
        match writer.write(&bytes) {
            Ok(len) => taken += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(taken),
            Err(error) => return Err(error),
        }
    }
}

/// Everything that is in the pipe.
fn drained(reader: &mut PipeReader) -> io::Result<usize> {
    let (mut bytes, mut read) = (vec![0; 1 << 16], 0);
    loop {
        match reader.read(&mut bytes) {
            Ok(0) => return Ok(read),
            Ok(len) => read += len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(read),
            Err(error) => return Err(error),
        }
    }
}

/// What a call has done, in words.
fn answer(result: &io::Result<usize>) -> String {
    match result {
        Ok(len) => format!("{len} bytes"),
        Err(error) => errno(error).map_or_else(|| error.to_string(), |errno| format!("{errno:?}")),
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

fn failed_with(result: &io::Result<usize>, expected: Errno) -> bool {
    result.as_ref().is_err_and(|error| errno(error) == Some(expected))
}

fn capacity() -> io::Result<Seen> {
    let (mut reader, mut writer) = non_blocking()?;
    let (size, page) = (size_of(&writer)?, page()?);
    let taken = fill(&mut writer, page)?;
    let read = drained(&mut reader)?;
    Ok(Seen {
        observed: format!("{taken} bytes"),
        as_taught: taken == SAID_CAPACITY,
        as_explained: taken == size && read == taken && size <= 16 * page,
    })
}

/// Fills a pipe with writes of `piece` bytes; `explained` says how many bytes it takes by its size and that of a page.
fn filled_by(piece: usize, explained: fn(size: usize, page: usize) -> usize) -> io::Result<Seen> {
    let (mut reader, mut writer) = non_blocking()?;
    let expected = explained(size_of(&writer)?, page()?);
    let taken = fill(&mut writer, piece)?;
    let read = drained(&mut reader)?;
    Ok(Seen {
        observed: format!("{taken} bytes in {} writes", taken / piece),
        as_taught: taken.abs_diff(SAID_CAPACITY) < piece,
        as_explained: taken == expected && read == taken,
    })
}

/// Fills a pipe but for `room` bytes, writes `len` more, and says what came of it and how much more there was to read.
fn write_with_room(room: usize, len: usize) -> io::Result<(io::Result<usize>, usize)> {
    let (mut reader, mut writer) = non_blocking()?;
    let filled = size_of(&writer)? - room;
    writer.write_all(&vec![7; filled])?;
    let result = writer.write(&vec![8; len]);
    let more = drained(&mut reader)? - filled;
    Ok((result, more))
}

fn all_or_nothing() -> io::Result<Seen> {
    let (result, more) = write_with_room(100, 4096)?;
    let observed = format!("{}, {more} bytes more in the pipe", answer(&result));
    Ok(Seen::of(observed, failed_with(&result, Errno::EAGAIN) && more == 0))
}

fn torn() -> io::Result<Seen> {
    let page = page()?;
    let (result, more) = write_with_room(page, 2 * page)?;
    let is_torn = matches!(result, Ok(len) if len == page) && more == page;
    Ok(Seen::of(format!("{} taken", answer(&result)), is_torn))
}

fn read_of_empty() -> io::Result<Seen> {
    let (mut reader, _writer) = non_blocking()?;
    let result = reader.read(&mut [0; 8]);
    Ok(Seen::of(answer(&result), failed_with(&result, Errno::EAGAIN)))
}

fn read_after_the_last_writer() -> io::Result<Seen> {
    let (mut reader, mut writer) = non_blocking()?;
    writer.write_all(b"left")?;
    let copy = writer.try_clone()?;
    drop(writer);
    let [left, with_copy] = [reader.read(&mut [0; 8]), reader.read(&mut [0; 8])];
    drop(copy);
    let end = reader.read(&mut [0; 8]);
    let (left_text, end_text) = (answer(&left), answer(&end));
    let observed =
        format!("{left_text}, then {} while a copy is open, then {end_text}", answer(&with_copy));
    let is_end = matches!((left, end), (Ok(4), Ok(0))) && failed_with(&with_copy, Errno::EAGAIN);
    Ok(Seen::of(observed, is_end))
}

fn write_after_the_last_reader() -> io::Result<Seen> {
    let (reader, mut writer) = pipe()?;
    drop(reader);
    let result = writer.write(b"nobody");
    Ok(Seen::of(answer(&result), failed_with(&result, Errno::EPIPE)))
}

/// Sets the size; what it has become, or why not.
fn resized(writer: &PipeWriter, bytes: i32) -> io::Result<usize> {
    let size = fcntl(writer, FcntlArg::F_SETPIPE_SZ(bytes))?;
    usize::try_from(size).map_err(io::Error::other)
}

fn rounded_up() -> io::Result<Seen> {
    let (_reader, writer) = pipe()?;
    let result = resized(&writer, 5000);
    let expected = 5000_usize.div_ceil(page()?).next_power_of_two() * page()?;
    let size = size_of(&writer)?;
    let is_rounded = matches!(result, Ok(answer) if answer == size) && size == expected;
    Ok(Seen::of(answer(&result), is_rounded))
}

fn not_below_its_content() -> io::Result<Seen> {
    let (mut reader, mut writer) = non_blocking()?;
    let content = page()? + 1;
    writer.write_all(&vec![7; content])?;
    let result = resized(&writer, 1);
    let left = drained(&mut reader)?;
    let observed = format!("{}, {left} of {content} bytes still there", answer(&result));
    Ok(Seen::of(observed, failed_with(&result, Errno::EBUSY) && left == content))
}

fn not_beyond_the_limit() -> io::Result<Seen> {
    let text = fs::read_to_string("/proc/sys/fs/pipe-max-size")?;
    let limit: i32 = text.trim().parse().map_err(io::Error::other)?;
    let (_reader, writer) = pipe()?;
    let result = resized(&writer, limit.saturating_mul(2));
    let observed = format!("{}; the limit is {limit}", answer(&result));
    let is_granted = result.is_ok() && has_cap_sys_resource()?;
    Ok(Seen::of(observed, is_granted || failed_with(&result, Errno::EPERM)))
}

/// By capabilities(7): bit 24 of those in effect.
fn has_cap_sys_resource() -> io::Result<bool> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok()).unwrap_or(0);
    Ok(effective & (1 << 24) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line of the table is a test of its own: the name of the one that fails is in the message.
    #[test]
    fn this_kernel_does_what_is_explained() {
        for line in all().unwrap() {
            assert!(line.as_explained, "{line:#?}");
        }
    }

    #[test]
    fn a_pipe_holds_what_the_manual_says_but_half_of_it_in_messages_of_half_a_page_and_a_byte() {
        let lines = all().unwrap();
        let observed = |at: usize| (lines[at].observed.as_str(), lines[at].textbook);
        assert_eq!(observed(0), ("65536 bytes", Textbook::Right));
        assert_eq!(observed(1), ("65536 bytes in 65536 writes", Textbook::Right));
        assert_eq!(observed(2), ("32784 bytes in 16 writes", Textbook::Wrong));
    }
}
