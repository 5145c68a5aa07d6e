//! A disk that breaks when it is told to: for tests, and for who wants to see that a node stops as it should.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::Arc;

use parking_lot::Mutex;

use super::medium::{Listed, Medium, Operation, Space, Tail, append_all};

/// What of a file that was not flushed survives or not as one.
const SECTOR_BYTES: usize = 512;

/// The file in which what survives is put together.
const SURVIVING: &str = "surviving.torn";

/// A [`Medium`] around another one, which must be used through nothing else. Fails as told by [`Breakable::break_at`];
/// and when the machine crashes ([`Breakable::crash`]) what was not flushed is lost, but for torn parts. Clones are the
/// same.
#[derive(Clone, Debug)]
pub struct Breakable {
    inner: Arc<dyn Medium>,
    state: Arc<Mutex<State>>,
}

/// How something breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Input/output error. A flush that fails so has lost what it should have flushed, though it can still be read, and
    /// the next one says that all is well: that is what Linux does (pitfall 29).
    Failure,
    /// Input/output error, although it was done.
    FailureAfter,
    /// No space left on the device.
    Full,
    /// Only half is appended, and it says so. Other operations are not affected.
    Short,
    /// The machine stops instead: everything fails until it is started again.
    OffBefore,
    /// The machine stops as soon as it is done, and nobody is told.
    OffAfter,
}

#[derive(Debug, Default)]
struct State {
    done: u64,
    breaks: Vec<Planned>,
    is_off: bool,
    names: BTreeMap<String, u64>,
    files: HashMap<u64, Written>,
    last: u64,
}

#[derive(Debug)]
struct Planned {
    /// Of which operations; nothing for all.
    operation: Option<Operation>,
    /// How many of them go well first.
    well: u64,
    how: Break,
}

#[derive(Clone, Copy, Debug, Default)]
struct Written {
    bytes: u64,
    durable: u64,
    /// A flush has failed: no other makes good for it.
    is_doomed: bool,
}

/// What an operation has to do.
enum Turn {
    Well,
    Short,
    ThenFailure,
    ThenOff,
}

impl Breakable {
    /// Around another, whose files count as flushed.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn around(inner: Arc<dyn Medium>) -> io::Result<Self> {
        let this = Self { inner, state: Arc::default() };
        for Listed { file, bytes } in this.inner.list()? {
            this.state.lock().name(&file, Written { bytes, durable: bytes, is_doomed: false });
        }
        Ok(this)
    }

    /// Once, after `well` more operations of this kind (or of all kinds) have gone well.
    pub fn break_at(&self, operation: Option<Operation>, well: u64, how: Break) {
        self.state.lock().breaks.push(Planned { operation, well, how });
    }

    /// Operations until now.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state.lock().done
    }

    /// Whether the machine has stopped.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state.lock().is_off
    }

    /// Only the process ends: what it has written can be read by the next, and is still not flushed. Nothing breaks any
    /// more that was planned.
    pub fn restart(&self) {
        let mut state = self.state.lock();
        state.is_off = false;
        state.breaks.clear();
    }

    /// The machine ends and is started again. Of what was not flushed, sectors survive or read as zeros, and the end is
    /// cut anywhere: as the lots fall that begin with `seed`. Nothing breaks any more that was planned.
    ///
    /// # Errors
    /// The inner medium's.
    pub fn crash(&self, seed: u64) -> io::Result<()> {
        self.restart();
        let mut state = self.state.lock();
        let mut lots = Lots(seed);
        for (file, id) in state.names.clone() {
            let written = state.files.entry(id).or_default();
            if written.durable < written.bytes {
                written.bytes = self.tear(&file, written.durable, &mut lots)?;
                written.durable = written.bytes;
            }
            written.is_doomed = false;
        }
        Ok(())
    }

    /// Says how long the file is now.
    fn tear(&self, file: &str, durable: u64, lots: &mut Lots) -> io::Result<u64> {
        let mut bytes = Vec::new();
        self.inner.read(file)?.read_to_end(&mut bytes)?;
        let durable = usize::try_from(durable).map_err(io::Error::other)?;
        let tail = &mut bytes[durable..];
        let end = lots.below(tail.len() + 1);
        // Every fourth time it is a clean cut, every fourth all that is lost.
        match lots.below(4) {
            0 => {}
            1 => tail.fill(0),
            _ => tail
                .chunks_mut(SECTOR_BYTES)
                .filter(|_| lots.below(2) == 0)
                .for_each(|sector| sector.fill(0)),
        }
        bytes.truncate(durable + end);
        let mut survives = self.inner.create(SURVIVING)?;
        append_all(&mut *survives, &bytes)?;
        survives.sync()?;
        self.inner.rename(SURVIVING, file)?;
        Ok(bytes.len() as u64)
    }

    fn run<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut State, &Turn) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock();
        let turn = state.turn(operation)?;
        let result = act(&mut state, &turn);
        match turn {
            Turn::ThenOff => {
                state.is_off = true;
                Err(off())
            }
            Turn::ThenFailure => Err(nix::Error::EIO.into()),
            Turn::Well | Turn::Short => result,
        }
    }
}

