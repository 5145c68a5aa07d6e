//! A pair of sockets: blocking reads and writes of std.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use super::super::contest::{Load, Outcome, Refusal};
use super::{ANSWER_WITHIN, End, FRAME_BYTES, Frame, against, frame, read_frame};

/// How much is read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// How frames that need no answer are written.
#[derive(Clone, Copy)]
pub(super) enum Writes {
    /// Each by itself.
    Each,
    /// All of a burst together.
    Burst,
}

/// The asker's end.
pub(super) struct Asker {
    stream: UnixStream,
    writes: Writes,
    waiting: Vec<u8>,
}

impl End for Asker {
    fn tell(&mut self, number: u64) -> Result<(), Refusal> {
        match self.writes {
            Writes::Each => self.stream.write_all(&frame(number, false)).map_err(Refusal::failed),
            Writes::Burst => {
                self.waiting.extend_from_slice(&frame(number, false));
                Ok(())
            }
        }
    }

    fn ask(&mut self, number: u64) -> Result<u64, Refusal> {
        self.waiting.extend_from_slice(&frame(number, true));
        self.stream.write_all(&self.waiting).map_err(Refusal::failed)?;
        self.waiting.clear();
        let mut answer: Frame = [0; FRAME_BYTES];
        self.stream.read_exact(&mut answer).map_err(Refusal::failed)?;
        Ok(read_frame(&answer).0)
    }
}

/// One round.
pub(super) fn play(load: Load, writes: Writes, job: fn(Load, Asker) -> Outcome) -> Outcome {
    let (stream, there) = UnixStream::pair().map_err(Refusal::failed)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(Refusal::failed)?;
    against(super::Read::Socket, there.into(), move || {
        job(load, Asker { stream, writes, waiting: Vec::new() })
    })
}

/// The other process: until nobody writes any more.
pub(super) fn count(mut stream: UnixStream) -> io::Result<()> {
    let (mut count, mut buffer, mut filled) = (0_u64, vec![0; BUFFER_BYTES], 0);
    loop {
        filled += match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let whole = filled - filled % FRAME_BYTES;
        for (number, asked) in buffer[..whole].chunks_exact(FRAME_BYTES).map(read_frame) {
            count += number;
            if asked {
                stream.write_all(&frame(count, false))?;
            }
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn however_it_is_written_it_is_counted() {
        for writes in [Writes::Each, Writes::Burst] {
            let (stream, there) = UnixStream::pair().unwrap();
            let counting = thread::spawn(move || count(there));
            let mut asker = Asker { stream, writes, waiting: Vec::new() };
            for _ in 0..2_000 {
                asker.tell(2).unwrap();
            }
            assert_eq!(asker.ask(1), Ok(4_001));
            drop(asker);
            counting.join().unwrap().unwrap();
        }
    }
}
