//! A network virtual terminal (RFC 854): lines of text with commands among them, as Telnet and FTP share them.
//!
//! | file | what |
//! |---|---|
//! | `scan.rs` | bytes to text and commands |
//! | `nvt.rs` | [`Nvt`]: the line being typed, refused options, the Synch |
//!
//! A line ends with CR LF, CR NUL, LF or CR. Other NULs are nothing.
//!
//! Every option is refused: with WONT or DONT, and once per option, so that no two sides can answer each other for ever
//! (RFC 1143 says how that happens). The exception is the timing mark (RFC 860): it is asked for again and again, and its
//! answer *is* the mark, so every DO gets a WILL.

mod scan;

use std::mem;

use bytes::{Buf, BytesMut};

pub(crate) use scan::{Command, IAC, Piece, pieces};
use scan::{DONT, End, Verb, WILL, WONT, scan, sift};

use crate::Malformed;

/// The longest line, without its end: 1 KiB. A longer one ends the connection.
pub const LINE_BYTES_MAX: usize = 1024;

/// The option of RFC 860.
const TIMING_MARK: u8 = 6;
/// The longest line with its end, in bytes before anything in it is erased or unescaped; what is longer is no command.
const TYPED_BYTES_MAX: usize = LINE_BYTES_MAX + 2;

/// What a terminal has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is there, before any byte: both protocols greet.
    Opened,
    /// A line, without its end.
    Line(Vec<u8>),
    /// A command that is not about the line or a Synch.
    Command(Command),
    /// An option that is to be refused with these bytes.
    Option([u8; 3]),
    /// A Synch has ended that has discarded so many bytes of text.
    Synch(u64),
}

/// The server's end of a network virtual terminal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nvt {
    stage: Stage,
    /// The line being typed.
    line: Vec<u8>,
    /// Bytes of text that have come for it, erased ones too.
    typed: u64,
    line_end: LineEnd,
    synch: Synch,
    refused: Refused,
    /// What had come of the next line when the last was taken: urgent data may belong to it.
    begun: Vec<u8>,
}

/// Whether anything has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    New,
    Opened,
}

/// Where the last line ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LineEnd {
    #[default]
    Passed,
    /// After a CR; a LF or NUL that follows belongs to it.
    Cr,
}

/// Whether text counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Synch {
    #[default]
    None,
    /// Text is discarded, and has been so many bytes, until a data mark.
    Discarding(u64),
}

