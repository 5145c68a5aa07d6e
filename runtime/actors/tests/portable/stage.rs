//! Runs one body on a system of its own, in one place, and closes the books afterwards.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::future::{Either, select};
use libtest_mimic::Trial;
use palco_actors::{
    ActorRef, Clock, Parcel, Place, PlaceKind, ProcessOptions, RemoteOptions, SpawnOptions, Start,
    System, Transport, UrgentRef,
};
use palco_threads::block_on;

use crate::cable;
use crate::nodes::{Between, OtherNode};
use crate::probe::{Plan, Probe};

/// Against hanging only: nothing that works takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Whether who runs the tests may not make network namespaces.
static NO_NAMESPACES: LazyLock<bool> = LazyLock::new(|| cable::denied().is_some());

static WATCH: LazyLock<Clock> = LazyLock::new(Clock::real);

/// Where the actors of a test live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Task,
    Thread,
    Fiber,
    Process,
    Zygote,
    Ring,
    /// On another node, as a task there.
    Remote(Between),
    /// On another node, as a thread there.
    RemoteThread(Between),
}

impl Column {
    pub(crate) const ALL: [Self; 10] = [
        Self::Task,
        Self::Fiber,
        Self::Thread,
        Self::Process,
        Self::Zygote,
        Self::Ring,
        Self::Remote(Between::Memory),
        Self::Remote(Between::Loopback),
        Self::Remote(Between::Delays),
        Self::Remote(Between::Cable),
    ];
    /// Where open files can be sent, and what a handler does is noted step by step.
    pub(crate) const OF_THIS_MACHINE: [Self; 6] =
        [Self::Task, Self::Fiber, Self::Thread, Self::Process, Self::Zygote, Self::Ring];
    /// Where a call may block.
    pub(crate) const WITH_A_THREAD: [Self; 6] = [
        Self::Thread,
        Self::Process,
        Self::Zygote,
        Self::Ring,
        Self::RemoteThread(Between::Memory),
        Self::RemoteThread(Between::Loopback),
    ];
    pub(crate) const PROCESSES: [Self; 3] = [Self::Process, Self::Zygote, Self::Ring];

    fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Thread => "thread",
            Self::Fiber => "fiber",
            Self::Process => "process",
            Self::Zygote => "zygote",
            Self::Ring => "ring",
            Self::Remote(Between::Memory) => "remote",
            Self::Remote(Between::Loopback) => "remote_over_loopback",
            Self::Remote(Between::Delays) => "remote_with_delays",
            Self::Remote(Between::Cable) => "remote_over_a_cable",
            Self::RemoteThread(Between::Memory) => "remote_thread",
            Self::RemoteThread(_) => "remote_thread_over_loopback",
        }
    }

    /// What is between this node and the other.
    fn between(self) -> Option<Between> {
        match self {
            Self::Remote(between) | Self::RemoteThread(between) => Some(between),
            _ => None,
        }
    }
}

/// What a body gets.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) column: Column,
    /// The other node.
    node: Option<OtherNode>,
}

impl Stage {
    pub(crate) fn process(&self) -> ProcessOptions {
        let options = ProcessOptions::new();
        match self.column {
            Column::Zygote => options.start(Start::Zygote),
            Column::Ring => options.transport(Transport::Ring { bytes: 64 << 10 }),
            _ => options,
        }
    }

    pub(crate) fn options(&self) -> SpawnOptions {
        let there = match self.column {
            Column::RemoteThread(_) => PlaceKind::Thread,
            _ => PlaceKind::Task,
        };
        let place = match self.column {
            Column::Task => Place::Task,
            Column::Thread => Place::Thread,
            Column::Fiber => Place::Fiber,
            Column::Process | Column::Zygote | Column::Ring => Place::Process,
            Column::Remote(_) | Column::RemoteThread(_) => {
                Place::Remote(self.node.as_ref().unwrap().net.me())
            }
        };
        let remote = RemoteOptions::new().place_there(there);
        SpawnOptions::new().place(place).process(self.process()).remote(remote)
    }

    pub(crate) fn probe(&self) -> ActorRef<Probe> {
        self.probe_with(self.options(), Plan::default())
    }

    pub(crate) fn probe_with(&self, options: SpawnOptions, plan: Plan) -> ActorRef<Probe> {
        self.system.spawn_portable(options, move || Ok(Parcel::new(plan.clone()))).unwrap()
    }

    pub(crate) fn urgent(&self, probe: &ActorRef<Probe>) -> UrgentRef<Probe> {
        self.system.urgent_ref(probe).unwrap()
    }

    pub(crate) fn is_remote(&self) -> bool {
        self.node.is_some()
    }

    pub(crate) fn is_process(&self) -> bool {
        Column::PROCESSES.contains(&self.column)
    }
}

pub(crate) type Body = fn(&Stage) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;

/// One trial of a body for each column.
pub(crate) fn in_columns(name: &str, columns: &[Column], body: Body) -> Vec<Trial> {
    let trial = |column: &Column| {
        let column = *column;
        let is_denied = column.between() == Some(Between::Cable) && *NO_NAMESPACES;
        let trial = Trial::test(format!("{name}::in_{}", column.name()), move || {
            run(column, body);
            Ok(())
        });
        trial.with_ignored_flag(is_denied)
    };
    columns.iter().map(trial).collect()
}

fn run(column: Column, body: Body) {
    let system = System::builder().event_loops(2).build().unwrap();
    let node = column.between().map(|between| {
        let beside = OtherNode::beside(&system, between);
        block_on(in_time("the meeting of two nodes", beside))
    });
    let stage = Stage { system, column, node };
    block_on(async {
        in_time("the test body", body(&stage)).await;
        in_time("the shutdown", stage.system.shutdown()).await;
        if let Some(other) = &stage.node {
            in_time("the end of the other node", other.system.shutdown()).await;
        }
    });
    for system in [Some(&stage.system), stage.node.as_ref().map(|of| &of.system)] {
        let Some(ledger) = system.map(System::ledger) else { continue };
        assert!(ledger.is_balanced(), "messages were lost or doubled: {ledger:?}");
        assert_eq!((ledger.queued, ledger.in_flight), (0, 0), "all actors have ended: {ledger:?}");
    }
}

/// Fails instead of hanging.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match select(pin!(future), WATCH.sleep(LIMIT)).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("{what} hangs"),
    }
}

/// Waits until `holds`.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        WATCH.sleep(Duration::from_millis(1)).await;
    }
}

/// Lists the bodies of a module for the columns that follow.
macro_rules! trials {
    ($($columns:expr => [$($body:ident),* $(,)?]),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            let mut trials = Vec::new();
            $($(trials.extend($crate::stage::in_columns(
                stringify!($body),
                &$columns,
                |stage| Box::pin($body(stage)),
            ));)*)*
            trials
        }
    };
}

pub(crate) use trials;
