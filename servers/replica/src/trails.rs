//! Who answered what is followed: kept from the answer until who asked takes it.

use std::collections::HashMap;

use palco_rambo::Trail;

/// By the number of the request. As many entries as there are who wait.
#[derive(Debug, Default)]
pub(crate) struct Trails(HashMap<u64, Option<Box<Trail>>>);

impl Trails {
    /// Somebody waits for what becomes of this request.
    pub(crate) fn expect(&mut self, number: u64) {
        self.0.insert(number, None);
    }

    /// It has been answered. Nobody may wait for it any more.
    pub(crate) fn keep(&mut self, number: u64, trail: Box<Trail>) {
        if let Some(place) = self.0.get_mut(&number) {
            *place = Some(trail);
        }
    }

    /// What was noted; nobody waits from now on.
    pub(crate) fn take(&mut self, number: u64) -> Option<Trail> {
        self.0.remove(&number).flatten().map(|trail| *trail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_kept_for_who_waits_and_for_nobody_else() {
        let mut trails = Trails::default();
        trails.keep(1, Box::default());
        assert_eq!(trails.take(1), None, "nobody waited");
        trails.expect(2);
        assert_eq!(trails.take(2), None, "not answered yet");
        trails.expect(3);
        trails.keep(3, Box::default());
        assert_eq!(trails.take(3), Some(Trail::default()));
        assert!(trails.0.is_empty());
    }
}
