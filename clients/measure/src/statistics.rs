//! Medians, quantiles and bootstrapped intervals.
