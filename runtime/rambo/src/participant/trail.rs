//! Who answered an operation in which of its rounds, for those who watch one. Nothing is noted, and nothing is
//! allocated, unless somebody follows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Participant;
use super::operations::{Operation, Stage};
use crate::quorum::Kind;
use crate::{Configuration, NodeId, NodeSet};

/// Operations that are followed at once, at most: one more is not.
pub const FOLLOWED_MAX: usize = 16;

/// Rounds that are noted of one operation, at most; those after them are not.
pub const ROUNDS_MAX: usize = 32;

/// The rounds of one operation, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// At most [`ROUNDS_MAX`].
    pub rounds: Vec<Round>,
}

/// One round: a question to all members of all configurations that are active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// What was asked.
    pub step: Step,
    /// Whose members were asked; those that became known meanwhile are at the end.
    pub configurations: Vec<Arc<Configuration>>,
    /// Whose answers were counted, in the order in which they came, each once; this node among them if it is a member.
    pub answered: Vec<NodeId>,
    /// Who had promised a higher ballot, so that the round was given up.
    pub refused_by: Option<NodeId>,
}

/// What a round asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// What do you hold?
    Query,
    /// Hold at least this.
    Propagate,
    /// Promise to accept nothing below this ballot.
    Prepare,
    /// Accept this.
    Accept,
}

impl Step {
    /// The quorums that such a round waits for.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Query | Self::Prepare => Kind::Read,
            Self::Propagate | Self::Accept => Kind::Write,
        }
    }
}

impl Round {
    /// Whether those that answered are a quorum of this configuration.
    #[must_use]
    pub fn has_quorum(&self, configuration: &Configuration) -> bool {
        let positions = self.answered.iter().filter_map(|node| configuration.position(*node));
        configuration.is_quorum(self.step.kind(), &positions.collect::<NodeSet>())
    }
}

/// An operation that is followed.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    request: u64,
    trail: Trail,
}

impl Participant {
    /// Notes from now on who answers this request, which is about to be asked; false if too many are followed. The notes
    /// are kept until [`Self::take_trail`].
    pub fn follow(&mut self, request: u64) -> bool {
        let has_room = self.followed.len() < FOLLOWED_MAX;
        if has_room {
            self.followed.push(Followed { request, trail: Trail::default() });
        }
        has_room
    }

    /// What was noted about a request, which is followed no longer; nothing if it was not followed.
    pub fn take_trail(&mut self, request: u64) -> Option<Trail> {
        let place = self.followed.iter().position(|followed| followed.request == request)?;
        Some(self.followed.swap_remove(place).trail)
    }

    fn trail(&mut self, request: u64) -> Option<&mut Trail> {
        let followed = self.followed.iter_mut().find(|followed| followed.request == request)?;
        Some(&mut followed.trail)
    }

    /// A round begins, in all configurations that are active.
    pub(super) fn note_round(&mut self, operation: &Operation) {
        if self.followed.is_empty() {
            return;
        }
        let step = match operation.stage {
            Stage::Query => Step::Query,
            Stage::Propagate => Step::Propagate,
            Stage::CasPrepare => Step::Prepare,
            Stage::CasAccept => Step::Accept,
            Stage::CasBackoff => return,
        };
        let active = self.map.as_ref().map(|map| map.active().to_vec());
        if let Some(trail) = self.trail(operation.request)
            && trail.rounds.len() < ROUNDS_MAX
        {
            let configurations = active.unwrap_or_default();
            let (answered, refused_by) = (Vec::new(), None);
            trail.rounds.push(Round { step, configurations, answered, refused_by });
        }
    }

    /// Another configuration must answer the round that is under way.
    pub(super) fn note_configuration(&mut self, request: u64, configuration: &Arc<Configuration>) {
        if let Some(round) = self.round(request) {
            round.configurations.push(Arc::clone(configuration));
        }
    }

    /// An answer has been counted.
    pub(super) fn note_answer(&mut self, request: u64, from: NodeId) {
        if let Some(round) = self.round(request)
            && !round.answered.contains(&from)
        {
            round.answered.push(from);
        }
    }

    /// The round is given up.
    pub(super) fn note_refusal(&mut self, request: u64, from: NodeId) {
        if let Some(round) = self.round(request) {
            round.refused_by = Some(from);
        }
    }

