//! Numbers by chance that are the same in every run with the same seed.
//!
//! Enough for resampling and shuffling; nothing secret may depend on it.

/// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), with the mixing
/// constants of Stafford's variant 13.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    #[cfg(test)]
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for everything that has a name: figures do not depend on what was computed before.
    #[must_use]
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a, 64 bits (draft-eastlake-fnv).
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n` - 1; 0 where `n` is 0. By multiplication (Lemire 2019), without its rejection: for the few that are
    /// drawn from here the bias is less than 2^-32.
    pub fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.draw()) * n as u128;
        usize::try_from(wide >> 64).expect("less than n")
    }

    /// Between 0 and 1, neither of them.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.draw() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Standard normal, by the polar method (Marsaglia and Bray 1964).
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// Beta with both parameters `shape`, at least 1: two gammas make one.
    pub(crate) fn symmetric_beta(&mut self, shape: f64) -> f64 {
        let (a, b) = (self.gamma(shape), self.gamma(shape));
        a / (a + b)
    }

    /// Gamma of a shape of at least 1 (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// Every order is as likely (Fisher and Yates, as Durstenfeld computes it).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_variance(draws: impl Iterator<Item = f64>) -> (f64, f64) {
        let draws: Vec<f64> = draws.collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let squares = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean, squares / draws.len() as f64)
    }

    #[test]
    fn the_first_numbers_are_those_that_others_draw() {
        // Seed 1234567, as the reference implementation prints them.
        let mut chance = Chance::new(1_234_567);
        assert_eq!(chance.draw(), 6_457_827_717_110_365_317);
        assert_eq!(chance.draw(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_name_has_its_own_numbers_and_keeps_them() {
        let first = |name| Chance::named(7, name).draw();
        assert_eq!(first("a"), first("a"));
        assert_ne!(first("a"), first("b"));
    }

    #[test]
    fn draws_have_the_mean_and_the_variance_of_their_distribution() {
        let mut chance = Chance::new(1);
        let (mean, variance) = mean_and_variance((0..100_000).map(|_| chance.normal()));
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        for shape in [1.0, 3.5, 1_000.0] {
            let (mean, variance) =
                mean_and_variance((0..100_000).map(|_| chance.symmetric_beta(shape)));
            let expected = 1.0 / (4.0 * (2.0 * shape + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{shape}: {mean}");
            assert!((variance / expected - 1.0).abs() < 0.05, "{shape}: {variance}");
        }
    }

    #[test]
    fn every_number_below_is_drawn_and_none_above() {
        let mut chance = Chance::new(3);
        let mut seen = [0; 7];
        (0..7_000).for_each(|_| seen[chance.below(7)] += 1);
        assert!(seen.iter().all(|&count| (800..1_200).contains(&count)), "{seen:?}");
        assert_eq!(chance.below(0), 0);
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut items: Vec<usize> = (0..50).collect();
        Chance::new(5).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.iter().copied().eq(0..50));
    }
}
