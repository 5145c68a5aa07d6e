//! A scenario as the command that runs it again.

use std::fmt::{Display, Write};
use std::time::Duration;

use palco_rambo::Flaw;

use super::{Fault, Faults, ModeKind, QuorumKind, Scenario};

impl Scenario {
    /// The command that runs this scenario from a seed, with the arguments that differ from the defaults. Delays,
    /// flushes and bandwidth have none: they are left out.
    #[must_use]
    pub fn command(&self, seed: u64) -> String {
        let usual = Self::default();
        let mut line = format!("palco simulate --seed {seed}");
        let mut number = |name: &str, mine: u64, usual: u64| {
            if mine != usual {
                push(&mut line, name, mine);
            }
        };
        number("nodes", self.nodes.into(), usual.nodes.into());
        number("members", self.members.into(), usual.members.into());
        number("clients", self.clients.into(), usual.clients.into());
        number("ops", self.operations, usual.operations);
        number("keys", self.keys.into(), usual.keys.into());
        number("cas-percent", self.cas_percent.into(), usual.cas_percent.into());
        number("read-percent", self.read_percent.into(), usual.read_percent.into());
        number("value-bytes", self.value_bytes.into(), usual.value_bytes.into());
        number("active-max", self.active_max as u64, usual.active_max as u64);
        if self.mode != usual.mode {
            push(&mut line, "mode", name_of(&ModeKind::ALL, self.mode));
        }
        if self.quorums != usual.quorums {
            push(&mut line, "quorums", name_of(&QuorumKind::ALL, self.quorums));
        }
        if self.faults == Faults::all() {
            push(&mut line, "faults", "all");
        } else if self.faults != usual.faults {
            let names: Vec<_> =
                self.faults.iter().map(|fault| name_of(&Fault::ALL, fault)).collect();
            push(&mut line, "faults", names.join(","));
        }
        if let Some(pause) = self.reconfigure_every {
            push(&mut line, "reconfigure-every", shown(pause));
        }
        if let Some(patience) = self.patience {
            push(&mut line, "patience", shown(patience));
        }
        let flaws: Vec<_> = Flaw::ALL
            .into_iter()
            .filter(|(flaw, _)| self.flaws.has(*flaw))
            .map(|(_, name)| name)
            .collect();
        if !flaws.is_empty() {
            push(&mut line, "flaws", flaws.join(","));
        }
        line
    }
}

fn push(line: &mut String, name: &str, value: impl Display) {
    write!(line, " --{name} {value}").expect("a string takes everything");
}

fn name_of<T: PartialEq + Copy>(all: &[(T, &'static str)], one: T) -> &'static str {
    let found = all.iter().find(|(other, _)| *other == one);
    found.map(|(_, name)| *name).expect("all have a name")
}

/// In the largest unit in which it is whole.
fn shown(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
    let (unit, name) =
        units.into_iter().find(|(unit, _)| nanos.is_multiple_of(*unit)).unwrap_or((1, "ns"));
    format!("{}{name}", nanos / unit)
}

#[cfg(test)]
mod tests {
    use palco_rambo::Flaws;

    use super::*;

    #[test]
    fn the_command_names_what_differs_from_the_defaults() {
        assert_eq!(Scenario::default().command(7), "palco simulate --seed 7");
        let scenario = Scenario {
            nodes: 7,
            operations: 500,
            mode: ModeKind::Rambo1,
            quorums: QuorumKind::ReadOne,
            faults: Faults::NONE.with(Fault::DiskLoss).with(Fault::Loss),
            reconfigure_every: Some(Duration::from_millis(50)),
            patience: Some(Duration::from_millis(5)),
            flaws: Flaws::NONE.with(Flaw::NoCollect).with(Flaw::AnyPhase),
            ..Scenario::default()
        };
        assert_eq!(
            scenario.command(1),
            "palco simulate --seed 1 --nodes 7 --ops 500 --mode rambo1 --quorums read-one --faults loss,disk-loss \
             --reconfigure-every 50ms --patience 5ms --flaws no-collect,any-phase"
        );
        let all = Scenario { faults: Faults::all(), ..Scenario::default() };
        assert_eq!(all.command(2), "palco simulate --seed 2 --faults all");
    }

    #[test]
    fn durations_keep_their_unit() {
        for (micros, text) in [(50_000, "50ms"), (1_500, "1500us"), (2_000_000, "2s")] {
            assert_eq!(shown(Duration::from_micros(micros)), text);
        }
    }
}
