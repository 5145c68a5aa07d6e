//! What follows from the lines that the tools print. They are outside bytes: what does not fit is no claim.

/// What a tool says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Claim {
    /// Nanoseconds a switch.
    pub(super) nanos: f64,
    /// How many it made, if it says so or it follows.
    pub(super) switches: Option<u64>,
    /// How long it measured, if it says so.
    pub(super) seconds: Option<f64>,
}

impl Claim {
    /// Figures that somebody could have meant.
    fn checked(self) -> Option<Self> {
        let is_time = |time: f64| time.is_finite() && time > 0.0;
        (is_time(self.nanos) && self.seconds.is_none_or(is_time)).then_some(self)
    }
}

/// The word just before `mark`, as a number.
fn before(text: &str, mark: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains(mark))?;
    line[..line.find(mark)?].split_whitespace().next_back()?.parse().ok()
}

/// The word just behind `mark`.
fn behind<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.contains(mark))?;
    line[line.find(mark)? + mark.len()..].split_whitespace().next()
}

/// `perf bench sched pipe`: an operation is a round trip.
pub(super) fn perf_pipe(text: &str) -> Option<Claim> {
    let operations: u64 = behind(text, "Executed ")?.parse().ok()?;
    let seconds = behind(text, "Total time:")?.parse().ok();
    let micros = before(text, "usecs/op")?;
    let switches = operations.checked_mul(2);
    Claim { nanos: micros * 1000.0 / 2.0, switches, seconds }.checked()
}

/// `lat_ctx`: a line for each number of processes, with microseconds a switch behind it.
pub(super) fn lat_ctx(text: &str) -> Option<Claim> {
    let mut lines = text.lines().skip_while(|line| !line.contains("size="));
    let (_processes, micros) = lines.nth(1)?.trim().split_once(' ')?;
    let micros: f64 = micros.trim().parse().ok()?;
    Claim { nanos: micros * 1000.0, switches: None, seconds: None }.checked()
}

/// The latencies of lmbench: a name, microseconds, and so many switches in each.
pub(super) fn lmbench(text: &str, name: &str, switches: f64) -> Option<Claim> {
    let micros: f64 = behind(text, name)?.parse().ok()?;
    Claim { nanos: micros * 1000.0 / switches, switches: None, seconds: None }.checked()
}

/// `stress-ng --switch --metrics`: nanoseconds a switch, and operations that it takes for switches, in seconds.
pub(super) fn stress_switch(text: &str) -> Option<Claim> {
    let nanos = before(text, "nanosec")?;
    // The first line of the stressor with figures in the columns of operations and seconds.
    let (switches, seconds) = text.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "switch").skip(1);
        let operations: u64 = words.next()?.parse().ok()?;
        Some((operations, words.next()?.parse::<f64>().ok()?))
    })?;
    Claim { nanos, switches: Some(switches), seconds: Some(seconds) }.checked()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_operation_of_perf_is_two_switches() {
        let text = "# Running 'sched/pipe' benchmark:\n\
            # Executed 20000 pipe operations between two processes\n\n     \
            Total time: 0.102 [sec]\n\n       5.116250 usecs/op\n         195455 ops/sec\n";
        let claim = perf_pipe(text).unwrap();
        assert!((claim.nanos - 2558.125).abs() < 1e-6);
        assert_eq!((claim.switches, claim.seconds), (Some(40_000), Some(0.102)));
        assert_eq!(perf_pipe("# Executed 20000 pipe operations"), None);
    }

    #[test]
    fn stress_ng_takes_its_operations_for_switches() {
        let text = "stress-ng: info:  [7] dispatching hogs: 1 switch\n\
            stress-ng: metrc: [7] stressor       bogo ops real time  usr time\n\
            stress-ng: metrc: [7] switch           180839      1.00      0.03\n\
            stress-ng: metrc: [7] miscellaneous metrics:\n\
            stress-ng: metrc: [7] switch              5515.50 nanosecs per context switch (pipe method)\n";
        let claim = Claim { nanos: 5515.5, switches: Some(180_839), seconds: Some(1.0) };
        assert_eq!(stress_switch(text), Some(claim));
        // Later versions spell it out.
        assert_eq!(stress_switch(&text.replace("nanosecs", "nanoseconds")), Some(claim));
    }

    #[test]
    fn lmbench_prints_microseconds() {
        let claim = lat_ctx("\n\"size=0k ovr=0.62\n2 0.89\n").unwrap();
        assert!((claim.nanos - 890.0).abs() < 1e-6);
        let claim = lmbench("Pipe latency: 2.7200 microseconds\n", "Pipe latency:", 2.0).unwrap();
        assert!((claim.nanos - 1360.0).abs() < 1e-6 && claim.switches.is_none());
        // It prints nothing behind the size when its subtraction went below zero.
        assert_eq!(lat_ctx("\n\"size=0k ovr=1.62\n"), None);
    }

    #[test]
    fn what_nobody_could_have_meant_is_no_claim() {
        for micros in ["0", "-1", "NaN", "inf", "1e400"] {
            assert_eq!(lat_ctx(&format!("\"size=0k ovr=1\n2 {micros}\n")), None, "{micros}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "(?s).{0,200}", words in "[a-z0-9 .:=/\\n]{0,200}") {
            let marked = format!("Executed {words}\nTotal time: {text}\n{words}usecs/op size= switch {words} nanosec");
            for text in [&text, &words, &marked] {
                let claims = [perf_pipe(text), lat_ctx(text), stress_switch(text), lmbench(text, "a", 2.0)];
                for claim in claims.into_iter().flatten() {
                    prop_assert!(claim.nanos.is_finite() && claim.nanos > 0.0);
                }
            }
        }
    }
}
