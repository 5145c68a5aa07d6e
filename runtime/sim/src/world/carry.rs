//! What participants ask for is done.

use palco_core::Time;
use palco_rambo::{Barrier, Body, Effect, Event, Message, NodeId, Phase, Record};

use super::machines::Alarm;
use super::{Planned, World};
use crate::disk::Held;
use crate::network::{Machine, SLOW_FACTOR, bytes_of};
use crate::trace::{Happening, Sent};

impl World<'_> {
    /// Something happens to the participant of a machine.
    pub(super) fn step(&mut self, machine: Machine, event: Event) {
        let Some(participant) = self.machines.node_mut(machine).participant.as_mut() else {
            return;
        };
        let mut effects = std::mem::take(&mut self.effects);
        participant.step(self.now, event, &mut effects);
        self.carry_out(machine, effects);
    }

    /// Does what was asked for, in its order.
    pub(super) fn carry_out(&mut self, machine: Machine, mut effects: Vec<Effect>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { to, after, message } => {
                    let disk = &mut self.machines.node_mut(machine).disk;
                    if let Some(held) = disk.hold(to, after, message) {
                        self.transmit(machine, held);
                    }
                }
                Effect::Persist { barrier, record } => self.persist(machine, barrier, record),
                Effect::Reply { request, outcome, rounds } => {
                    self.replied(machine, request, outcome, rounds);
                }
                Effect::SetTimer { at } => self.set_timer(machine, at),
            }
        }
        self.effects = effects;
        self.flush(machine);
    }

    fn persist(&mut self, machine: Machine, barrier: Barrier, record: Record) {
        let node = self.machines.node(machine).identity;
        let verdict = self.judge.stores(node, &record, &self.keys, &self.machines);
        self.judge.heed(self.now, verdict);
        match &record {
            Record::Stored(key, tagged) => self.recorder.record(self.now, || {
                let tag = tagged.tag;
                Happening::Held { node, key: key.to_string(), tag }
            }),
            Record::Learned(map) => {
                self.recorder.record(self.now, || Happening::Learned { node, map: map.clone() });
            }
            Record::Began { .. }
            | Record::CasPromised(..)
            | Record::Promised(..)
            | Record::Accepted(..)
            | Record::RoundZero(_) => {}
        }
        self.machines.node_mut(machine).disk.append(barrier, record);
    }

    fn flush(&mut self, machine: Machine) {
        let node = self.machines.node_mut(machine);
        if !node.disk.begin_flush() {
            return;
        }
        let life = node.life;
        let (from, to) = self.scenario.flush;
        let mut took = self.disks.between(from, to);
        if self.network.weather.is_slow(machine) {
            took *= SLOW_FACTOR;
        }
        self.schedule.push(self.now + took, Planned::Flushed { machine, life });
    }

    /// A flush is done: what waited for it leaves, and the participant hears of it.
    pub(super) fn flushed(&mut self, machine: Machine, life: u32) {
        let node = self.machines.node_mut(machine);
        if node.life != life || node.participant.is_none() {
            return;
        }
        let (reached, records) = node.disk.end_flush();
        let paused = node.paused_until > self.now;
        self.figures.flushes += 1;
        self.figures.records += records as u64;
        while let Some(held) = self.machines.node_mut(machine).disk.release() {
            self.transmit(machine, held);
        }
        if paused {
            let until = self.machines.node(machine).paused_until;
            self.schedule.push(until, Planned::Heard { machine, life, reached });
            self.flush(machine);
        } else {
            self.step(machine, Event::Persisted(reached));
        }
    }

    fn transmit(&mut self, machine: Machine, Held { to, message, .. }: Held) {
        let from = self.machines.node(machine).identity;
        let bytes = bytes_of(&message);
        self.figures.messages += 1;
        self.figures.bytes += bytes;
        let message = if self.wire { self.through_bytes(message) } else { message };
        let Some(target) = self.machines.machine_of(to) else {
            self.figures.messages_lost += 1;
            self.recorder.sent(self.now, (from, to), &message, None);
            return;
        };
        let arrivals = self.network.send(self.now, machine, target, bytes);
        if let Some(at) = arrivals.second {
            let sent = self.recorder.sent(self.now, (from, to), &message, Some(at));
            let message = message.clone();
            self.schedule.push(at, Planned::Arrives { to, from, message, sent });
        }
        let sent = self.recorder.sent(self.now, (from, to), &message, arrivals.first);
        match arrivals.first {
            Some(at) => self.schedule.push(at, Planned::Arrives { to, from, message, sent }),
            None => self.figures.messages_lost += 1,
        }
    }

    fn through_bytes(&mut self, message: Message) -> Message {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        match Message::decode(&bytes) {
            Ok(read) if read == message => read,
            Ok(read) => {
                self.object("wire", &format!("{message:?} was read as {read:?}"));
                message
            }
            Err(error) => {
                self.object("wire", &format!("{message:?} cannot be read: {error}"));
                message
            }
        }
    }

    pub(super) fn arrives(&mut self, to: NodeId, from: NodeId, message: Message, sent: Sent) {
        let machine = self.machines.machine_of(to);
        let up = machine.filter(|&machine| self.machines.node(machine).participant.is_some());
        self.recorder.arrived(sent, up.map(|_| self.now));
        match up {
            Some(machine) => self.step(machine, Event::Received { from, message }),
            None => {
                self.figures.messages_lost += 1;
                // As a connection that is reset says it.
                if self.scenario.patience.is_some()
                    && let Some(sender) = self.machines.machine_of(from)
                {
                    self.step(sender, Event::Unreachable(to));
                }
            }
        }
    }

    fn set_timer(&mut self, machine: Machine, at: Time) {
        let at = at.max(self.now);
        let node = self.machines.node_mut(machine);
        node.timer.wanted = Some(at);
        if node.timer.planned.is_none_or(|planned| at < planned) {
            node.timer.planned = Some(at);
            let life = node.life;
            self.schedule.push(at, Planned::Rings { machine, life });
        }
    }

    /// An alarm rings: perhaps for nothing, since a later one was wanted meanwhile.
    pub(super) fn rings(&mut self, machine: Machine, life: u32) {
        let now = self.now;
        let node = self.machines.node_mut(machine);
        if node.life != life || node.participant.is_none() {
            return;
        }
        let Alarm { wanted, planned } = node.timer;
        if planned.is_none_or(|planned| planned <= now) {
            node.timer.planned = None;
        }
        match wanted {
            Some(at) if at <= now => {
                node.timer.wanted = None;
                self.step(machine, Event::Timer);
            }
            Some(at) => self.set_timer(machine, at),
            None => {}
        }
    }
}

