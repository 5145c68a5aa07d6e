//! Evidence or no number: what a round must show for its figures to count.
