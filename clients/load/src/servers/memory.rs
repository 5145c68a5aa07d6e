//! What a server takes of the machine's memory.

use std::fs;

use crate::family::proportional_kib;

/// What the kernel takes on behalf of processes and sockets.
const KERNEL: [&str; 3] = ["KernelStack:", "PageTables:", "Slab:"];

/// Memory of these processes in KiB, pages that are shared divided by those who share them (`Pss`); nothing where the
/// kernel does not tell.
pub(super) fn own_kib(pids: &[i32]) -> Option<u64> {
    let of = |pid: &i32| proportional_kib(*pid);
    let first = of(pids.first()?)?;
    // Who has just ended has none.
    Some(first + pids[1..].iter().filter_map(of).sum::<u64>())
}

/// What the kernel takes for all of this machine's stacks, page tables and objects, in KiB.
pub(super) fn kernel_kib() -> Option<u64> {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let of = |name| told.lines().find_map(|line| kib(line, name));
    KERNEL.into_iter().map(of).sum()
}

/// Of `Name:   123 kB`.
fn kib(line: &str, name: &str) -> Option<u64> {
    line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_its_name() {
        assert_eq!(kib("Slab:             12345 kB", "Slab:"), Some(12_345));
        assert_eq!(kib("SlabX:             1 kB", "Slab:"), None);
        assert_eq!(kib("Slab: many kB", "Slab:"), None);
    }

    #[test]
    fn this_process_and_this_kernel_take_something() {
        let own = i32::try_from(std::process::id()).unwrap();
        let none = i32::MAX;
        let kib = own_kib(&[own]).unwrap();
        assert!(kib > 100 && kib < 1 << 22, "{kib}");
        assert!(own_kib(&[own, none]).unwrap() > 100, "who is gone has none");
        assert_eq!(own_kib(&[none, own]), None);
        assert!(kernel_kib().unwrap() > 100);
    }
}
