//! From one plan to the next: what stays is not touched, and a plan that does not work changes nothing.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use palco_actors::SpawnError;
use palco_threads::block_on;
use serde::{Deserialize, Serialize};
use socket2::Socket;

use super::heritage::Heritage;
use super::running::Running;
use super::{State, Superserver, define, off};
use crate::bind::{self, BindError};
use crate::door::{Doorway, shares_a_door};
use crate::service::Definition;
use crate::spec::{Address, Endpoint, Plan, Remark, Severity};

/// How often an address that was ours a moment ago is tried again.
const RELEASE_TRIES: u32 = 200;
/// Between two tries.
const RELEASE_PAUSE: Duration = Duration::from_millis(5);

/// What a reload has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Services that were not there before.
    pub added: Vec<String>,
    /// Services that are defined otherwise.
    pub changed: Vec<String>,
    /// Services that are there no more; their instances may finish.
    pub removed: Vec<String>,
}

/// A plan was not taken on; nothing has changed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("nothing was changed")]
pub struct Refused {
    /// Why.
    pub remarks: Vec<Remark>,
}

/// The sockets that a service needs: one group per door.
pub(super) fn groups(definition: &Definition) -> Vec<Vec<Endpoint>> {
    let endpoints = &definition.spec.endpoints;
    if endpoints.is_empty() {
        Vec::new()
    } else if shares_a_door(definition) {
        vec![endpoints.clone()]
    } else {
        endpoints.iter().map(|endpoint| vec![endpoint.clone()]).collect()
    }
}

impl State {
    /// Takes on the first plan: what cannot be had is off.
    pub(super) fn first(
        &mut self,
        superserver: &Superserver,
        mut plan: Plan,
        heritage: &mut Heritage,
    ) -> Result<(), SpawnError> {
        for spec in &plan.services {
            let bound = define(spec).map_err(|text| (text, "")).and_then(|made| {
                let ways = groups(&made).into_iter().map(|group| {
                    let sockets = group.into_iter().map(|endpoint| {
                        let socket = match heritage.take(&endpoint) {
                            Some(socket) => socket,
                            None => bind::bind(&endpoint)?,
                        };
                        Ok((endpoint, socket))
                    });
                    Ok(Doorway::new(sockets.collect::<Result<_, BindError>>()?))
                });
                let ways: Result<Vec<Doorway>, BindError> = ways.collect();
                Ok((made, ways.map_err(|error| (error.to_string(), error.remedy()))?))
            });
            match bound {
                Ok((definition, ways)) => {
                    let mut running =
                        Running::new(&superserver.root, &superserver.house, definition)?;
                    ways.into_iter().for_each(|way| running.add(way));
                    self.running.push(running);
                }
                Err((text, remedy)) => plan.remarks.push(off(spec, text, remedy)),
            }
        }
        superserver.house.enter(&self.running);
        superserver.listen(&self.running);
        self.plan = plan;
        Ok(())
    }

    /// Takes on another plan, whole or not at all.
    pub(super) fn change(
        &mut self,
        superserver: &Superserver,
        plan: Plan,
    ) -> Result<Changes, Refused> {
        self.forget_departed();
        self.check(&plan)?;
        let mut changes = Changes::default();
        let mut wanted = Vec::new();
        for spec in &plan.services {
            match define(spec) {
                Ok(definition) => wanted.push(Wanted::new(definition)),
                Err(text) => return Err(Refused { remarks: vec![off(spec, text, "")] }),
            }
        }
        for one in &mut wanted {
            self.provide(one)?;
        }
        let closed = self.withdraw(&wanted);
        // What was in the way has gone by now, if it was ours.
        if let Err(refused) = wanted.iter_mut().try_for_each(Wanted::bind_rest) {
            drop(wanted);
            self.restore(closed);
            return Err(refused);
        }
        for way in &closed {
            way.remove_paths_but(&plan);
        }
        let mut before: Vec<Running> =
            self.running.drain(..).chain(self.departing.drain(..)).collect();
        for one in wanted {
            let id = &one.definition.spec.id;
            let known = before.iter().position(|running| running.service.id == *id);
            let mut running = match known {
                Some(place) => {
                    let running = before.remove(place);
                    if running.service.definition().spec != one.definition.spec {
                        changes.changed.push(id.clone());
                        running.service.redefine(one.definition);
                    }
                    running
                }
                None => {
                    changes.added.push(id.clone());
                    match Running::new(&superserver.root, &superserver.house, one.definition) {
                        Ok(running) => running,
                        Err(error) => {
                            tracing::error!(%error, "a service could not be started");
                            continue;
                        }
                    }
                }
            };
            one.ways.into_iter().for_each(|way| running.add(way));
            if let Err(error) = running.open() {
                tracing::error!(%error, "a door could not be opened");
            }
            self.running.push(running);
        }
        let is_news = |running: &&Running| !running.service.definition().spec.endpoints.is_empty();
        changes.removed =
            before.iter().filter(is_news).map(|running| running.service.id.clone()).collect();
        self.departing = before;
        superserver.house.enter(&self.running);
        superserver.listen(&self.running);
        self.plan = plan;
        self.reloads += 1;
        Ok(changes)
    }

    /// An error that was there before does not keep from changing something else.
    fn check(&self, plan: &Plan) -> Result<(), Refused> {
        let is_known = |remark: &&Remark| {
            self.plan.remarks.iter().any(|known| {
                (&known.service, &known.text) == (&remark.service, &remark.text)
                    && known.severity == Severity::Error
            })
        };
        let errors = plan.remarks.iter().filter(|remark| remark.severity == Severity::Error);
        let remarks: Vec<Remark> = errors.filter(|remark| !is_known(remark)).cloned().collect();
        if remarks.is_empty() { Ok(()) } else { Err(Refused { remarks }) }
    }

