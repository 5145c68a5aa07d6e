//! The protocol without faults: participants that hear each other at once, one message after the other.

mod protocol {
    mod changes;
    mod cluster;
    mod configurations;
    mod frugal;
    mod reads_and_writes;
    mod restarts;
}
