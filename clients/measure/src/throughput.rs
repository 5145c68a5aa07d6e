//! Messages one way, as fast as they go, and the switches that each took.
