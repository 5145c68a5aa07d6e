//! What a run ran on, how quiet it was, and the canary that notices who comes by.
