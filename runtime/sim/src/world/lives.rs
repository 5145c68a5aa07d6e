//! Crashes, restarts, lost disks, pauses.

use std::time::Duration;

use palco_rambo::{Flaw, Participant};

use super::machines::Alarm;
use super::{Mend, Planned, World};
use crate::network::Machine;
use crate::trace::Happening;

impl World<'_> {
    /// A machine stops in the middle. What was not flushed is lost, but for a torn part.
    pub(super) fn crash(&mut self, machine: Machine) {
        self.fault(machine, "crash");
        self.stop(machine);
    }

    fn stop(&mut self, machine: Machine) {
        let node = self.machines.node_mut(machine);
        let torn = self.disks.position(node.disk.unflushed() + 1);
        node.disk.crash(torn);
        node.participant = None;
        node.life += 1;
        node.timer = Alarm::default();
        node.paused_until = self.now;
        self.hang_up(machine);
        self.hang_up_drivers(machine);
    }

    /// A machine loses its disk: who was there is gone, and somebody else will come. Without the rule of pitfall 4 it
    /// comes back as who it was.
    pub(super) fn lose_disk(&mut self, machine: Machine) {
        self.fault(machine, "disk lost");
        self.stop(machine);
        if self.flaws().has(Flaw::Amnesia) {
            self.machines.node_mut(machine).disk = Default::default();
        } else {
            self.machines.replace(machine);
        }
    }

    /// A machine stands still, and its clock jumps when it goes on.
    pub(super) fn pause(&mut self, machine: Machine, length: Duration) {
        self.fault(machine, "pause");
        let until = self.now + length;
        let node = self.machines.node_mut(machine);
        node.paused_until = node.paused_until.max(until);
    }

    /// A machine will start again after this, if it does not for another reason.
    pub(super) fn start_after(&mut self, machine: Machine, length: Duration) {
        let life = self.machines.node(machine).life;
        let mend = Planned::Mends(Mend::Down { machine, life });
        self.schedule.push(self.now + length, mend);
    }

    /// A machine that is down starts with what is on its disk.
    pub(super) fn restart(&mut self, machine: Machine) {
        if self.machines.node(machine).disk.log().is_empty() {
            self.fault(machine, "starts anew");
            return self.start(machine);
        }
        self.fault(machine, "back");
        let settings = self.settings(machine);
        let node = self.machines.node_mut(machine);
        let mut effects = std::mem::take(&mut self.effects);
        match Participant::restore(settings, node.disk.log().records(), &mut effects) {
            Ok(participant) => {
                let log = node.disk.log();
                let verdict = self.judge.restarted(&participant, log, &self.keys);
                self.judge.heed(self.now, verdict);
                self.machines.node_mut(machine).participant = Some(participant);
                self.carry_out(machine, effects);
            }
            Err(error) => {
                self.effects = effects;
                let what = format!("its own log does not make {}: {error}", node.identity);
                self.object("restart", &what);
            }
        }
    }

    fn fault(&mut self, machine: Machine, what: &str) {
        let node = Some(self.machines.node(machine).identity);
        self.recorder.record(self.now, || Happening::Fault { node, what: what.to_owned() });
    }
}
