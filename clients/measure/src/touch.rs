//! Working sets: private memory that a side touches at every hop.
