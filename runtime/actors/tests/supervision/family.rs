//! A supervisor and three children that write into one log.

use palco_actors::{ActorRef, Backoff, Restart, SpawnOptions, Strategy, Supervision, Supervisor};

use crate::harness::Stage;
use crate::probe::{Fault, Log, Probe, Subject, deliberate_panic};

pub(crate) struct Family {
    pub(crate) supervisor: ActorRef<Supervisor>,
    pub(crate) log: Log,
    pub(crate) children: Vec<Subject>,
}

/// Restarts at once and gives up late.
pub(crate) fn patient(strategy: Strategy) -> Supervision {
    let policy = Supervision::default().with_strategy(strategy).with_backoff(Backoff::NONE);
    policy.with_intensity(1_000, std::time::Duration::from_secs(60))
}

impl Family {
    /// Children `a`, `b`, `c`, started in this order.
    pub(crate) async fn new(stage: &Stage, policy: Supervision, restart: Restart) -> Self {
        let supervisor =
            stage.system.spawn(SpawnOptions::new(), move || Supervisor::new(policy)).unwrap();
        let mut family = Self { supervisor, log: Log::default(), children: Vec::new() };
        for name in ["a", "b", "c"] {
            family.add(stage.options().restart(restart), name, &[]);
            family.log.until(&format!("{name} started"), 1).await;
        }
        family
    }

    pub(crate) fn add(
        &mut self,
        options: SpawnOptions,
        name: &'static str,
        faults: &'static [Fault],
    ) {
        let log = self.log.clone();
        let make = Probe::lives(name, &log, faults);
        let actor = self.supervisor.supervise(options, make).unwrap();
        self.children.push(Subject { actor, log });
    }

    /// Lets a child fail and waits until it has been started again for the `times`-th time.
    pub(crate) async fn fail(&self, child: usize, name: &str, times: usize) {
        self.children[child].actor.tell(deliberate_panic()).await.unwrap();
        self.log.until(&format!("{name} started"), times + 1).await;
    }

    /// What was written since the children were up.
    pub(crate) fn news(&self) -> Vec<String> {
        let mut entries = self.log.entries();
        entries.split_off(self.children.len())
    }
}
