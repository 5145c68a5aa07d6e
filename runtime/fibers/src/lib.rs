//! Fibers: user-level threads on a few kernel threads, the LWPs.