    /// Finds or binds the sockets of a service, as far as nothing of ours is in the way.
    fn provide(&self, wanted: &mut Wanted) -> Result<(), Refused> {
        for group in groups(&wanted.definition) {
            let all = || {
                self.running
                    .iter()
                    .flat_map(|running| running.doors.iter().map(move |door| (running, &door.way)))
            };
            let same = |way: &Doorway| way.endpoints().eq(group.iter());
            let own = all().find(|(running, way)| {
                running.service.id == wanted.definition.spec.id
                    && same(way)
                    && !wanted.kept.iter().any(|kept| Arc::ptr_eq(kept, way))
            });
            if let Some((_, way)) = own {
                wanted.kept.push(Arc::clone(way));
                continue;
            }
            // Any port is not the same as another's any port.
            let is_certain = group
                .iter()
                .all(|endpoint| endpoint.address.socket().is_none_or(|socket| socket.port() != 0));
            if let Some((_, way)) = all().find(|(_, way)| is_certain && same(way)) {
                wanted.moved(way)?;
                continue;
            }
            wanted.missing.push(group);
        }
        wanted.bind_free(self)
    }

    /// Closes the doors that nobody wants any more, and waits until their sockets are closed.
    fn withdraw(&mut self, wanted: &[Wanted]) -> Vec<Arc<Doorway>> {
        let is_kept = |way: &Doorway| {
            wanted.iter().any(|one| one.kept.iter().any(|kept| std::ptr::eq(&**kept, way)))
        };
        let mut closed = Vec::new();
        for running in &mut self.running {
            closed.extend(running.close(|way| !is_kept(way)));
        }
        for way in &closed {
            block_on(way.released());
        }
        closed
    }

    /// Opens again what was closed for nothing.
    fn restore(&mut self, closed: Vec<Arc<Doorway>>) {
        for way in closed {
            let group: Vec<Endpoint> = way.endpoints().cloned().collect();
            let is_its =
                |running: &&mut Running| groups(&running.service.definition()).contains(&group);
            let Some(running) = self.running.iter_mut().find(is_its) else { continue };
            let opened = bind_all(&group).map_err(|error| error.to_string()).and_then(|way| {
                running.add(way);
                running.open().map_err(|error| error.to_string())
            });
            if let Err(error) = opened {
                tracing::error!(service = %running.service.id, %error, "cannot listen any more");
            }
        }
    }

    pub(super) fn forget_departed(&mut self) {
        self.departing.retain(|running| !running.has_departed());
    }
}

/// A service of the plan that is being taken on.
struct Wanted {
    definition: Definition,
    /// Doors that stay.
    kept: Vec<Arc<Doorway>>,
    /// Doors that come.
    ways: Vec<Doorway>,
    /// Sockets that are still to be bound.
    missing: Vec<Vec<Endpoint>>,
}

impl Wanted {
    fn new(definition: Definition) -> Self {
        Self { definition, kept: Vec::new(), ways: Vec::new(), missing: Vec::new() }
    }

    /// The sockets of a door that was another service's.
    fn moved(&mut self, way: &Doorway) -> Result<(), Refused> {
        let copied = way.copies().map_err(|error| self.refusal(error.to_string(), ""))?;
        self.ways.push(Doorway::new(copied));
        Ok(())
    }

    /// Binds what is free. What is not because of a socket of ours may be free later.
    fn bind_free(&mut self, state: &State) -> Result<(), Refused> {
        let mut later = Vec::new();
        for group in std::mem::take(&mut self.missing) {
            match bind_all(&group) {
                Ok(way) => self.ways.push(way),
                Err(BindError::InUse { .. }) if state.may_be_in_the_way(&group) => {
                    later.push(group);
                }
                Err(error) => return Err(self.refusal(error.to_string(), error.remedy())),
            }
        }
        self.missing = later;
        Ok(())
    }

    /// Binds what could not be bound before.
    fn bind_rest(&mut self) -> Result<(), Refused> {
        for group in std::mem::take(&mut self.missing) {
            let mut tries = 0..RELEASE_TRIES;
            let way = loop {
                match bind_all(&group) {
                    // A program that is being started has what its parent had until it begins.
                    Err(BindError::InUse { .. }) if tries.next().is_some() => {
                        thread::sleep(RELEASE_PAUSE);
                    }
                    bound => break bound,
                }
            };
            self.ways.push(way.map_err(|error| self.refusal(error.to_string(), error.remedy()))?);
        }
        Ok(())
    }

    fn refusal(&self, text: String, remedy: &str) -> Refused {
        Refused { remarks: vec![off(&self.definition.spec, text, remedy)] }
    }
}

impl State {
    /// Whether a socket of ours has the port or path of one of these.
    fn may_be_in_the_way(&self, group: &[Endpoint]) -> bool {
        let doors = self.running.iter().flat_map(|running| &running.doors);
        let ours: Vec<Address> = doors.flat_map(|door| door.way.bound()).collect();
        group.iter().any(|wanted| ours.iter().any(|own| own.overlaps(&wanted.address)))
    }
}

fn bind_all(group: &[Endpoint]) -> Result<Doorway, BindError> {
    let bound = group.iter().map(|endpoint| Ok((endpoint.clone(), bind::bind(endpoint)?)));
    Ok(Doorway::new(bound.collect::<Result<Vec<(Endpoint, Socket)>, BindError>>()?))
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (what, ids) in
            [("added", &self.added), ("changed", &self.changed), ("removed", &self.removed)]
        {
            if !ids.is_empty() {
                parts.push(format!("{what} {}", ids.join(", ")));
            }
        }
        f.write_str(if parts.is_empty() { "nothing has changed" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}
