//! Which cells a quick, a usual and a full run measure, and which pairs they compare.
