//! Any mechanism, but one side goes away in the middle: the other must notice.

use std::io;

use super::End;

/// So many turns it takes before it goes.
const TURNS: u32 = 150;

/// An end, and how many turns it still takes.
#[derive(Debug)]
pub(crate) struct Deserter<E> {
    end: E,
    turns: Option<u32>,
}

/// The second of the ends is a deserter's.
pub(crate) fn desert<E>([first, second]: [E; 2]) -> [Deserter<E>; 2] {
    [Deserter { end: first, turns: None }, Deserter { end: second, turns: Some(TURNS) }]
}

impl<E: End> End for Deserter<E> {
    fn pass(&mut self, message: &[u8]) -> io::Result<()> {
        self.end.pass(message)
    }

    fn take(&mut self, message: &mut [u8]) -> io::Result<()> {
        if let Some(turns) = &mut self.turns {
            *turns = turns.checked_sub(1).ok_or_else(|| io::Error::other("it has deserted"))?;
        }
        self.end.take(message)
    }
}
