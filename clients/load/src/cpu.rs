//! Processor time of this process: user and system, all threads or some, to the nanosecond.

use std::fs;

use nix::time::ClockId;

/// Processor time used so far, in nanoseconds. Zero where the kernel does not tell.
pub(crate) fn process_nanos() -> u64 {
    // Finer than getrusage, which some kernels only count in ticks.
    nanos(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// Processor time that the calling thread has used so far, in nanoseconds.
pub(crate) fn thread_nanos() -> u64 {
    nanos(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// Processor time that a thread of this process has used so far, in nanoseconds; zero once it has ended.
pub(crate) fn thread_nanos_of(thread: i32) -> u64 {
    // As `pthread_getcpuclockid` makes it: the complement, then "of a thread" and "scheduled time".
    nanos(ClockId::from_raw((!thread << 3) | 0b110))
}

/// The living threads of this process that have this name, at most 15 bytes of it.
pub(crate) fn threads_named(name: &str) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let threads = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let is_named = fs::read_to_string(entry.path().join("comm")).ok()?.trim_end() == name;
        is_named.then(|| entry.file_name().to_str()?.parse().ok()).flatten()
    });
    threads.collect()
}

/// What a clock of processor time shows, in nanoseconds.
pub(crate) fn nanos(clock: ClockId) -> u64 {
    let Ok(time) = clock.now() else { return 0 };
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec()).unwrap_or(0);
    seconds * 1_000_000_000 + nanos
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn work_uses_processor_time() {
        let before = process_nanos();
        black_box((0..1_000_000_u64).fold(0, |sum, i| black_box(sum ^ i)));
        assert!(process_nanos() > before);
    }

    #[test]
    fn another_thread_is_found_by_its_name_and_has_its_own_time() {
        let (ready, is_ready) = mpsc::channel();
        let (end, is_ended) = mpsc::channel::<()>();
        let named = thread::Builder::new().name("to-be-found".to_owned());
        let works = named.spawn(move || {
            black_box((0..1_000_000_u64).fold(0, |sum, i| black_box(sum ^ i)));
            ready.send(thread_nanos()).unwrap();
            is_ended.recv().unwrap_err();
        });
        let own = is_ready.recv().unwrap();
        let found = threads_named("to-be-found");
        assert_eq!(found.len(), 1);
        assert!((own..own + 1_000_000_000).contains(&thread_nanos_of(found[0])));
        drop(end);
        works.unwrap().join().unwrap();
    }
}
