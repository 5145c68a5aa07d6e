//! Resident memory of idle units.
