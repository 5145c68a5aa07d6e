//! A signal to the other side's thread, which waits for it.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::libc::SIGUSR1;
use palco_sys::{AwaitedSignal, SharedArea, signal_thread, thread_id};

use super::{End, Role, Ticket, patiently};

/// On its way to its side: neither knows the other's ids yet.
#[derive(Debug)]
pub(crate) struct SignalTicket {
    /// A line a side: its process, and its thread.
    ids: Arc<SharedArea>,
    role: Role,
}

/// One end.
#[derive(Debug)]
pub(crate) struct Signal {
    ids: Arc<SharedArea>,
    role: Role,
    own: AwaitedSignal,
    /// Process and thread of the other side, once they are known.
    peer: Option<(i32, i32)>,
}

pub(crate) fn pair() -> io::Result<[SignalTicket; 2]> {
    let ids = Arc::new(SharedArea::with_room(2, 0)?);
    Ok([Role::First, Role::Second].map(|role| SignalTicket { ids: ids.clone(), role }))
}

impl Ticket for SignalTicket {
    type End = Signal;

    fn arrive(self) -> io::Result<Signal> {
        let own = AwaitedSignal::block(SIGUSR1)?;
        let line = self.role.index();
        self.ids.word(line).store(process::id().into(), Ordering::Relaxed);
        self.ids.word32(line).store(thread_id().unsigned_abs(), Ordering::Release);
        Ok(Signal { ids: self.ids, role: self.role, own, peer: None })
    }
}

impl Signal {
    #[cold]
    fn find_peer(&mut self) -> io::Result<(i32, i32)> {
        let line = self.role.peer().index();
        let thread = self.ids.word32(line).load(Ordering::Acquire);
        let process = self.ids.word(line).load(Ordering::Relaxed);
        let ids = (i32::try_from(process), i32::try_from(thread));
        let (Ok(process), Ok(thread)) = ids else { return Err(io::ErrorKind::NotFound.into()) };
        Ok(*self.peer.insert((process, thread)))
    }
}

impl End for Signal {
    #[inline]
    fn pass(&mut self, _: &[u8]) -> io::Result<()> {
        let (process, thread) = match self.peer {
            Some(peer) => peer,
            None => self.find_peer()?,
        };
        signal_thread(process, thread, SIGUSR1)
    }

    #[inline]
    fn take(&mut self, _: &mut [u8]) -> io::Result<()> {
        patiently(|| self.own.wait())
    }
}
