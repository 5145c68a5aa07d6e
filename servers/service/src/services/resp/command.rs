//! The arguments of one request.

use std::fmt;

use bytes::Bytes;

/// Arguments whose places fit into the command itself: enough for all commands on the hot path.
const FEW: usize = 4;

/// Where an argument lies in its frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Offsets fit because a frame is never above 4 GiB.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let offset = |at| u32::try_from(at).expect("a frame is at most 4 GiB");
        Self { start: offset(start), end: offset(end) }
    }
}

/// Places of arguments; on the heap only when there are many.
#[derive(Clone, Debug)]
pub(super) enum Spans {
    Few([Span; FEW], usize),
    Many(Vec<Span>),
}

impl Spans {
    pub(super) fn push(&mut self, span: Span) {
        match self {
            Self::Few(few, count) if *count < FEW => {
                few[*count] = span;
                *count += 1;
            }
            Self::Few(few, count) => {
                let mut many = Vec::with_capacity(2 * FEW);
                many.extend_from_slice(&few[..*count]);
                many.push(span);
                *self = Self::Many(many);
            }
            Self::Many(many) => many.push(span),
        }
    }

    pub(super) fn as_slice(&self) -> &[Span] {
        match self {
            Self::Few(few, count) => &few[..*count],
            Self::Many(many) => many,
        }
    }
}

impl Default for Spans {
    fn default() -> Self {
        Self::Few([Span::default(); FEW], 0)
    }
}

/// One command: its bytes as they came, and where its arguments lie in them.
///
/// Holds on to the read buffer it came from, so keep a copy of an argument, never the command.
#[derive(Clone, Default)]
pub struct Command {
    frame: Bytes,
    spans: Spans,
}

impl Command {
    pub(super) fn new(frame: Bytes, spans: Spans) -> Self {
        Self { frame, spans }
    }

    /// A command of these arguments, the name first.
    #[must_use]
    pub fn from_arguments<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut frame = Vec::new();
        let mut spans = Spans::default();
        for argument in arguments {
            let start = frame.len();
            frame.extend_from_slice(argument);
            spans.push(Span::new(start, frame.len()));
        }
        Self { frame: frame.into(), spans }
    }

    /// How many arguments there are, the name included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.as_slice().len()
    }

    /// Whether there is not even a name. A codec never yields such a command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first argument; empty if there is none.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.argument(0).unwrap_or_default()
    }

    /// The argument at `index`; 0 is the name.
    #[must_use]
    pub fn argument(&self, index: usize) -> Option<&[u8]> {
        self.spans.as_slice().get(index).map(|span| self.slice(*span))
    }

    /// The argument at `index`, sharing the bytes of the command.
    #[must_use]
    pub fn shared_argument(&self, index: usize) -> Option<Bytes> {
        let span = self.spans.as_slice().get(index)?;
        Some(self.frame.slice(span.start as usize..span.end as usize))
    }

    /// All arguments, the name first.
    #[must_use]
    pub fn arguments(&self) -> Arguments<'_> {
        Arguments { command: self, spans: self.spans.as_slice().iter() }
    }

    /// The arguments after the name.
    #[must_use]
    pub fn rest(&self) -> Arguments<'_> {
        Arguments {
            command: self,
            spans: self.spans.as_slice().get(1..).unwrap_or_default().iter(),
        }
    }

    fn slice(&self, span: Span) -> &[u8] {
        &self.frame[span.start as usize..span.end as usize]
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.arguments().eq(other.arguments())
    }
}

impl Eq for Command {}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.arguments().map(|bytes| bytes.escape_ascii().to_string()))
            .finish()
    }
}

/// Iterates over the arguments of a [`Command`].
#[derive(Clone, Debug)]
pub struct Arguments<'a> {
    command: &'a Command,
    spans: std::slice::Iter<'a, Span>,
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.spans.next().map(|span| self.command.slice(*span))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for Arguments<'_> {}
