//! One service that is on: its shared state, its supervisor, its doors.

use std::sync::Arc;

use palco_actors::{
    ActorRef, AnyRef, Place, Restart, SpawnError, SpawnOptions, Supervision, Supervisor,
};

use crate::door::{Door, Doorway};
use crate::service::{Definition, House, Service};
use crate::status::ServiceStatus;

/// Bytes of an actor's name that is made from an address.
const NAME_BYTES_MAX: usize = 100;

pub(super) struct Running {
    pub(super) service: Arc<Service>,
    pub(super) supervisor: ActorRef<Supervisor>,
    pub(super) doors: Vec<RunningDoor>,
}

/// A door, and the actor at it once it is open.
pub(super) struct RunningDoor {
    pub(super) way: Arc<Doorway>,
    actor: Option<AnyRef>,
}

impl Running {
    /// A service without doors.
    pub(super) fn new(
        root: &ActorRef<Supervisor>,
        house: &Arc<House>,
        definition: Definition,
    ) -> Result<Self, SpawnError> {
        let policy = Supervision::default();
        let options = SpawnOptions::new().name(actor_name(&definition.spec.id));
        let options = options.place(Place::SystemLoop).restart(Restart::OnFailure);
        let supervisor = root.supervise(options, move || Supervisor::new(policy))?;
        let service = Arc::new(Service::new(Arc::clone(house), definition));
        Ok(Self { service, supervisor, doors: Vec::new() })
    }

    /// One more door, still closed.
    pub(super) fn add(&mut self, way: Doorway) {
        self.doors.push(RunningDoor { way: Arc::new(way), actor: None });
    }

    /// Has an actor at every door that has none.
    pub(super) fn open(&mut self) -> Result<(), SpawnError> {
        for door in self.doors.iter_mut().filter(|door| door.actor.is_none()) {
            let name = actor_name(&door.way.addresses());
            let started = start(&self.supervisor, &self.service, &door.way, Some(name));
            let actor = match started {
                // A door of the same name is still waiting for its instances.
                Err(SpawnError::NameTaken(_)) => {
                    start(&self.supervisor, &self.service, &door.way, None)?
                }
                other => other?,
            };
            door.actor = Some(actor);
        }
        Ok(())
    }

    /// Takes the doors that `goes` says out of use; what they were.
    pub(super) fn close(&mut self, goes: impl Fn(&Doorway) -> bool) -> Vec<Arc<Doorway>> {
        let (gone, stay) =
            std::mem::take(&mut self.doors).into_iter().partition(|door| goes(&door.way));
        self.doors = stay;
        let gone: Vec<RunningDoor> = gone;
        gone.into_iter()
            .map(|door| {
                door.way.close();
                if door.actor.is_none() {
                    // Nobody is at it who would.
                    door.way.release();
                }
                door.way
            })
            .collect()
    }

    /// Ends it, unless something of it still runs.
    pub(super) fn has_departed(&self) -> bool {
        let departed = self.supervisor.any().children().is_empty();
        if departed {
            self.supervisor.stop();
        }
        departed
    }

    pub(super) fn instances(&self) -> usize {
        self.supervisor.any().children().iter().map(|door| door.children().len()).sum()
    }

    pub(super) fn status(&self) -> ServiceStatus {
        let doors = self.supervisor.any().children();
        let instances = doors.iter().flat_map(AnyRef::children);
        let mut snapshots: Vec<_> = instances.map(|instance| instance.snapshot()).collect();
        // Programs of a predecessor stand beside the doors.
        let others = doors.iter().map(AnyRef::snapshot);
        snapshots.extend(others.filter(|actor| actor.process.is_some()));
        ServiceStatus::of(&self.service, &snapshots)
    }

    pub(super) fn listening(&self) -> (String, Vec<String>) {
        let addresses = self.doors.iter().flat_map(|door| door.way.bound());
        (self.service.id.clone(), addresses.map(|address| address.to_string()).collect())
    }
}

fn start(
    supervisor: &ActorRef<Supervisor>,
    service: &Arc<Service>,
    way: &Arc<Doorway>,
    name: Option<String>,
) -> Result<AnyRef, SpawnError> {
    let options = SpawnOptions::new().restart(Restart::OnFailure);
    let options = match name {
        Some(name) => options.name(name),
        None => options,
    };
    let (service, way) = (Arc::clone(service), Arc::clone(way));
    let made = move || Door::new(Arc::clone(&service), Arc::clone(&way));
    Ok(supervisor.supervise(options, made)?.any())
}

/// A part of a path, made from any text.
fn actor_name(text: &str) -> String {
    let part = |c: char| match c {
        '/' | '#' => '_',
        c if c.is_control() => '_',
        c if c.is_whitespace() => ':',
        c => c,
    };
    let mut name: String = text.chars().map(part).collect();
    let mut end = name.len().min(NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}
