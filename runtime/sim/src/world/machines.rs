//! Machines, and who runs on them. A machine stays; who lost its disk is gone, and somebody else takes its place.

use palco_core::Time;
use palco_rambo::{NodeId, Participant};

use crate::disk::{Disk, Log};
use crate::network::Machine;

/// A machine and what runs on it.
#[derive(Debug)]
pub(crate) struct Node {
    /// Who runs there.
    pub(crate) identity: NodeId,
    /// Counts crashes: what was planned in an earlier life does not happen.
    pub(crate) life: u32,
    /// None while it is down.
    pub(crate) participant: Option<Participant>,
    /// What it stores on.
    pub(crate) disk: Disk,
    /// Until then everything waits.
    pub(crate) paused_until: Time,
    /// Its alarm.
    pub(crate) timer: Alarm,
}

/// When a participant wants to be called, and when something is planned for it. They differ because nothing planned is
/// ever taken back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Alarm {
    /// As the participant said last.
    pub(crate) wanted: Option<Time>,
    /// The earliest that is planned.
    pub(crate) planned: Option<Time>,
}

/// All machines, and all identities that ever were.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    nodes: Vec<Node>,
    /// By identity, which count from 1.
    identities: Vec<Identity>,
}

#[derive(Debug)]
struct Identity {
    machine: Machine,
    /// What its disk held when it was lost.
    lost: Option<Log>,
}

impl Machines {
    /// One more machine, with somebody new on it.
    pub(crate) fn add(&mut self) -> Machine {
        let machine = self.nodes.len() as Machine;
        let identity = self.identify(machine);
        self.nodes.push(Node {
            identity,
            life: 0,
            participant: None,
            disk: Disk::default(),
            paused_until: Time::START,
            timer: Alarm::default(),
        });
        machine
    }

    fn identify(&mut self, machine: Machine) -> NodeId {
        self.identities.push(Identity { machine, lost: None });
        NodeId(self.identities.len() as u64)
    }

    /// The disk of a machine is gone, and with it who it was.
    pub(crate) fn replace(&mut self, machine: Machine) -> NodeId {
        let identity = self.identify(machine);
        let node = &mut self.nodes[machine as usize];
        let disk = std::mem::take(&mut node.disk);
        let gone = std::mem::replace(&mut node.identity, identity);
        self.identities[gone.0 as usize - 1].lost = Some(disk.into_log());
        identity
    }

    /// How many machines.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The machines.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter()
    }

    /// One of them.
    pub(crate) fn node(&self, machine: Machine) -> &Node {
        &self.nodes[machine as usize]
    }

    /// One of them.
    pub(crate) fn node_mut(&mut self, machine: Machine) -> &mut Node {
        &mut self.nodes[machine as usize]
    }

    /// Where somebody runs; none if nowhere any more, or never.
    pub(crate) fn machine_of(&self, node: NodeId) -> Option<Machine> {
        let identity = self.identities.get((node.0 as usize).checked_sub(1)?)?;
        identity.lost.is_none().then_some(identity.machine)
    }

    /// What somebody has on disk, or had when it was lost; none for who never was.
    pub(crate) fn log_of(&self, node: NodeId) -> Option<&Log> {
        let identity = self.identities.get((node.0 as usize).checked_sub(1)?)?;
        let lost = identity.lost.as_ref();
        lost.or_else(|| Some(self.node(identity.machine).disk.log()))
    }

    /// Whoever is still about, up or down.
    pub(crate) fn identities(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.iter().map(|node| node.identity)
    }

    /// Those that run and know the configurations.
    pub(crate) fn joined(&self) -> impl Iterator<Item = (Machine, &Participant)> {
        (0..).zip(&self.nodes).filter_map(|(machine, node)| {
            let participant = node.participant.as_ref()?;
            participant.map().map(|_| (machine, participant))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lost_its_disk_is_gone_but_what_it_held_is_remembered() {
        let mut machines = Machines::default();
        let (first, second) = (machines.add(), machines.add());
        assert_eq!((machines.len(), machines.node(second).identity), (2, NodeId(2)));
        let new = machines.replace(first);
        assert_eq!((new, machines.node(first).identity), (NodeId(3), NodeId(3)));
        assert_eq!(machines.machine_of(NodeId(1)), None);
        assert_eq!(machines.machine_of(NodeId(3)), Some(first));
        assert!(machines.log_of(NodeId(1)).is_some() && machines.log_of(NodeId(9)).is_none());
        assert!(machines.identities().eq([NodeId(3), NodeId(2)]));
    }
}
