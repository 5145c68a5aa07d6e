//! Packets that are lost between some nodes. Clients reach all of them.

use std::collections::BTreeSet;

use palco_measure::Chance;

use super::Act;
use crate::VerifyError;

/// Fewer nodes in a ring are all neighbours.
const RING_MIN: usize = 4;

/// What is lost: from whom, to whom.
type Lost = BTreeSet<(usize, usize)>;

impl Act<'_> {
    pub(super) fn partition(&mut self, chance: &mut Chance) -> Result<String, VerifyError> {
        let all: Vec<_> = (0..self.cluster.nodes.len()).collect();
        let rest: Vec<_> =
            all.iter().copied().filter(|place| !self.victims.contains(place)).collect();
        let (victims, others) = (self.names(&self.victims), self.names(&rest));
        let kind = if all.len() >= RING_MIN { chance.below(4) } else { chance.below(3) };
        let (lost, what) = match kind {
            0 => {
                let both = lost(&self.victims, &rest).into_iter().chain(lost(&rest, &self.victims));
                (both.collect(), format!("{victims} apart from {others}"))
            }
            1 => (lost(&self.victims, &rest), format!("nobody hears {victims}")),
            2 => (lost(&rest, &self.victims), format!("{victims} hear nobody else")),
            _ => {
                let mut order = all;
                chance.shuffle(&mut order);
                self.keeps_quorum = false;
                (outside_ring(&order), format!("a ring of {}", self.names(&order)))
            }
        };
        self.begin(&what);
        self.cut(&lost, true)?;
        let more = self.last(chance);
        self.cut(&lost, false)?;
        Ok(what + &more)
    }

    fn cut(&self, lost: &Lost, is_cut: bool) -> Result<(), VerifyError> {
        lost.iter().try_for_each(|(from, to)| self.cluster.ground.cut(*from, *to, is_cut))
    }
}

fn lost(from: &[usize], to: &[usize]) -> Lost {
    from.iter().flat_map(|from| to.iter().map(|to| (*from, *to))).collect()
}

/// All pairs that are no neighbours.
fn outside_ring(order: &[usize]) -> Lost {
    let mut lost = Lost::new();
    for (at, from) in order.iter().enumerate() {
        for (other, to) in order.iter().enumerate() {
            let distance = at.abs_diff(other);
            if distance > 1 && distance < order.len() - 1 {
                lost.insert((*from, *to));
            }
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_ring_everybody_hears_two() {
        let lost = outside_ring(&[3, 0, 4, 1, 2]);
        for node in 0..5 {
            assert_eq!(lost.iter().filter(|(from, _)| *from == node).count(), 2);
            assert_eq!(lost.iter().filter(|(_, to)| *to == node).count(), 2);
        }
        assert!(!lost.contains(&(3, 2)), "the last is a neighbour of the first");
        assert!(outside_ring(&[0, 1, 2]).is_empty());
    }

    #[test]
    fn one_way_is_not_the_other() {
        let lost = lost(&[0], &[1, 2]);
        assert!(lost.contains(&(0, 1)) && !lost.contains(&(1, 0)));
    }
}
