//! From a figure to a place in a picture.

/// Linear, or by the logarithm.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    log: bool,
    /// The figures at its two ends; different, finite, and positive where it is logarithmic.
    low: f64,
    high: f64,
    /// Where these lie.
    start: f64,
    end: f64,
}

/// Ticks of an axis at most.
const TICKS_MAX: usize = 9;

/// Air at both ends of a logarithmic axis, as a factor.
const AIR: f64 = 1.25;

impl Scale {
    /// Of all positive figures among these; nothing if there is none.
    pub(crate) fn log(figures: impl Iterator<Item = f64>, start: f64, end: f64) -> Option<Self> {
        let (low, high) = range(figures.filter(|&figure| figure > 1e-12 && figure < 1e30))?;
        Some(Self { log: true, low: low / AIR, high: high * AIR, start, end })
    }

    /// From nothing to the largest of these.
    pub(crate) fn from_zero(
        figures: impl Iterator<Item = f64>,
        start: f64,
        end: f64,
    ) -> Option<Self> {
        let (_, high) = range(figures.filter(|&figure| figure > 1e-12 && figure < 1e30))?;
        Some(Self { log: false, low: 0.0, high: high * 1.08, start, end })
    }

    /// Around these, with air: what hardly moves is drawn as what hardly moves.
    pub(crate) fn around(figures: impl Iterator<Item = f64>, start: f64, end: f64) -> Option<Self> {
        let (low, high) = range(figures.filter(|figure| figure.abs() < 1e30))?;
        let air = ((high - low) * 0.12).max(high.abs() * 0.08).max(1e-9);
        Some(Self { log: false, low: low - air, high: high + air, start, end })
    }

    /// Where a figure lies; what is outside lies at the end.
    pub(crate) fn at(&self, figure: f64) -> f64 {
        let figure = if figure.is_finite() { figure.clamp(self.low, self.high) } else { self.low };
        let share = if self.log {
            (figure / self.low).ln() / (self.high / self.low).ln()
        } else {
            (figure - self.low) / (self.high - self.low)
        };
        self.start + share * (self.end - self.start)
    }

    /// Whether a figure lies below the axis, so that it is only drawn at its foot.
    pub(crate) fn is_below(&self, figure: f64) -> bool {
        figure < self.low
    }

    /// Those ticks that are far enough from each other for words.
    pub(crate) fn spaced(&self, ticks: Vec<f64>, room: f64) -> Vec<f64> {
        let mut last = f64::NEG_INFINITY;
        let is_free = |tick: &f64| {
            let place = self.at(*tick);
            let free = place - last >= room;
            last = if free { place } else { last };
            free
        };
        ticks.into_iter().filter(is_free).collect()
    }

    /// Where the axis begins.
    pub(crate) const fn start(&self) -> f64 {
        self.start
    }

    /// Round figures to be written beside the axis, at most nine.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if self.log { self.log_ticks() } else { self.linear_ticks() }
    }

    /// How many powers of ten lie between its ends.
    pub(crate) fn decades(&self) -> f64 {
        (self.high / self.low).log10()
    }

    /// Powers of four, for bytes.
    pub(crate) fn binary_ticks(&self) -> Vec<f64> {
        let ticks = (0..32).map(|power| 4_f64.powi(power));
        ticks.filter(|tick| (self.low..=self.high).contains(tick)).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let decades = self.decades();
        let steps: &[f64] = match decades {
            few if few < 1.3 => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            some if some < 2.6 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let every = (decades / TICKS_MAX as f64).ceil().max(1.0) as i32;
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let powers = (first..=last).filter(|power| power.rem_euclid(every) == 0);
        let ticks =
            powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        ticks.filter(|tick| (self.low..=self.high).contains(tick)).take(2 * TICKS_MAX).collect()
    }

    /// Steps of 1, 2 or 5 of some power of ten.
    fn linear_ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = step.into_iter().find(|&step| step >= rough).unwrap_or(10.0 * power);
        let first = (self.low / step).ceil();
        let ticks = (0..TICKS_MAX).map(|at| (first + at as f64) * step);
        ticks.filter(|&tick| tick <= self.high).collect()
    }
}

fn range(figures: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    figures.filter(|figure| figure.is_finite()).fold(None, |range, figure| match range {
        None => Some((figure, figure)),
        Some((low, high)) => Some((figure.min(low), figure.max(high))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_logarithmic_axis_is_ticked_at_powers_of_ten() {
        let scale = Scale::log([3.0, 40_000.0].into_iter(), 0.0, 100.0).unwrap();
        assert_eq!(scale.ticks(), [10.0, 100.0, 1000.0, 10_000.0]);
        assert!(Scale::log([0.0, -1.0, f64::NAN].into_iter(), 0.0, 1.0).is_none());
    }

    proptest! {
        #[test]
        fn every_figure_lies_on_its_axis(figures in proptest::collection::vec(any::<f64>(), 1..9)) {
            let all = || figures.iter().copied();
            let scales = [
                Scale::log(all(), 0.0, 100.0),
                Scale::from_zero(all(), 0.0, 100.0),
                Scale::around(all(), 0.0, 100.0),
            ];
            for scale in scales.into_iter().flatten() {
                for figure in all().chain([f64::NAN]) {
                    prop_assert!((-0.01..=100.01).contains(&scale.at(figure)), "{:?}", scale);
                }
                prop_assert!(scale.ticks().len() <= 2 * TICKS_MAX);
            }
        }
    }
}
