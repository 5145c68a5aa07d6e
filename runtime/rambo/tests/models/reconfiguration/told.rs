//! What happens, in words.

use super::{Action, Progress, Reconfiguration, Reply, State, removal::Does};
use crate::{map::each, told::Step};

/// One step: `w` and `v` are writers, `r` and `s` readers, `D` and `E` drivers.
pub(super) fn step(model: &Reconfiguration, before: &State, action: Action) -> Step {
    let client = |client: usize| {
        if client < model.writers {
            ["w", "v", "u"][client]
        } else {
            ["r", "s", "q"][client - model.writers]
        }
    };
    let driver = |driver: usize| ["D", "E"][driver];
    match action {
        Action::Begin { client: who } => Step::alone(format!("{} begins", client(who))),
        Action::Call { client: who, node, reply } => {
            let verb = match before.clients[who].progress {
                Progress::Querying => "queries",
                Progress::Idle | Progress::Propagating | Progress::Done => "propagates to",
            };
            let name = client(who);
            match reply {
                Reply::Arrives => Step::at(format!("{name} {verb}"), node),
                Reply::IsLost => Step::at(format!("{name}, reply lost, {verb}"), node),
            }
        }
        Action::Fix { client: who } => Step::alone(ending(model, before, who, client(who))),
        Action::Drive { driver: who, node } => {
            let does = model.stage(before, who).map_or(&[][..], |stage| stage.does);
            Step::at(format!("{} {}", driver(who), doing(does)), node)
        }
        Action::NextStage { driver: who } => {
            let (decides, removes) = model
                .stage(before, who)
                .map_or((0, 0), |stage| (stage.then_decides, stage.then_removes));
            let mut told = driver(who).to_owned();
            for config in each(decides) {
                told += &format!(" decides c{config}");
            }
            for config in each(removes) {
                told += &format!(" removes c{config}");
            }
            if decides | removes == 0 {
                told += " goes on";
            }
            Step::alone(told)
        }
        Action::NodeLearns { driver: who, node } => {
            Step::at(format!("{}'s map reaches", driver(who)), node)
        }
        Action::Sync { node } => Step::at("sync at", node),
        Action::Crash { node } => Step::at("crash of", node),
        Action::ClientLearns { driver: from, client: who } => {
            Step::alone(format!("{} learns {}'s map", client(who), driver(from)))
        }
    }
}

fn doing(does: &[Does]) -> &'static str {
    match does {
        [Does::Collect] => "collects from",
        [Does::Inform, Does::Collect] => "informs and collects from",
        [Does::Inform, Does::Push] => "pushes to",
        [] | [Does::Inform | Does::Push | Does::Collect, ..] => "calls",
    }
}

/// A phase that ends: whether the operation ends with it is seen by trying.
fn ending(model: &Reconfiguration, before: &State, client: usize, name: &str) -> String {
    let mut after = *before;
    model.fix(&mut after, client);
    let of = &after.clients[client];
    match of.progress {
        Progress::Done => format!("{name} ends with {:?}", of.chosen),
        Progress::Idle | Progress::Querying | Progress::Propagating => {
            format!("{name} chooses {:?}", of.chosen)
        }
    }
}
