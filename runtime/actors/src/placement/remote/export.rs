//! Actors that other nodes may talk to, by name: exported here, found there.

use std::sync::{Arc, Weak};

use palco_transport::Peer;
use parking_lot::Mutex;

use super::dock::{Dock, DockOf};
use super::inlet::{Inlet, Serves};
use super::net::{Net, Shared};
use super::session::{Session, Their};
use super::stand_in::{self, Whom};
use super::wire::{Frame, Nonsense, Role};
use crate::life::EndGuard;
use crate::placement::{Place, enter};
use crate::portable::MessageTable;
use crate::registry::check_name;
use crate::vitals::{AnyCell, Cell};
use crate::{ActorRef, Portable, SpawnError, SpawnOptions, UrgentRef};

/// An exported actor, whatever its type.
pub(super) trait Exported: Send + Sync {
    fn dock(&self) -> Arc<dyn Dock>;
    fn cell(&self) -> Arc<dyn AnyCell>;
    fn role(&self) -> &Role;
    fn takes_urgent(&self) -> bool;
    /// The channels that lead to it.
    fn inlets(&self) -> &Mutex<Vec<Weak<Inlet>>>;
}

struct ExportOf<A: Portable> {
    cell: Arc<Cell<A>>,
    table: Arc<MessageTable<A>>,
    role: Role,
    takes_urgent: bool,
    inlets: Mutex<Vec<Weak<Inlet>>>,
}

impl<A: Portable> Exported for ExportOf<A> {
    fn dock(&self) -> Arc<dyn Dock> {
        Arc::new(DockOf::new(Arc::clone(&self.cell), Arc::clone(&self.table)))
    }

    fn cell(&self) -> Arc<dyn AnyCell> {
        Arc::clone(&self.cell) as Arc<dyn AnyCell>
    }

    fn role(&self) -> &Role {
        &self.role
    }

    fn takes_urgent(&self) -> bool {
        self.takes_urgent
    }

    fn inlets(&self) -> &Mutex<Vec<Weak<Inlet>>> {
        &self.inlets
    }
}

impl Net {
    /// Lets other nodes talk to `actor` under a name, with the messages of its table, in the normal lane; nothing else of
    /// this system can be reached from there. Until the actor has ended, or [`Net::withdraw`].
    ///
    /// # Errors
    /// [`SpawnError::NameInvalid`], or [`SpawnError::NameTaken`] by another actor.
    pub fn export<A: Portable>(&self, name: &str, actor: &ActorRef<A>) -> Result<(), SpawnError> {
        self.export_cell(name, actor.shared(), false)
    }

    /// As [`Net::export`], in both lanes.
    ///
    /// # Errors
    /// As [`Net::export`].
    pub fn export_urgent<A: Portable>(
        &self,
        name: &str,
        actor: &UrgentRef<A>,
    ) -> Result<(), SpawnError> {
        self.export_cell(name, actor.shared(), true)
    }

    /// Opens no more channels to the actor of that name; those that are open stay.
    pub fn withdraw(&self, name: &str) {
        self.shared.exports.lock().remove(name);
    }

    /// The address of an actor that another node exports: a stand-in for it, which is found in the tree under
    /// `remote/<peer>/<name>`. Made at once, whether there is a connection or not, and valid over connections; asked for
    /// again, the same. It stops like any actor; an actor of another kind there ends it
    /// ([`StartFailed`](crate::ExitReason::StartFailed)).
    ///
    /// Messages are handed over in the order of their lane, at most once. When the connection is lost, those that were
    /// handed over and are not known to be handled are dropped ([`NodeLost`](crate::DropReason::NodeLost)), and who asks
    /// learns that the outcome is unknown; the others go with the next connection.
    ///
    /// # Errors
    /// See [`SpawnError`]; nothing has been started then.
    pub fn find<A: Portable>(&self, peer: Peer, name: &str) -> Result<ActorRef<A>, SpawnError> {
        let options = SpawnOptions::new().stop_within(std::time::Duration::from_secs(1));
        self.find_with(peer, name, options)
    }

    /// As [`Net::find`], with the room of the mailbox, the time to stop, and the
    /// [`RemoteOptions`](crate::RemoteOptions) of these options.
    ///
    /// # Errors
    /// As [`Net::find`].
    pub fn find_with<A: Portable>(
        &self,
        peer: Peer,
        name: &str,
        options: SpawnOptions,
    ) -> Result<ActorRef<A>, SpawnError> {
        check_name(name)?;
        if peer == self.me() {
            return Err(SpawnError::NoNode(format!("{peer} is this node").into()));
        }
        let parent = self.shared.parent(peer)?;
        let mut stand_ins = self.shared.stand_ins.lock();
        let key = (peer, Box::from(name));
        if let Some(known) = stand_ins.get(&key)
            && let Some(known) = known.downcast_ref::<Weak<Cell<A>>>()
            && let Some(cell) = known.upgrade()
            && cell.vitals.exit().is_none()
        {
            return Ok(ActorRef::new(cell));
        }
        let options = options.name(name).place(Place::Remote(peer));
        let whom = Whom { peer, name: name.into(), options: options.remote.clone() };
        let actor = enter(&self.system, parent, None, &options, |cell: Arc<Cell<A>>| {
            cell.vitals.set_node(|node| node.peer = Some(peer));
            stand_in::start(&self.system, &self.shared, EndGuard::new(cell), whom)
        })?;
        stand_ins.insert(key, Box::new(actor.downgrade()));
        drop(stand_ins);
        if let Some(carrier) = self.shared.carrier()
            && let Err(text) = carrier.seek(peer, &[])
        {
            tracing::warn!(%peer, text, "is not sought");
        }
        Ok(actor)
    }

