//! Placement `process`: a process of its own, made from data.
//!
//! The mailbox, the address and everything that a supervisor sees stay in the parent; a life takes place in the child.
//! In the order of one message's way:
//!
//! | file | where | what |
//! |---|---|---|
//! | `options.rs` | parent | how a process is started, confined, replaced |
//! | `relay.rs` | parent | from the mailbox to the process and back, on an event loop |
//! | `frames.rs` | parent | what the process sends, understood and not trusted |
//! | `../window.rs` | parent | what was handed over and is not dealt with; nothing of it is lost in a crash |
//! | `force.rs` | parent | signals: asked first, then made to obey |
//! | `link.rs`, `socket.rs` | parent | sockets, shared page, pidfd |
//! | `page.rs` | both | words that both see at any time |
//! | `wire.rs`, `ring.rs` | both | frames, and the way through shared memory |
//! | `repertoire.rs` | both | which actors a program can play, and which build it is |
//! | `child.rs`, `turn.rs` | child | born, confined, and the one loop |
//! | `../delivered.rs`, `receipt.rs`, `post.rs` | child | a message that came, and what goes back |

mod child;
mod force;
mod frames;
mod link;
mod options;
mod page;
mod post;
mod receipt;
mod relay;
mod repertoire;
mod ring;
mod socket;
mod turn;
mod wire;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use palco_processes::{Confinement, Spawner, Zygote};
use parking_lot::Mutex;

pub use child::{EnterError, enter};
pub use options::{ProcessOptions, Recycle, Start, Transport};
pub(crate) use page::{Page, SignalWord};
pub(crate) use post::Post;
pub(crate) use receipt::{Receipt, Running};
pub use repertoire::Repertoire;
pub(crate) use repertoire::repertoire;

use force::OomKills;

use crate::life::EndGuard;
use crate::vitals::Cell;
use crate::{Failure, Parcel, Portable, SpawnError, System};

/// So many zygotes are kept at most: the ones that were started last.
const ZYGOTES_MAX: usize = 8;

/// What all forks of one zygote have in common: their program, unless it is this one, and their confinement.
type Mould = (Option<PathBuf>, Confinement);

/// What a system needs to start processes; made when the first one is started.
#[derive(Default)]
pub(crate) struct Processes {
    spawner: OnceLock<Spawner>,
    /// In the order in which they were started.
    zygotes: Mutex<Vec<(Mould, Arc<Zygote>)>>,
    oom_kills: OnceLock<OomKills>,
}

impl Processes {
    fn spawner(&self) -> io::Result<Spawner> {
        if let Some(spawner) = self.spawner.get() {
            return Ok(spawner.clone());
        }
        self.oom_kills();
        let spawner = Spawner::new()?;
        Ok(self.spawner.get_or_init(|| spawner).clone())
    }

    /// Looked at for the first time before the first process is started.
    fn oom_kills(&self) -> &OomKills {
        self.oom_kills.get_or_init(OomKills::now)
    }

    fn zygote(&self, mould: &Mould) -> Option<Arc<Zygote>> {
        let zygotes = self.zygotes.lock();
        zygotes.iter().find(|(of, _)| of == mould).map(|(_, zygote)| Arc::clone(zygote))
    }

    /// The zygote that is used from now on for this mould; one that was used before ends.
    fn keep(&self, mould: Mould, zygote: Zygote) -> Arc<Zygote> {
        let zygote = Arc::new(zygote);
        let mut zygotes = self.zygotes.lock();
        zygotes.retain(|(of, _)| *of != mould);
        if zygotes.len() >= ZYGOTES_MAX {
            zygotes.remove(0);
        }
        zygotes.push((mould, Arc::clone(&zygote)));
        zygote
    }
}

/// Whether an `A` can live in a process; returns the identity of this build.
pub(super) fn check<A: Portable>(system: &System) -> Result<&'static str, SpawnError> {
    if system.clock().is_virtual() {
        return Err(SpawnError::VirtualTime);
    }
    let kind = A::kind();
    match repertoire::entered(&kind) {
        None => Err(SpawnError::NotEntered),
        Some((_, false)) => Err(SpawnError::UnknownKind(kind.into())),
        Some((identity, true)) => Ok(identity),
    }
}

pub(super) fn start<A: Portable>(
    system: &System,
    options: ProcessOptions,
    identity: &'static str,
    cell: Arc<Cell<A>>,
    pack: impl FnMut() -> Result<Parcel<A>, Failure> + Send + 'static,
) -> Result<(), SpawnError> {
    let end = EndGuard::new(cell);
    let (loops, on_system_loop) = (system.loops()?, options.on_system_loop);
    let life = move || relay::run(end, options, identity, pack);
    if on_system_loop { loops.start_on_system(life) } else { loops.start_near(life) }
}
