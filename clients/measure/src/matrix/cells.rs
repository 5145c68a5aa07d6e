//! The cells of each topic.

use super::{Extent, Filter, Matrix};
use crate::create;
use crate::{Cores, Key, Pages, Pattern, Policy, Section, Unit};

/// Mechanisms that block, for both kinds of kernel units.
pub(super) const SHARED: [&str; 12] = [
    "yield",
    "futex-shared",
    "eventfd",
    "pipe",
    "unix-stream",
    "unix-seqpacket",
    "mqueue",
    "sysv-sem",
    "sysv-msg",
    "shm-ring",
    "signal",
    "tcp",
];

/// Mechanisms that only threads have.
const THREADS: [&str; 3] = ["futex-private", "condvar", "park"];

/// What can be woken on another core.
pub(super) const ACROSS: [&str; 6] =
    ["spin", "spin-futex", "futex-shared", "eventfd", "pipe", "tcp"];

const FIBERS: [&str; 2] = ["yield", "unpark"];

const TASKS: [&str; 7] = [
    "tokio-yield",
    "tokio-notify",
    "tokio-mpsc",
    "actix-tell",
    "actix-ask",
    "palco-tell",
    "palco-ask",
];

const FLOORS: [&str; 5] = ["call", "clock", "getppid", "eventfd-self", "pipe-self"];

/// Working sets of a usual run, in bytes.
const WORKING_SETS: [u64; 6] = [0, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20];

/// What each unit of a ring touches: 64 pages.
const RING_BYTES: u64 = 64 << 12;

impl Matrix {
    pub(super) fn switch(extent: Extent) -> Self {
        let mut matrix = Self::default();
        matrix.add(Key::new(Section::Floor, Unit::Thread, "bare"));
        for floor in FLOORS {
            matrix.add(Key::new(Section::Floor, Unit::Inline, floor));
        }
        matrix.main_questions();
        if extent == Extent::Quick {
            for unit in [Unit::Fiber, Unit::Thread, Unit::Process] {
                matrix.add(working_set(unit, 0, Pattern::Chase, Pages::Small));
                matrix.add(working_set(unit, 1 << 20, Pattern::Chase, Pages::Small));
            }
            return matrix.with_rings(vec![2, 4, 5, 8]);
        }
        for mechanism in FIBERS {
            matrix.add(hop(Unit::Fiber, mechanism, Cores::Same));
        }
        for mechanism in TASKS {
            matrix.add(hop(Unit::Task, mechanism, Cores::Same));
        }
        for mechanism in SHARED {
            let question = format!("a process switch against a thread switch, {mechanism}");
            let sides = [Unit::Process, Unit::Thread].map(|unit| hop(unit, mechanism, Cores::Same));
            let [subject, baseline] = sides;
            if matrix.pairs.iter().all(|pair| pair.subject != subject) {
                matrix.compare(question, subject, baseline);
            }
        }
        for mechanism in THREADS {
            matrix.add(hop(Unit::Thread, mechanism, Cores::Same));
        }
        matrix.add(hop(Unit::Thread, "palco-tell", Cores::Same));
        for unit in [Unit::Thread, Unit::Process] {
            for mechanism in ACROSS {
                matrix.add(hop(unit, mechanism, Cores::Other));
            }
        }
        matrix.working_sets(extent);
        let sizes = ring_sizes(extent, &Filter::default());
        if extent == Extent::Full {
            matrix.everything_else();
        }
        matrix.with_rings(sizes)
    }

    fn main_questions(&mut self) {
        let same = |unit, mechanism| hop(unit, mechanism, Cores::Same);
        let other = |unit, mechanism| hop(unit, mechanism, Cores::Other);
        let (thread, process) =
            (same(Unit::Thread, "futex-shared"), same(Unit::Process, "futex-shared"));
        self.compare("a process switch against a thread switch, futex", process, thread.clone());
        let pipes = [Unit::Process, Unit::Thread].map(|unit| same(unit, "pipe"));
        let [subject, baseline] = pipes;
        self.compare("a process switch against a thread switch, pipe", subject, baseline);
        let private = same(Unit::Thread, "futex-private");
        self.compare("a fiber switch against a thread switch", same(Unit::Fiber, "yield"), private);
        self.add(same(Unit::Task, "tokio-notify"));
        self.add(same(Unit::Task, "actix-tell"));
        self.add(same(Unit::Task, "palco-tell"));
        self.add(same(Unit::Fiber, "palco-tell"));
        self.add(same(Unit::Thread, "yield"));
        let blocks = other(Unit::Thread, "futex-shared");
        self.compare(
            "waking a thread on another core against one on the same",
            blocks.clone(),
            thread,
        );
        let spins = other(Unit::Thread, "spin");
        self.compare("spinning on another core against blocking there", spins, blocks);
    }

    fn working_sets(&mut self, extent: Extent) {
        let pages = |bytes: u64| match (extent, bytes) {
            (Extent::Full, _) | (_, 1_048_576..) => vec![Pages::Small, Pages::Huge],
            _ => vec![Pages::Small],
        };
        for bytes in WORKING_SETS {
            for pattern in [Pattern::Chase, Pattern::Sequential] {
                for pages in pages(bytes) {
                    if pages == Pages::Huge
                        && pattern == Pattern::Sequential
                        && extent != Extent::Full
                    {
                        continue;
                    }
                    self.working_set(bytes, pattern, pages);
                }
            }
        }
    }

