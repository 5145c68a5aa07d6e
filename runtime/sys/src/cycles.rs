//! The processor's own clock: a counter that one instruction reads, and what a tick of it is in nanoseconds.
//!
//! It is a clock only where it runs at one rate whatever the processor does, does not stop while it sleeps, and agrees
//! between processors. The kernel judges the last: it keeps time by the counter as long as it does.

use std::fs;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

/// The least time over which the rate is measured: reading both clocks takes well under a microsecond, so 0.01 %.
const CALIBRATION: Duration = Duration::from_millis(10);

/// Why the counter is not a clock here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cycle counter is not a clock: {0}")]
pub struct NoCycleClock(String);

/// What a tick of [`cycles`] is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CycleClock {
    nanos_per_tick: f64,
}

impl CycleClock {
    /// What so many ticks are in nanoseconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits of ticks are a month")]
    pub fn nanos(self, ticks: u64) -> f64 {
        ticks as f64 * self.nanos_per_tick
    }

    /// What so many nanoseconds are in ticks, rounded down.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    pub fn ticks(self, nanos: u64) -> u64 {
        (nanos as f64 / self.nanos_per_tick) as u64
    }
}

/// The counter now. Neither waits for the instructions before it nor holds up those behind it. 0 on a machine without.
#[must_use]
#[inline]
pub fn cycles() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: the instruction reads a counter and has no other effect; every x86-64 has it.
        unsafe { std::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let ticks: u64;
        // SAFETY: reads the virtual counter, which Linux lets user space read, and has no other effect.
        unsafe {
            std::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack));
        }
        ticks
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        0
    }
}

/// The clock, once it is known to be one. The first call takes 10 ms to measure its rate; later ones have the answer.
///
/// # Errors
/// [`NoCycleClock`] where the processor or the kernel does not vouch for it.
pub fn cycle_clock() -> Result<CycleClock, NoCycleClock> {
    static CLOCK: OnceLock<Result<CycleClock, NoCycleClock>> = OnceLock::new();
    CLOCK.get_or_init(|| vouch().and_then(|()| calibrate())).clone()
}

/// Whether it may be a clock at all.
fn vouch() -> Result<(), NoCycleClock> {
    if cfg!(target_arch = "aarch64") {
        // The architecture's generic timer runs at a fixed rate and is one for the whole system.
        return Ok(());
    }
    if cfg!(not(target_arch = "x86_64")) {
        return Err(NoCycleClock("it is not read on this architecture".into()));
    }
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    judge_x86(&read(source)?, &read("/proc/cpuinfo")?)
}

fn read(path: &str) -> Result<String, NoCycleClock> {
    fs::read_to_string(path).map_err(|error| NoCycleClock(format!("{path}: {error}")))
}

/// By the kernel's clock source and the first processor's flags.
fn judge_x86(source: &str, processors: &str) -> Result<(), NoCycleClock> {
    if source.trim() != "tsc" {
        return Err(NoCycleClock(format!(
            "the kernel keeps time by {}, not by tsc",
            source.trim()
        )));
    }
    let flags = processors.lines().find_map(|line| line.strip_prefix("flags")).unwrap_or("");
    for needed in ["constant_tsc", "nonstop_tsc"] {
        if !flags.split_whitespace().any(|flag| flag == needed) {
            return Err(NoCycleClock(format!("the processor is not {needed}")));
        }
    }
    Ok(())
}

/// Measures the rate against the raw monotonic clock, which nobody slews.
fn calibrate() -> Result<CycleClock, NoCycleClock> {
    let failed = |error: io::Error| NoCycleClock(format!("CLOCK_MONOTONIC_RAW: {error}"));
    let (begin, first) = paired().map_err(failed)?;
    loop {
        let (now, ticks) = paired().map_err(failed)?;
        if now - begin < CALIBRATION {
            continue;
        }
        let passed = ticks.wrapping_sub(first);
        if passed == 0 || passed > u64::MAX / 2 {
            return Err(NoCycleClock("it does not go forward".into()));
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 53 bits")]
        let ticks = passed as f64;
        return Ok(CycleClock { nanos_per_tick: (now - begin).as_secs_f64() * 1e9 / ticks });
    }
}

/// Both clocks at one moment: of five readings the one with the least time between the two readings of the counter.
fn paired() -> io::Result<(Duration, u64)> {
    let mut best: Option<(u64, Duration, u64)> = None;
    for _ in 0..5 {
        let before = cycles();
        let raw = raw_clock()?;
        let width = cycles().wrapping_sub(before);
        if best.is_none_or(|(least, ..)| width < least) {
            best = Some((width, raw, before.wrapping_add(width / 2)));
        }
    }
    let (_, raw, ticks) = best.expect("five readings were taken");
    Ok((raw, ticks))
}

fn raw_clock() -> io::Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives throughout the call.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_RAW, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let seconds = u64::try_from(time.tv_sec).map_err(io::Error::other)?;
    Ok(Duration::new(seconds, u32::try_from(time.tv_nsec).map_err(io::Error::other)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &str = "processor\t: 0\nflags\t\t: fpu constant_tsc nonstop_tsc\n";

    #[test]
    fn a_clock_needs_a_rate_a_pulse_and_the_kernels_word() {
        assert_eq!(judge_x86("tsc\n", FLAGS), Ok(()));
        assert!(judge_x86("kvm-clock\n", FLAGS).is_err());
        assert!(judge_x86("tsc\n", &FLAGS.replace("constant_tsc", "tsc")).is_err());
        assert!(judge_x86("tsc\n", &FLAGS.replace("nonstop_tsc", "")).is_err());
        assert!(judge_x86("tsc\n", "").is_err());
    }

    #[test]
    fn the_clock_agrees_with_the_kernels_or_says_why_there_is_none() {
        match cycle_clock() {
            Ok(clock) => {
                // Twice over: an independent measurement of the rate gives the same within a hundredth.
                let again = calibrate().unwrap();
                let ratio = clock.nanos(1 << 30) / again.nanos(1 << 30);
                assert!((0.99..1.01).contains(&ratio), "{ratio}");
                let there_and_back = clock.nanos(clock.ticks(1_000_000));
                assert!((999_990.0..=1_000_000.0).contains(&there_and_back), "{there_and_back}");
            }
            Err(why) => assert!(vouch().is_err(), "{why}"),
        }
    }

    #[test]
    fn the_counter_does_not_go_back() {
        let first = cycles();
        assert!(cycles() >= first);
    }
}
