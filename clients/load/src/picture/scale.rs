//! Where a figure lies on an axis.

/// More than so many times between the least and the greatest, and the axis is logarithmic.
const LINEAR_MAX: f64 = 12.0;
/// Labels of an axis that is linear, about.
const TICKS: f64 = 4.0;

/// An axis from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    is_logarithmic: bool,
}

impl Scale {
    /// Logarithmic where all are above 0 and far apart; else linear from 0 on. Of nothing, from 0 to 1.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (least, most) = finite.fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        if least > 0.0 && most / least > LINEAR_MAX {
            Self { low: least * 0.8, high: most * 1.25, is_logarithmic: true }
        } else {
            let high = if most > 0.0 { most * 1.05 } else { 1.0 };
            Self { low: 0.0, high, is_logarithmic: false }
        }
    }

    /// Logarithmic, whatever lies between; what is not above 0 does not count.
    pub(crate) fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let positive = values.filter(|value| value.is_finite() && *value > 0.0);
        let (least, most) = positive.fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let (least, most) = if most > 0.0 { (least, most) } else { (1.0, 10.0) };
        Self { low: least * 0.8, high: most * 1.25, is_logarithmic: true }
    }

    /// Between 0 and 1, whatever the figure; what lies outside is at the end.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let share = if self.is_logarithmic {
            let value = value.max(self.low);
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Round figures on the axis, ascending.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if !self.is_logarithmic {
            let step = round_up(self.high / TICKS);
            let count = (self.high / step) as usize;
            return (0..=count).map(|number| number as f64 * step).collect();
        }
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = if decades < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let every = if decades > 5.0 { 2 } else { 1 };
        let powers = (first..=last).filter(|power| power % every == 0);
        let ticks =
            powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
        ticks.filter(|tick| (self.low..=self.high).contains(tick)).collect()
    }

    /// As a description says it.
    pub(crate) const fn name(&self) -> &'static str {
        if self.is_logarithmic { "logarithmic" } else { "linear" }
    }
}

/// The least of 1, 2, 5, 10, 20 … that is not less.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0];
    let step = steps.into_iter().find(|step| step * power >= value * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Scale {
        Scale::of(values.iter().copied())
    }

    #[test]
    fn far_apart_is_logarithmic_and_zero_is_linear() {
        assert_eq!(of(&[1.0, 100.0]).name(), "logarithmic");
        assert_eq!(of(&[0.0, 100.0]).name(), "linear");
        assert_eq!(of(&[50.0, 100.0]).name(), "linear");
    }

    #[test]
    fn every_figure_has_a_place_on_it() {
        for scale in [of(&[]), of(&[0.0]), of(&[f64::NAN, 3.0]), of(&[1.0, 1e6]), of(&[-4.0, 2.0])]
        {
            for value in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY, 2.0] {
                assert!((0.0..=1.0).contains(&scale.share(value)), "{scale:?} {value}");
            }
        }
    }

    #[test]
    fn ticks_are_round_few_and_on_the_axis() {
        assert_eq!(of(&[0.0, 7.0]).ticks(), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(of(&[7.0, 250.0]).ticks(), [10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(of(&[7.0, 25_000.0]).ticks(), [10.0, 100.0, 1_000.0, 10_000.0]);
        assert_eq!(of(&[]).ticks().first(), Some(&0.0));
        assert!(Scale::logarithmic(std::iter::empty()).ticks().len() > 1);
    }
}
