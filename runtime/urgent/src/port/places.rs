//! The places of the urgent port: whoever comes last gets one, whoever has waited longest for its own command loses it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::task::AbortHandle;

/// All places; of one thread.
#[derive(Debug)]
pub(crate) struct Places(RefCell<Taken>);

#[derive(Debug)]
struct Taken {
    room: usize,
    /// How many have a place.
    count: usize,
    /// Those that wait for a command, from the one that has waited longest. Without a handle, its task has not begun.
    waiting: BTreeMap<u64, Option<AbortHandle>>,
    next: u64,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Rc<Places>,
    /// Where it stands among the waiting.
    turn: u64,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Waiting,
    Acting,
}

/// Who had to go for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evicted {
    Nobody,
    One,
}

impl Places {
    /// So many, at least one.
    pub(crate) fn new(room: usize) -> Rc<Self> {
        let waiting = BTreeMap::new();
        Rc::new(Self(RefCell::new(Taken { room: room.max(1), count: 0, waiting, next: 0 })))
    }

    /// A place; `None` when every one is of a connection whose command is being acted on.
    pub(crate) fn take(self: &Rc<Self>) -> Option<(Place, Evicted)> {
        let mut taken = self.0.borrow_mut();
        let evicted = if taken.count < taken.room {
            Evicted::Nobody
        } else {
            let (_, task) = taken.waiting.pop_first()?;
            taken.count -= 1;
            if let Some(task) = task {
                task.abort();
            }
            Evicted::One
        };
        taken.count += 1;
        let turn = taken.wait(None);
        Some((Place { places: Rc::clone(self), turn, step: Step::Waiting }, evicted))
    }

    /// The task to end when the place that has this turn is needed.
    pub(crate) fn belongs_to(&self, turn: u64, task: AbortHandle) {
        if let Some(handle) = self.0.borrow_mut().waiting.get_mut(&turn) {
            *handle = Some(task);
        }
    }
}

impl Taken {
    fn wait(&mut self, task: Option<AbortHandle>) -> u64 {
        let turn = self.next;
        self.next += 1;
        self.waiting.insert(turn, task);
        turn
    }
}

impl Place {
    /// Where it stands among the waiting.
    pub(crate) fn turn(&self) -> u64 {
        self.turn
    }

    /// A complete command has come: until it has been acted on, nobody takes the place. It is the last then.
    pub(crate) async fn acting<T>(&mut self, act: impl Future<Output = T>) -> T {
        let task = self.places.0.borrow_mut().waiting.remove(&self.turn).flatten();
        self.step = Step::Acting;
        let answer = act.await;
        self.step = Step::Waiting;
        self.turn = self.places.0.borrow_mut().wait(task);
        answer
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.borrow_mut();
        // Who neither waits nor acts was evicted: the place is another's.
        if taken.waiting.remove(&self.turn).is_some() || self.step == Step::Acting {
            taken.count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(places: &Rc<Places>) -> Place {
        places.take().unwrap().0
    }

    #[test]
    fn who_has_waited_longest_goes_first() {
        let places = Places::new(2);
        let (first, second) = (taken(&places), taken(&places));
        let (third, evicted) = places.take().unwrap();
        assert_eq!(evicted, Evicted::One);
        assert!(!places.0.borrow().waiting.contains_key(&first.turn));
        drop(first);
        assert_eq!(places.0.borrow().count, 2);
        drop((second, third));
        assert_eq!(places.0.borrow().count, 0);
        assert_eq!(places.take().unwrap().1, Evicted::Nobody);
    }

    #[test]
    fn whose_command_is_acted_on_stays_and_is_the_last_then() {
        let places = Places::new(2);
        let (mut first, second) = (taken(&places), taken(&places));
        palco_threads::block_on(first.acting(async {
            drop(second);
            let second = taken(&places);
            let third = taken(&places);
            assert!(!places.0.borrow().waiting.contains_key(&second.turn));
            drop((second, third));
        }));
        let other = taken(&places);
        assert!(first.turn < other.turn);
        let new = taken(&places);
        assert!(!places.0.borrow().waiting.contains_key(&first.turn));
        drop((first, other, new));
        assert_eq!(places.0.borrow().count, 0);
    }

    #[test]
    fn when_all_are_acted_on_there_is_no_place() {
        let places = Places::new(1);
        let mut only = taken(&places);
        palco_threads::block_on(only.acting(async { assert!(places.take().is_none()) }));
        assert!(places.take().is_some());
    }
}
