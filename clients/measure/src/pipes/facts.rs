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
    textbook: bool,
    as_explained: bool,
}

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
        says: "one buffer each: 16 fit",
        reason: "a write is appended to the last page when it fits there whole, so no room is wasted by small ones",
        look: || filled_by(1, |size, _| size, 16),
    },
    Fact {
        tried: "writes of 2049 bytes until it is full",
        says: "all of the capacity is used",
        reason: "two do not fit into one page and a write that is not split begins a new one: each page is half empty",
        look: || filled_by(2049, |size, page| size / page * 2049, 65536),
    },
    Fact {
        tried: "4096 bytes, room for less, O_NONBLOCK",
        says: "all or nothing: EAGAIN",
        reason: "POSIX promises it up to PIPE_BUF (4096 here): several writers never tear each other's messages",
        look: all_or_nothing,
    },
    Fact {
        tried: "8192 bytes, room for 4096, O_NONBLOCK",
        says: "all or nothing",
        reason: "beyond PIPE_BUF a write may be torn: 4096 are taken, and the caller must look at the result",
        look: torn,
    },
    Fact {
        tried: "read of an empty pipe, O_NONBLOCK",
        says: "0 bytes",
        reason: "EAGAIN while a writer is left; 0 is kept for the end, and a program that takes one for the other ends \
                 too early or never",
        look: read_of_empty,
    },
    Fact {
        tried: "read after the last writer has gone",
        says: "what is left, then 0 bytes",
        reason: "the end is when every copy of the writing end is closed: one kept by mistake, by the reader itself \
                 after fork(2) for instance, and it never comes",
        look: read_after_the_last_writer,
    },
    Fact {
        tried: "write after the last reader has gone",
        says: "SIGPIPE ends the writer",
        reason: "EPIPE where SIGPIPE is ignored, as here and in every Rust program; the signal otherwise",
        look: write_after_the_last_reader,
    },
    Fact {
        tried: "F_SETPIPE_SZ to 5000 bytes",
        says: "it is set to what was asked for",
        reason: "rounded up to a power of two of pages: ask F_GETPIPE_SZ what it has become",
        look: rounded_up,
    },
    Fact {
        tried: "F_SETPIPE_SZ below what is in it",
        says: "the rest is lost",
        reason: "EBUSY: what is in the pipe stays, whoever wants it smaller must read first",
        look: not_below_its_content,
    },
    Fact {
        tried: "F_SETPIPE_SZ beyond /proc/sys/fs/pipe-max-size",
        says: "EPERM",
        reason: "1 MiB unless changed, for everybody without CAP_SYS_RESOURCE",
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
        let Seen { observed, textbook, as_explained } =
            seen.map_err(|source| PipesError { tried: self.tried.to_owned(), source })?;
        Ok(FactLine {
            tried: self.tried.to_owned(),
            says: self.says.to_owned(),
            observed,
            textbook: if textbook { Textbook::Right } else { Textbook::Wrong },
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
    let size = size_of(&writer)?;
    let page = page()?;
    let taken = fill(&mut writer, page)?;
    let read = drained(&mut reader)?;
    Ok(Seen {
        observed: format!("{taken} bytes"),
        textbook: taken == 65536,
        as_explained: taken == size && read == taken && size <= 16 * page,
    })
}

/// Fills a pipe with writes of `piece` bytes; `explained` says how many bytes it takes by its size and that of a page.
fn filled_by(
    piece: usize,
    explained: fn(size: usize, page: usize) -> usize,
    taught: usize,
) -> io::Result<Seen> {
    let (mut reader, mut writer) = non_blocking()?;
    let expected = explained(size_of(&writer)?, page()?);
    let taken = fill(&mut writer, piece)?;
    let read = drained(&mut reader)?;
    Ok(Seen {
        observed: format!("{taken} bytes in {} writes", taken / piece),
        textbook: taken == taught,
        as_explained: taken == expected && read == taken,
    })
}

/// Fills a pipe but for `room` bytes, writes `len` more, and says what came of it and how much there is to read then.
fn write_with_room(room: usize, len: usize) -> io::Result<(io::Result<usize>, usize)> {
    let (mut reader, mut writer) = non_blocking()?;
    writer.write_all(&vec![7; size_of(&writer)? - room])?;
    let result = writer.write(&vec![8; len]);
    let more = drained(&mut reader)? + room - size_of(&writer)?;
    Ok((result, more))
}

fn all_or_nothing() -> io::Result<Seen> {
    let (result, more) = write_with_room(100, 4096)?;
    let refused = failed_with(&result, Errno::EAGAIN) && more == 0;
    let observed = format!("{}, {more} bytes more in the pipe", answer(&result));
    Ok(Seen { observed, textbook: refused, as_explained: refused })
}

fn torn() -> io::Result<Seen> {
    let page = page()?;
    let (result, more) = write_with_room(page, 2 * page)?;
    let torn = matches!(result, Ok(len) if len == page) && more == page;
    let whole = matches!(result, Ok(len) if len == 2 * page) || failed_with(&result, Errno::EAGAIN);
    Ok(Seen { observed: format!("{} taken", answer(&result)), textbook: whole, as_explained: torn })
}

fn read_of_empty() -> io::Result<Seen> {
    let (mut reader, _writer) = non_blocking()?;
    let result = reader.read(&mut [0; 8]);
    Ok(Seen {
        observed: answer(&result),
        textbook: matches!(result, Ok(0)),
        as_explained: failed_with(&result, Errno::EAGAIN),
    })
}

fn read_after_the_last_writer() -> io::Result<Seen> {
    let (mut reader, mut writer) = pipe()?;
    writer.write_all(b"left")?;
    let copy = writer.try_clone()?;
    drop(writer);
    let left = reader.read(&mut [0; 8]);
    // One copy is still open: no end yet.
    set_calls(&reader, Calls::NonBlocking)?;
    let with_copy = reader.read(&mut [0; 8]);
    drop(copy);
    let end = reader.read(&mut [0; 8]);
    let taught = matches!((&left, &end), (Ok(4), Ok(0)));
    let observed = format!(
        "{}, then {} while a copy is open, then {}",
        answer(&left),
        answer(&with_copy),
        answer(&end)
    );
    let as_explained = taught && failed_with(&with_copy, Errno::EAGAIN);
    Ok(Seen { observed, textbook: taught, as_explained })
}

fn write_after_the_last_reader() -> io::Result<Seen> {
    let (reader, mut writer) = pipe()?;
    drop(reader);
    let result = writer.write(b"nobody");
    let broken = failed_with(&result, Errno::EPIPE);
    Ok(Seen { observed: answer(&result), textbook: !broken, as_explained: broken })
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
    Ok(Seen {
        observed: answer(&result),
        textbook: matches!(result, Ok(5000)),
        as_explained: matches!(result, Ok(size) if size == expected && size == size_of(&writer)?),
    })
}

fn not_below_its_content() -> io::Result<Seen> {
    let (mut reader, mut writer) = non_blocking()?;
    let page = page()?;
    writer.write_all(&vec![7; page + 1])?;
    let result = resized(&writer, 1);
    let left = drained(&mut reader)?;
    Ok(Seen {
        observed: format!("{}, {left} of {} bytes still there", answer(&result), page + 1),
        textbook: left < page + 1,
        as_explained: failed_with(&result, Errno::EBUSY) && left == page + 1,
    })
}

fn not_beyond_the_limit() -> io::Result<Seen> {
    let text = fs::read_to_string("/proc/sys/fs/pipe-max-size")?;
    let limit: i32 = text.trim().parse().map_err(io::Error::other)?;
    let (_reader, writer) = pipe()?;
    let result = resized(&writer, limit.saturating_mul(2));
    let refused = failed_with(&result, Errno::EPERM);
    let observed = match &result {
        Ok(size) => format!("{size} bytes, by CAP_SYS_RESOURCE; the limit is {limit}"),
        Err(_) => format!("{}; the limit is {limit}", answer(&result)),
    };
    let as_explained = refused || (result.is_ok() && has_cap_sys_resource()?);
    Ok(Seen { observed, textbook: refused, as_explained })
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
    fn a_pipe_holds_what_the_book_says_but_half_of_it_in_messages_of_half_a_page_and_a_byte() {
        let lines = all().unwrap();
        let observed = |at: usize| (lines[at].observed.as_str(), lines[at].textbook);
        assert_eq!(observed(0), ("65536 bytes", Textbook::Right));
        assert_eq!(observed(1), ("65536 bytes in 65536 writes", Textbook::Wrong));
        assert_eq!(observed(2), ("32784 bytes in 16 writes", Textbook::Wrong));
    }
}