impl State {
    fn turn(&mut self, operation: Operation) -> io::Result<Turn> {
        if self.is_off {
            return Err(off());
        }
        self.done += 1;
        let mut due = None;
        self.breaks.retain_mut(|planned| {
            let is_meant = planned.operation.is_none_or(|meant| meant == operation);
            let is_due = is_meant && planned.well == 0 && due.is_none();
            if is_due {
                due = Some(planned.how);
            } else if is_meant {
                planned.well = planned.well.saturating_sub(1);
            }
            !is_due
        });
        match due {
            None => Ok(Turn::Well),
            Some(Break::Short) => Ok(Turn::Short),
            Some(Break::FailureAfter) => Ok(Turn::ThenFailure),
            Some(Break::OffAfter) => Ok(Turn::ThenOff),
            Some(Break::OffBefore) => {
                self.is_off = true;
                Err(off())
            }
            Some(Break::Full) => Err(nix::Error::ENOSPC.into()),
            Some(Break::Failure) => Err(nix::Error::EIO.into()),
        }
    }

    fn name(&mut self, file: &str, written: Written) -> u64 {
        self.last += 1;
        self.names.insert(file.to_owned(), self.last);
        self.files.insert(self.last, written);
        self.last
    }
}

fn off() -> io::Error {
    io::Error::other("the machine is off")
}

impl Medium for Breakable {
    fn create(&self, file: &str) -> io::Result<Box<dyn Tail>> {
        self.run(Operation::Create, |state, _| {
            let inner = self.inner.create(file)?;
            let id = state.name(file, Written::default());
            Ok(Box::new(BreakableTail { inner, id, breakable: self.clone() }) as Box<dyn Tail>)
        })
    }

    fn list(&self) -> io::Result<Vec<Listed>> {
        self.run(Operation::List, |_, _| self.inner.list())
    }

    fn read(&self, file: &str) -> io::Result<Box<dyn Read + Send>> {
        self.run(Operation::Read, |_, _| self.inner.read(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.run(Operation::Rename, |state, _| {
            self.inner.rename(from, to)?;
            if let Some(id) = state.names.remove(from) {
                state.names.insert(to.to_owned(), id);
            }
            Ok(())
        })
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        self.run(Operation::Remove, |state, _| {
            self.inner.remove(file)?;
            state.names.remove(file);
            Ok(())
        })
    }

    fn space(&self) -> io::Result<Space> {
        self.run(Operation::Space, |_, _| self.inner.space())
    }
}

#[derive(Debug)]
struct BreakableTail {
    inner: Box<dyn Tail>,
    id: u64,
    breakable: Breakable,
}

impl Tail for BreakableTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { inner, id, breakable } = self;
        breakable.run(Operation::Append, |state, turn| {
            let some = match turn {
                Turn::Short => &bytes[..bytes.len().div_ceil(2)],
                Turn::Well | Turn::ThenFailure | Turn::ThenOff => bytes,
            };
            let count = inner.append(some)?;
            state.files.entry(*id).or_default().bytes += count as u64;
            Ok(count)
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let Self { inner, id, breakable } = self;
        let result = breakable.run(Operation::Sync, |state, _| {
            inner.sync()?;
            let written = state.files.entry(*id).or_default();
            if !written.is_doomed {
                written.durable = written.bytes;
            }
            Ok(())
        });
        if result.is_err() {
            breakable.state.lock().files.entry(*id).or_default().is_doomed = true;
        }
        result
    }

    fn trim(&mut self) -> io::Result<()> {
        self.inner.trim()
    }
}

/// Sebastiano Vigna's SplitMix64 (2015), public domain: numbers that look like chance and begin with a seed.
#[derive(Debug)]
struct Lots(u64);

impl Lots {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

#[cfg(test)]
mod tests;
