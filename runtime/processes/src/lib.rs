//! Processes: start them fast and exactly, confine them, watch them, pass them descriptors.

#![forbid(unsafe_code)]