    /// The right to urgent messages, for a stand-in: whoever holds the net may hand it out. They reach the actor if it was
    /// [exported](Net::export_urgent) so; none for other addresses.
    #[must_use]
    pub fn urgent_ref<A: Portable>(&self, stand_in: &ActorRef<A>) -> Option<UrgentRef<A>> {
        let cell = stand_in.shared();
        let peer = cell.vitals.node()?.peer?;
        let parent = self.shared.parent(peer).ok()?;
        stand_in.urgent_for(&(parent as Arc<dyn AnyCell>))
    }

    fn export_cell<A: Portable>(
        &self,
        name: &str,
        cell: Arc<Cell<A>>,
        takes_urgent: bool,
    ) -> Result<(), SpawnError> {
        check_name(name)?;
        let table = Arc::new(MessageTable::of());
        let role = Role::of(&*table);
        let any = ActorRef::new(Arc::clone(&cell)).any();
        let exported: Arc<dyn Exported> =
            Arc::new(ExportOf { cell, table, role, takes_urgent, inlets: Mutex::default() });
        {
            let mut exports = self.shared.exports.lock();
            if let Some(before) = exports.get(name)
                && before.cell().vitals().exit().is_none()
                && before.cell().vitals().id != any.id()
            {
                return Err(SpawnError::NameTaken(name.into()));
            }
            exports.insert(name.into(), Arc::clone(&exported));
        }
        // Kept until the actor ends, also when the name is another's by then: its channels must end.
        let (net, own) = (Arc::downgrade(&self.shared), Arc::clone(&exported));
        let ended: Box<str> = name.into();
        any.on_exit(move |_| {
            if let Some(net) = net.upgrade() {
                let mut exports = net.exports.lock();
                if exports.get(&ended).is_some_and(|export| Arc::ptr_eq(export, &own)) {
                    exports.remove(&ended);
                }
            }
            end_channels(&own);
        });
        for session in self.shared.sessions() {
            for (channel, role) in session.finding(name) {
                lead(&session, channel, &role, &exported);
            }
        }
        Ok(())
    }
}

impl Shared {
    /// A peer asks for an actor by its name.
    pub(super) fn find(
        &self,
        session: &Arc<Session>,
        channel: u64,
        role: Role,
        name: &str,
    ) -> Result<(), Nonsense> {
        let finding = Their::Finding { name: name.into(), role: role.clone() };
        // Entered first: who exports looks for those that wait after the name is known.
        if !session.accept(channel, finding)? {
            Self::refuse(session, channel, "too many channels are open".to_owned());
            return Ok(());
        }
        let exported = self.exports.lock().get(name).cloned();
        match exported {
            Some(exported) => lead(session, channel, &role, &exported),
            None => session.send(0, &Frame::Unknown { channel }, &[]),
        }
        Ok(())
    }
}

/// Leads a channel that waits for a name to who has it.
fn lead(session: &Arc<Session>, channel: u64, role: &Role, exported: &Arc<dyn Exported>) {
    if let Some(why) = exported.role().objection(role) {
        return Shared::refuse(session, channel, why);
    }
    let urgent = exported.takes_urgent();
    let inlet = Inlet::new(session, channel, Serves::Exported, urgent, exported.dock());
    if !session.settle_finding(channel, &inlet) {
        return; // led by somebody else, or not wanted any more
    }
    session.send(0, &Frame::Opened { channel, takes_urgent: inlet.takes_urgent() }, &[]);
    let mut inlets = exported.inlets().lock();
    inlets.retain(|inlet| inlet.strong_count() > 0);
    inlets.push(Arc::downgrade(&inlet));
    drop(inlets);
    if exported.cell().vitals().exit().is_some() {
        end_channels(exported);
    }
}

/// The actor has ended for good.
fn end_channels(exported: &Arc<dyn Exported>) {
    let inlets = std::mem::take(&mut *exported.inlets().lock());
    for inlet in inlets.iter().filter_map(Weak::upgrade) {
        if inlet.session.drop_their(inlet.channel).is_some() {
            inlet.send(0, &Frame::Gone { channel: inlet.channel }, &[]);
        }
    }
}
