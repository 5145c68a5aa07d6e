//! A unit made, finished and reaped.
