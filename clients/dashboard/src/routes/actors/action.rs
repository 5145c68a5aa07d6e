//! From the word in a path to a signal.

use std::fmt;
use std::str::FromStr;

use palco_actors::{AnyRef, Signal};
use serde::Serialize;

use crate::refusal::Refusal;

/// What can be done to an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Suspend,
    Resume,
    Step,
    Interrupt,
    Stop,
    Kill,
    Restart,
    Inspect,
}

impl Action {
    const ALL: [Self; 8] = [
        Self::Suspend,
        Self::Resume,
        Self::Step,
        Self::Interrupt,
        Self::Stop,
        Self::Kill,
        Self::Restart,
        Self::Inspect,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Step => "step",
            Self::Interrupt => "interrupt",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Inspect => "inspect",
        }
    }

    /// The signal that does it, if that can be done to `actor` now.
    pub(super) fn signal(self, actor: &AnyRef) -> Result<Signal, Refusal> {
        if self != Self::Inspect && actor.snapshot().parent.is_none() {
            return Err(Refusal::not_now(
                format!("`{self}` of the tree's root would be for the whole stage"),
                "choose an actor below it, or press Ctrl-C where the stage was started",
            ));
        }
        match self {
            Self::Suspend => Ok(Signal::Suspend),
            Self::Resume => Ok(Signal::Resume),
            Self::Interrupt => Ok(Signal::Interrupt),
            Self::Stop => Ok(Signal::Stop),
            Self::Kill => Ok(Signal::Kill),
            Self::Inspect => Ok(Signal::Inspect),
            Self::Step => Ok(Signal::Step),
            Self::Restart if actor.can_be_restarted() => Ok(Signal::Restart),
            Self::Restart => Err(Refusal::not_now(
                format!("nobody would start {} again", actor.path()),
                "it has no supervisor, or is never restarted; stop or kill it instead",
            )),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = Refusal;

    fn from_str(name: &str) -> Result<Self, Refusal> {
        Self::ALL.into_iter().find(|action| action.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Refusal::bad_value(
                format!("there is no action `{name}`"),
                format!("actions are: {names}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use palco_actors::{Actor, SpawnOptions, System};
    use palco_threads::block_on;

    use super::*;

    struct Quiet;

    impl Actor for Quiet {}

    #[test]
    fn every_action_is_found_by_its_name_and_written_so() {
        for action in Action::ALL {
            assert_eq!(action.name().parse::<Action>().unwrap(), action);
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
        }
        assert!("Kill".parse::<Action>().is_err());
    }

    #[test]
    fn every_action_is_a_signal_or_refused_with_a_reason() {
        let system = System::builder().event_loops(1).build().unwrap();
        let actor = system.spawn(SpawnOptions::new(), || Quiet).unwrap().any();
        let signals = Action::ALL.map(|action| action.signal(&actor).ok());
        let expected = [
            Some(Signal::Suspend),
            Some(Signal::Resume),
            Some(Signal::Step),
            Some(Signal::Interrupt),
            Some(Signal::Stop),
            Some(Signal::Kill),
            None, // nobody would start it again
            Some(Signal::Inspect),
        ];
        assert_eq!(signals, expected);
        block_on(system.shutdown());
    }
}
