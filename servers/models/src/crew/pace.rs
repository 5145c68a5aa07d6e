//! How fast a team grows and shrinks: numbers in, a decision out.
//!
//! The rule is that of Apache's prefork (`perform_idle_server_maintenance` in `server/mpm/prefork/prefork.c`), looked at
//! once a second. Too few idle: 1 worker is started, at the next look 2, then 4, up to 32, until there are enough. One
//! deviation: Apache stops one surplus worker at every look; here a surplus must last for three looks, and then all of it
//! that was idle throughout goes.

/// Workers started at one look at most (Apache `MAX_SPAWN_RATE`).
const RATE_MAX: usize = 32;

/// So many looks in a row must find a surplus.
const SURPLUS_LOOKS: u32 = 3;

/// How many workers there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) spare_min: usize,
    pub(crate) spare_max: usize,
    pub(crate) workers_max: usize,
}

/// What is to be done after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing.
    Stay,
    /// Start so many.
    Start(usize),
    /// Stop so many that are idle.
    Stop(usize),
    /// There are too few, and there may not be more.
    Full,
}

/// What earlier looks have found.
#[derive(Debug)]
pub(crate) struct Pace {
    bounds: Bounds,
    /// How many are started next.
    rate: usize,
    surplus_looks: u32,
    /// The least surplus of those looks.
    surplus: usize,
}

impl Pace {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, rate: 1, surplus_looks: 0, surplus: 0 }
    }

    /// There are so many workers, and so many of them are idle.
    pub(crate) fn look(&mut self, workers: usize, idle: usize) -> Decision {
        let Bounds { spare_min, spare_max, workers_max } = self.bounds;
        if idle > spare_max {
            self.rate = 1;
            return self.shrink(idle - spare_max);
        }
        self.surplus_looks = 0;
        if idle >= spare_min {
            self.rate = 1;
            return Decision::Stay;
        }
        let room = workers_max.saturating_sub(workers);
        if room == 0 {
            self.rate = 1;
            return Decision::Full;
        }
        let start = self.rate.min(room);
        self.rate = (self.rate * 2).min(RATE_MAX);
        Decision::Start(start)
    }

    fn shrink(&mut self, surplus: usize) -> Decision {
        self.surplus = if self.surplus_looks == 0 { surplus } else { self.surplus.min(surplus) };
        self.surplus_looks += 1;
        if self.surplus_looks < SURPLUS_LOOKS {
            return Decision::Stay;
        }
        self.surplus_looks = 0;
        Decision::Stop(self.surplus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { spare_min: 2, spare_max: 4, workers_max: 100 };

    #[test]
    fn a_team_that_is_taken_doubles_what_it_starts_until_it_is_full() {
        let mut pace = Pace::new(BOUNDS);
        let (mut workers, mut started) = (1, Vec::new());
        while let Decision::Start(more) = pace.look(workers, 0) {
            workers += more;
            started.push(more);
        }
        assert_eq!(started, [1, 2, 4, 8, 16, 32, 32, 4]);
        assert_eq!(pace.look(100, 1), Decision::Full);
        assert_eq!(pace.look(99, 1), Decision::Start(1), "slowly again");
    }

    #[test]
    fn enough_spares_begin_anew() {
        let mut pace = Pace::new(BOUNDS);
        assert_eq!(pace.look(1, 0), Decision::Start(1));
        assert_eq!(pace.look(2, 0), Decision::Start(2));
        assert_eq!(pace.look(4, 2), Decision::Stay);
        assert_eq!(pace.look(4, 1), Decision::Start(1));
    }

    #[test]
    fn what_was_idle_at_every_look_is_stopped() {
        let mut pace = Pace::new(BOUNDS);
        assert_eq!(pace.look(10, 10), Decision::Stay);
        assert_eq!(pace.look(10, 7), Decision::Stay);
        assert_eq!(pace.look(10, 9), Decision::Stop(3));
        assert_eq!(pace.look(7, 7), Decision::Stay, "counted anew");
        assert_eq!(pace.look(7, 4), Decision::Stay, "no surplus");
        assert_eq!(pace.look(7, 7), Decision::Stay);
        assert_eq!(pace.look(7, 7), Decision::Stay);
        assert_eq!(pace.look(7, 7), Decision::Stop(3));
    }
}
