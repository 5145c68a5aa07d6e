//! What is wrong with the network at the moment. Several things may be at once, also of one kind.

use super::Machine;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Of a hundred messages so many are lost.
    Loss(u32),
    /// So many come twice.
    Duplicate(u32),
    /// So many take far longer.
    Reorder(u32),
    /// Some links carry nothing.
    Cut(Cut),
    /// This machine takes far longer for everything.
    Slow(Machine),
}

/// Which links carry nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Those between machines of different sides.
    Sides(Vec<bool>),
    /// Those towards these machines: they are heard and do not hear.
    Deaf(Vec<bool>),
    /// Those from these machines: they hear and are not heard.
    Mute(Vec<bool>),
    /// All but those between neighbours; each machine's place in the ring.
    Ring(Vec<u32>),
}

impl Cut {
    fn hits(&self, from: Machine, to: Machine) -> bool {
        let (from, to) = (from as usize, to as usize);
        match self {
            Self::Sides(side) => side[from] != side[to],
            Self::Deaf(deaf) => deaf[to],
            Self::Mute(mute) => mute[from],
            Self::Ring(place) => {
                let apart = place[from].abs_diff(place[to]);
                apart != 1 && apart as usize != place.len() - 1
            }
        }
    }
}

/// Names a trouble, to end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TroubleId(u64);

/// All that is wrong.
#[derive(Debug)]
pub(crate) struct Weather {
    troubles: Vec<(TroubleId, Trouble)>,
    begun: u64,
    loss: u32,
    duplicate: u32,
    reorder: u32,
    slow: Vec<bool>,
}

impl Weather {
    /// Nothing is.
    pub(crate) fn new(machines: usize) -> Self {
        Self {
            troubles: Vec::new(),
            begun: 0,
            loss: 0,
            duplicate: 0,
            reorder: 0,
            slow: vec![false; machines],
        }
    }

    /// One more thing is.
    pub(crate) fn begin(&mut self, trouble: Trouble) -> TroubleId {
        let id = TroubleId(self.begun);
        self.begun += 1;
        self.troubles.push((id, trouble));
        self.summarise();
        id
    }

    /// It is over; no matter if it was before.
    pub(crate) fn end(&mut self, id: TroubleId) {
        self.troubles.retain(|(other, _)| *other != id);
        self.summarise();
    }

    /// All is.
    pub(crate) fn clear(&mut self) {
        self.troubles.clear();
        self.summarise();
    }

    /// How many things are wrong.
    pub(crate) fn len(&self) -> usize {
        self.troubles.len()
    }

    pub(super) fn is_fair(&self) -> bool {
        self.troubles.is_empty()
    }

    pub(super) fn loss(&self) -> u32 {
        self.loss
    }

    pub(super) fn duplicate(&self) -> u32 {
        self.duplicate
    }

    pub(super) fn reorder(&self) -> u32 {
        self.reorder
    }

    /// Whether everything takes this machine far longer.
    pub(crate) fn is_slow(&self, machine: Machine) -> bool {
        self.slow[machine as usize]
    }

    pub(super) fn is_cut(&self, from: Machine, to: Machine) -> bool {
        self.troubles.iter().any(|(_, trouble)| match trouble {
            Trouble::Cut(cut) => cut.hits(from, to),
            Trouble::Loss(_) | Trouble::Duplicate(_) | Trouble::Reorder(_) | Trouble::Slow(_) => {
                false
            }
        })
    }

    fn summarise(&mut self) {
        (self.loss, self.duplicate, self.reorder) = (0, 0, 0);
        self.slow.fill(false);
        for (_, trouble) in &self.troubles {
            match trouble {
                Trouble::Loss(percent) => self.loss = self.loss.max(*percent),
                Trouble::Duplicate(percent) => self.duplicate = self.duplicate.max(*percent),
                Trouble::Reorder(percent) => self.reorder = self.reorder.max(*percent),
                Trouble::Slow(machine) => self.slow[*machine as usize] = true,
                Trouble::Cut(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_links(cut: &Cut, machines: u32) -> Vec<(u32, u32)> {
        let all = (0..machines).flat_map(|from| (0..machines).map(move |to| (from, to)));
        all.filter(|&(from, to)| from != to && !cut.hits(from, to)).collect()
    }

    #[test]
    fn sides_do_not_reach_each_other() {
        let cut = Cut::Sides(vec![true, true, false]);
        assert_eq!(open_links(&cut, 3), [(0, 1), (1, 0)]);
    }

    #[test]
    fn the_deaf_are_heard_and_the_mute_hear() {
        assert_eq!(open_links(&Cut::Deaf(vec![true, false]), 2), [(0, 1)]);
        assert_eq!(open_links(&Cut::Mute(vec![true, false]), 2), [(1, 0)]);
    }

    #[test]
    fn in_a_ring_each_has_two_neighbours() {
        let links = open_links(&Cut::Ring(vec![3, 0, 4, 1, 2]), 5);
        assert_eq!(links.len(), 10);
        assert!((0..5).all(|one| links.iter().filter(|(from, _)| *from == one).count() == 2));
    }

    #[test]
    fn the_end_of_one_trouble_leaves_the_others() {
        let mut weather = Weather::new(2);
        let first = weather.begin(Trouble::Loss(30));
        let second = weather.begin(Trouble::Loss(10));
        assert_eq!(weather.loss(), 30);
        weather.end(first);
        assert_eq!((weather.loss(), weather.is_fair()), (10, false));
        weather.end(first);
        weather.end(second);
        assert!(weather.is_fair() && weather.loss() == 0);
    }
}
