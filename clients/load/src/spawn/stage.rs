//! What the ways of starting share during one run.

use nix::sys::prctl;
use nix::unistd::geteuid;
use palco_actors::System;
use palco_processes::{Confinement, Launch, Spawner, Zygote};
use palco_threads::block_on;

use crate::actors::Refusal;
use crate::compiled::Compiled;

const VFORK: &str = include_str!("vfork.c");

/// Held for the whole run, so that a turn has nothing to start but what it measures.
pub(super) struct Stage {
    pub(super) system: Result<System, Refusal>,
    pub(super) spawner: Result<Spawner, Refusal>,
    /// Of this program; its forks get a birth that is no actor's, say so to nobody, and end.
    pub(super) zygote: Result<Zygote, Refusal>,
    pub(super) vfork: Result<Compiled, Refusal>,
    pub(super) is_root: bool,
}

impl Stage {
    pub(super) fn new() -> Self {
        let spawner = Spawner::new().map_err(Refusal::failed);
        Self {
            system: System::builder().event_loops(2).build().map_err(Refusal::failed),
            zygote: spawner.clone().and_then(|spawner| zygote(&spawner)),
            spawner,
            vfork: Compiled::new("vfork", VFORK).map_err(Refusal::failed),
            is_root: geteuid().is_root(),
        }
    }
}

fn zygote(spawner: &Spawner) -> Result<Zygote, Refusal> {
    let null = std::fs::File::options().write(true).open("/dev/null").map_err(Refusal::failed)?;
    let launch = Launch::this_program().arg0("palco-zygote").quiet_stdin().fd(2, null);
    block_on(Zygote::start(spawner, launch, &Confinement::none())).map_err(Refusal::failed)
}

/// Memory of this process, all of it touched, in pages of the usual size: large ones would make a fork cheap. Held until
/// dropped.
#[derive(Debug)]
pub struct Ballast {
    pub(super) mib: usize,
    _bytes: Vec<u8>,
}

impl Ballast {
    /// So many MiB.
    #[must_use]
    pub fn touch(mib: usize) -> Self {
        // Refused only by kernels that have no large pages.
        let _set = prctl::set_thp_disable(true);
        let bytes = vec![1; mib << 20];
        let _set = prctl::set_thp_disable(false);
        Self { mib, _bytes: bytes }
    }
}
