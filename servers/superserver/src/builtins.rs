//! What the superserver serves itself.
