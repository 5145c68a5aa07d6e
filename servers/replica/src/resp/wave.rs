//! The steps that can be taken at the same time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use palco_rambo::{Command, OperationId, Outcome};

use super::act::Act;

/// Steps of different keys, each the next one of the first act on its key that has not ended.
#[derive(Debug, Default)]
pub(super) struct Wave {
    /// To be run together.
    pub(super) commands: Vec<Command>,
    /// Which act waits for which command's outcome.
    waiting: Vec<(usize, usize)>,
}

/// Who has a key in this wave.
enum Holder {
    /// Reads that share this command.
    Readers(usize),
    /// Somebody else, or somebody else waits.
    Alone,
}

impl Wave {
    /// Of the acts from `from` on, at most `commands_max` commands.
    pub(super) fn gather(
        acts: &[Act],
        from: usize,
        commands_max: usize,
        mut id: impl FnMut() -> OperationId,
    ) -> Self {
        let mut wave = Self::default();
        let mut held: HashMap<&[u8], Holder> = HashMap::new();
        for (place, act) in acts.iter().enumerate().skip(from) {
            if wave.commands.len() >= commands_max.max(1) {
                break;
            }
            if act.has_ended() {
                continue;
            }
            let number = wave.commands.len();
            match held.entry(&act.key().name) {
                Entry::Vacant(free) => {
                    let reads = act.only_reads();
                    free.insert(if reads { Holder::Readers(number) } else { Holder::Alone });
                    wave.waiting.push((place, number));
                    wave.commands.push(act.step(&mut id));
                }
                Entry::Occupied(mut taken) => match taken.get() {
                    Holder::Readers(shared) if act.only_reads() => {
                        wave.waiting.push((place, *shared));
                    }
                    // A read behind this one must not overtake it.
                    Holder::Readers(_) | Holder::Alone => *taken.get_mut() = Holder::Alone,
                },
            }
        }
        wave
    }

    /// The commands, and who waits for them.
    pub(super) fn split(self) -> (Vec<Command>, Waiting) {
        (self.commands, Waiting(self.waiting))
    }
}

/// Which act waits for which outcome.
#[derive(Debug)]
pub(super) struct Waiting(Vec<(usize, usize)>);

impl Waiting {
    /// Hands each act what became of its step.
    pub(super) fn deal(self, outcomes: &[Outcome], acts: &mut [Act]) {
        for (place, number) in self.0 {
            let outcome = outcomes.get(number).cloned();
            acts[place].take(outcome.unwrap_or(Outcome::Unknown { tag: None }));
        }
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::Key;

    use super::*;
    use crate::resp::act::Deed;

    fn act(name: &'static str, deed: Deed) -> Act {
        Act::new(Key::register(name), deed)
    }

    fn keys(acts: &[Act], commands_max: usize) -> (Vec<String>, Vec<(usize, usize)>) {
        let wave = Wave::gather(acts, 0, commands_max, OperationId::default);
        let (commands, Waiting(waiting)) = wave.split();
        (commands.iter().map(|command| format!("{command:?}")).collect(), waiting)
    }

    #[test]
    fn what_is_on_one_key_keeps_its_order_and_the_rest_goes_together() {
        let acts = [
            act("a", Deed::Read),
            act("b", Deed::Put("1".into())),
            act("a", Deed::Read),
            act("b", Deed::Read),
            act("a", Deed::Put("2".into())),
            act("a", Deed::Read),
            act("c", Deed::Erase),
            act("c", Deed::Read),
        ];
        let (commands, waiting) = keys(&acts, 100);
        assert_eq!(waiting, [(0, 0), (1, 1), (2, 0), (6, 2)], "{commands:?}");
        assert_eq!(commands.len(), 3);
        assert_eq!(keys(&acts, 2).0.len(), 2);
    }
}
