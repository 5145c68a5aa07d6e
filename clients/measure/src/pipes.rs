//! The four modes of a pipe, blocking and not, on both sides: what is delivered, lost, or read in vain.
