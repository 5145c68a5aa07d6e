//! Subjects inside one thread: calls, fibers, tasks and actors, and the floors they stand on.