    fn round(&mut self, request: u64) -> Option<&mut Round> {
        self.trail(request)?.rounds.last_mut()
    }
}

#[cfg(test)]
mod tests {
    use palco_core::Time;

    use super::*;
    use crate::{Command, Effect, Event, Key, Outcome, Settings, Storage};

    const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

    /// Three that keep everything in memory, and a network of one step.
    struct Three(Vec<Participant>);

    impl Three {
        fn new() -> Self {
            let first = Configuration::majority(0, (1..=3).map(NodeId)).unwrap();
            let one = |node| {
                let settings = Settings { storage: Storage::Memory, ..Settings::new(NodeId(node)) };
                Participant::found(settings, first.clone(), &mut Vec::new())
            };
            Self((1..=3).map(one).collect())
        }

        /// Runs a command through the first until nothing is on its way; those that are `silent` hear nothing.
        fn run(&mut self, request: u64, command: Command, silent: &[NodeId]) -> Vec<Outcome> {
            let asked = Event::Asked { request, deadline: Time::START + SECOND, command };
            let mut mail = vec![(NodeId(1), asked)];
            let mut outcomes = Vec::new();
            while let Some((node, event)) = mail.pop() {
                let at = usize::try_from(node.0).unwrap() - 1;
                let mut effects = Vec::new();
                self.0[at].step(Time::START, event, &mut effects);
                for effect in effects {
                    match effect {
                        Effect::Send { to, message, .. } if !silent.contains(&to) => {
                            mail.push((to, Event::Received { from: node, message }));
                        }
                        Effect::Reply { outcome, .. } => outcomes.push(outcome),
                        Effect::Send { .. } | Effect::SetTimer { .. } => {}
                        Effect::Persist { .. } => panic!("nothing is kept"),
                    }
                }
            }
            outcomes
        }
    }

    fn write() -> Command {
        Command::Write(Key::register("x"), Some("1".into()))
    }

    #[test]
    fn both_rounds_of_a_write_name_a_quorum_that_answered() {
        let mut three = Three::new();
        assert!(three.0[0].follow(7));
        let outcomes = three.run(7, write(), &[NodeId(2)]);
        assert!(matches!(outcomes[..], [Outcome::Written(_)]));
        let trail = three.0[0].take_trail(7).unwrap();
        let steps: Vec<_> = trail.rounds.iter().map(|round| round.step).collect();
        assert_eq!(steps, [Step::Query, Step::Propagate]);
        for round in &trail.rounds {
            assert_eq!(round.answered, [NodeId(1), NodeId(3)]);
            assert!(round.has_quorum(&round.configurations[0]));
        }
        assert_eq!(three.0[0].take_trail(7), None, "once");
    }

    #[test]
    fn who_is_alone_has_no_quorum_and_the_trail_says_so() {
        let mut three = Three::new();
        three.0[0].follow(1);
        assert!(three.run(1, write(), &[NodeId(2), NodeId(3)]).is_empty());
        let trail = three.0[0].take_trail(1).unwrap();
        assert_eq!(trail.rounds.len(), 1);
        assert_eq!(trail.rounds[0].answered, [NodeId(1)]);
        assert!(!trail.rounds[0].has_quorum(&trail.rounds[0].configurations[0]));
    }

    #[test]
    fn a_change_is_prepared_and_accepted() {
        let mut three = Three::new();
        three.0[0].follow(1);
        let id = crate::OperationId { client: 1, number: 1 };
        three.run(1, Command::Change(Key::cas("x"), crate::Change::Add(1), id), &[]);
        let trail = three.0[0].take_trail(1).unwrap();
        let steps: Vec<_> = trail.rounds.iter().map(|round| round.step).collect();
        assert_eq!(steps, [Step::Prepare, Step::Accept]);
    }

    #[test]
    fn what_nobody_follows_is_not_noted_and_followers_are_bounded() {
        let mut three = Three::new();
        three.run(1, write(), &[]);
        assert_eq!(three.0[0].take_trail(1), None);
        let mut more = 0..=FOLLOWED_MAX as u64;
        assert!(more.by_ref().take(FOLLOWED_MAX).all(|request| three.0[0].follow(request)));
        assert!(!three.0[0].follow(99));
    }
}