impl Nvt {
    /// Takes what comes next from the front of `input`.
    ///
    /// # Errors
    /// [`Malformed::TooLarge`] for a line or a subnegotiation that does not end.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Malformed> {
        if mem::replace(&mut self.stage, Stage::Opened) == Stage::New {
            return Ok(Some(Event::Opened));
        }
        let mut at = 0;
        let mut event = None;
        while let Some((piece, length)) = scan(&input[at..])? {
            at += length;
            event = self.take(piece)?;
            if event.is_some() {
                break;
            }
        }
        if self.line_end == LineEnd::Cr && event.is_some() && is_rest_of_line_end(input.get(at)) {
            self.line_end = LineEnd::Passed;
            at += 1;
        }
        input.advance(at);
        // Only what a line asks for can take so long that it is worth an interrupt.
        self.begun.clear();
        if matches!(event, Some(Event::Line(_))) {
            self.begun.extend_from_slice(unfinished(input));
        }
        Ok(event)
    }

    fn take(&mut self, piece: Piece) -> Result<Option<Event>, Malformed> {
        Ok(match piece {
            Piece::Text(byte) => self.text(byte)?.map(Event::Line),
            Piece::Option(verb, option) => self.refused.answer(verb, option).map(Event::Option),
            Piece::Subnegotiation => None,
            Piece::Command(command) => match command {
                Command::EraseCharacter => {
                    self.erase_character();
                    None
                }
                Command::EraseLine => {
                    self.line.clear();
                    None
                }
                Command::DataMark => match mem::take(&mut self.synch) {
                    Synch::None | Synch::Discarding(0) => None,
                    Synch::Discarding(bytes) => Some(Event::Synch(bytes)),
                },
                Command::Nothing => None,
                Command::Break
                | Command::Interrupt
                | Command::AbortOutput
                | Command::AreYouThere => Some(Event::Command(command)),
            },
        })
    }

    /// One byte of text; the line, if this is its end.
    fn text(&mut self, byte: u8) -> Result<Option<Vec<u8>>, Malformed> {
        let after_cr = mem::take(&mut self.line_end) == LineEnd::Cr;
        if after_cr && is_rest_of_line_end(Some(&byte)) {
            return Ok(None);
        }
        if let Synch::Discarding(bytes) = &mut self.synch {
            *bytes += 1;
            return Ok(None);
        }
        self.typed += 1;
        match byte {
            b'\0' => {}
            b'\r' | b'\n' => {
                self.line_end = if byte == b'\r' { LineEnd::Cr } else { LineEnd::Passed };
                self.typed = 0;
                return Ok(Some(mem::take(&mut self.line)));
            }
            _ if self.line.len() == LINE_BYTES_MAX => {
                return Err(Malformed::TooLarge { what: "line", limit: LINE_BYTES_MAX });
            }
            _ => self.line.push(byte),
        }
        Ok(None)
    }

    /// All bytes of the last character, if the line is UTF-8.
    fn erase_character(&mut self) {
        while self.line.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
    }

    /// Begins a Synch whose urgent byte is the last of `input` (RFC 854): all text is discarded, what has come of a line
    /// too, and the commands stay.
    ///
    /// It ends with a data mark at or after the urgent byte: some clients send IAC as the urgent byte and the mark behind
    /// it. A mark before is that of an earlier Synch, whose notice this one has overtaken.
    pub(crate) fn synch(&mut self, input: &mut BytesMut) {
        let before = match self.synch {
            Synch::None => 0,
            Synch::Discarding(bytes) => bytes,
        };
        self.synch = Synch::Discarding(before + mem::take(&mut self.typed));
        self.line.clear();
        sift(input, |piece, end| match piece {
            Piece::Text(byte) => {
                let taken = self.text(byte);
                debug_assert_eq!(taken, Ok(None), "a Synch discards");
                false
            }
            Piece::Command(Command::DataMark) => end == End::Reached,
            Piece::Command(_) | Piece::Option(..) => true,
            Piece::Subnegotiation => false,
        });
    }

    /// What has come for the line after the last, and what is behind it: what had been read by then, and what is `unread`.
    pub(crate) fn since_last_line(&self, unread: &[u8]) -> Vec<u8> {
        [&self.begun, unread].concat()
    }
}

/// Removes the commands from `input`; text and options stay.
pub(crate) fn strip_commands(input: &mut BytesMut) {
    sift(input, |piece, _end| match piece {
        Piece::Text(_) | Piece::Option(..) => true,
        Piece::Command(_) | Piece::Subnegotiation => false,
    });
}

fn is_rest_of_line_end(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'\n' | b'\0'))
}

/// What follows the last line end.
fn unfinished(input: &[u8]) -> &[u8] {
    let window = &input[input.len().saturating_sub(TYPED_BYTES_MAX)..];
    let start =
        window.iter().rposition(|byte| matches!(byte, b'\r' | b'\n')).map_or(0, |end| end + 1);
    &window[start..]
}

/// The options that have been refused; one bit each.
#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    ours: [u64; 4],
    theirs: [u64; 4],
}

impl Refused {
    /// What is to be answered, if anything.
    fn answer(&mut self, verb: Verb, option: u8) -> Option<[u8; 3]> {
        match verb {
            Verb::Do if option == TIMING_MARK => Some([IAC, WILL, option]),
            Verb::Do => mark(&mut self.ours, option).then_some([IAC, WONT, option]),
            Verb::Will => mark(&mut self.theirs, option).then_some([IAC, DONT, option]),
            // It is so already.
            Verb::Dont | Verb::Wont => None,
        }
    }
}

/// Marks an option; whether it was not.
fn mark(options: &mut [u64; 4], option: u8) -> bool {
    let (word, bit) = (&mut options[usize::from(option / 64)], 1 << (option % 64));
    let is_new = *word & bit == 0;
    *word |= bit;
    is_new
}

#[cfg(test)]
mod tests;
