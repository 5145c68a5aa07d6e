//! The two sides of a ping-pong: threads or processes, pinned, scheduled and counted.
