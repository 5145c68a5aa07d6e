//! Two reports side by side, if their machines allow it.
