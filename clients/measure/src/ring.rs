//! Some units in a ring on one core: the knee of address spaces.
