//! How one side wakes the other: one file per family of mechanisms.