/// What tells a message from others, for the digest.
pub(super) fn mark(message: &Message) -> u64 {
    let of = |kind: u64, phase: &Phase| kind << 56 | u64::from(phase.slot) << 32 ^ phase.number;
    match &message.body {
        Body::Query { phase, .. } => of(1, phase),
        Body::Queried { phase, tag, .. } => of(2, phase) ^ tag.sequence << 24,
        Body::Propagate { phase, tagged, .. } => of(3, phase) ^ tagged.tag.sequence << 24,
        Body::Propagated { phase } => of(4, phase),
        Body::CasPrepare { phase, ballot, .. } => of(5, phase) ^ ballot.sequence << 24,
        Body::CasPromised { phase, accepted, .. } => of(6, phase) ^ accepted.tag.sequence << 24,
        Body::CasAccept { phase, accept, .. } => of(7, phase) ^ accept.tag.sequence << 24,
        Body::CasAccepted { phase } => of(8, phase),
        Body::CasRefused { phase, promised } => of(9, phase) ^ promised.sequence << 24,
        Body::Prepare { phase, index, .. } => of(10, phase) ^ index << 24,
        Body::Promised { phase, .. } => of(11, phase),
        Body::Accept { phase, configuration, .. } => of(12, phase) ^ configuration.index() << 24,
        Body::Accepted { phase } => of(13, phase),
        Body::Refused { phase, promised } => of(14, phase) ^ promised.round << 24,
        Body::Inform { phase, target } => of(15, phase) ^ target << 24,
        Body::Informed { phase } => of(16, phase),
        Body::Collect { phase, target } => of(17, phase) ^ target << 24,
        Body::Collecting { phase } => of(18, phase),
        Body::Collected { phase } => of(19, phase),
        Body::Pull { phase, from } => of(20, phase) ^ from.position << 24,
        Body::Pulled { phase, then, .. } => of(21, phase) ^ then.position << 24,
        Body::AskMap => 22,
        Body::TellMap => 23 ^ message.version.end << 24 ^ message.version.base << 40,
    }
}
