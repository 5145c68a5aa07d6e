//! What other tools print for the same thing, beside the kernel's count.