    fn working_set(&mut self, bytes: u64, pattern: Pattern, pages: Pages) {
        let cell = |unit| working_set(unit, bytes, pattern, pages);
        let thread = cell(Unit::Thread);
        let what = format!("with {} each touched at every hop", size(bytes));
        if pattern == Pattern::Chase && pages == Pages::Small {
            let (process, fiber) = (cell(Unit::Process), cell(Unit::Fiber));
            self.compare(
                format!("a process switch against a thread switch, {what}"),
                process,
                thread.clone(),
            );
            self.compare(format!("a fiber switch against a thread switch, {what}"), fiber, thread);
        } else {
            [Unit::Fiber, Unit::Process].into_iter().for_each(|unit| self.add(cell(unit)));
            self.add(thread);
        }
    }

    pub(super) fn with_rings(mut self, sizes: Vec<u32>) -> Self {
        for units in sizes {
            let [process, thread] = [Unit::Process, Unit::Thread].map(|unit| Key {
                units,
                working_set: RING_BYTES,
                ..Key::new(Section::Ring, unit, "futex")
            });
            let question = format!("a ring of {units} processes against one of threads");
            self.compare(question, process, thread);
        }
        self
    }

    /// What nobody waits for in a minute: usual scheduling, other cores by every mechanism, rings without memory.
    fn everything_else(&mut self) {
        for unit in [Unit::Thread, Unit::Process] {
            for mechanism in SHARED.into_iter().chain(["udp"]) {
                for cores in [Cores::Same, Cores::Other, Cores::Sibling] {
                    if mechanism != "yield" || cores == Cores::Same {
                        self.add(hop(unit, mechanism, cores));
                    }
                }
                if mechanism != "yield" {
                    let usual = hop(unit, mechanism, Cores::Same);
                    self.add(Key { policy: Policy::Other, ..usual });
                }
            }
            for units in ring_sizes(Extent::Full, &Filter::default()) {
                self.add(Key { units, ..Key::new(Section::Ring, unit, "futex") });
            }
        }
        for mechanism in ["condvar", "park", "futex-private"] {
            self.add(hop(Unit::Thread, mechanism, Cores::Other));
        }
    }

    pub(super) fn ipc(extent: Extent) -> Self {
        let mut matrix = Self::default();
        let latency: &[&str] = match extent {
            Extent::Quick => &["pipe", "unix-stream", "shm-ring"],
            Extent::Usual | Extent::Full => &[
                "pipe",
                "unix-stream",
                "unix-seqpacket",
                "mqueue",
                "sysv-msg",
                "shm-ring",
                "tcp",
                "udp",
            ],
        };
        let throughput: &[&str] = match extent {
            Extent::Quick => &["pipe", "unix-stream", "shm-ring"],
            Extent::Usual | Extent::Full => &[
                "pipe",
                "pipe-1M",
                "unix-stream",
                "unix-seqpacket",
                "tcp",
                "mqueue",
                "sysv-msg",
                "shm-ring",
            ],
        };
        for cores in [Cores::Same, Cores::Other] {
            for message in [64, 4096] {
                for mechanism in latency {
                    let key = Key::new(Section::IpcLatency, Unit::Process, *mechanism);
                    matrix.add(Key { cores, message, ..key });
                }
            }
            for message in [64, 4096, 64 << 10] {
                for mechanism in throughput {
                    let key = Key::new(Section::IpcThroughput, Unit::Process, *mechanism);
                    matrix.add(Key { cores, message, policy: Policy::Other, ..key });
                }
            }
        }
        matrix
    }
}

pub(super) fn hop(unit: Unit, mechanism: &str, cores: Cores) -> Key {
    Key { cores, ..Key::new(Section::Switch, unit, mechanism) }
}

pub(super) fn working_set(unit: Unit, bytes: u64, pattern: Pattern, pages: Pages) -> Key {
    let mechanism = match unit {
        Unit::Fiber => "yield",
        Unit::Inline | Unit::Task | Unit::Thread | Unit::Process => "futex-shared",
    };
    Key {
        working_set: bytes,
        pattern: Some(pattern),
        pages: Some(pages),
        ..Key::new(Section::WorkingSet, unit, mechanism)
    }
}

pub(super) fn ring_sizes(extent: Extent, filter: &Filter) -> Vec<u32> {
    match (filter.ring, extent) {
        (Some((from, to)), _) => (from..=to).collect(),
        (None, Extent::Quick) => vec![2, 4, 5, 8],
        (None, Extent::Usual) => vec![2, 3, 4, 5, 6, 7, 8, 12, 16],
        (None, Extent::Full) => (2..=32).collect(),
    }
}

pub(super) fn creations(extent: Extent) -> Vec<Key> {
    let is_wanted =
        |key: &Key| extent != Extent::Quick || key.heap == 0 || key.mechanism == "fork-wait";
    create::keys().into_iter().filter(is_wanted).collect()
}

/// Bytes as people write them: `16K`, `4M`.
fn size(bytes: u64) -> String {
    match bytes {
        0 => "nothing".to_owned(),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
