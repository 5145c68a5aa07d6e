//! What the files of `/proc` and `/sys` say, as pure functions of their text.

/// The value of the first line `name : value`, as `/proc/cpuinfo` and `/proc/self/status` have them.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim_end() == name).then_some(value.trim())
    });
    value.filter(|value| !value.is_empty())
}

/// `name` or `no name` for each: which of these features of the processor there are.
pub(super) fn features(flags: &str, wanted: &[&str]) -> String {
    let has = |name: &str| flags.split_whitespace().any(|flag| flag == name);
    let say = |name: &&str| if has(name) { (*name).to_owned() } else { format!("no {name}") };
    wanted.iter().map(say).collect::<Vec<_>>().join(", ")
}

/// `some avg10` of a file of `/proc/pressure`: percent of the last ten seconds.
pub(super) fn pressure(text: &str) -> Option<f64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let average = some.split(' ').find_map(|part| part.strip_prefix("avg10="))?;
    average.parse().ok().filter(|percent: &f64| percent.is_finite())
}

/// The load over the last minute.
pub(super) fn load(text: &str) -> Option<f64> {
    text.split(' ').next()?.trim().parse().ok().filter(|load: &f64| load.is_finite())
}

/// Ticks stolen by the hypervisor, and all ticks, from the first line of `/proc/stat`.
pub(super) fn stolen(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user already.
    let all = ticks.iter().take(8).fold(0_u64, |sum, ticks| sum.saturating_add(*ticks));
    Some((*ticks.get(7)?, all))
}

/// What is chosen of `always [madvise] never`; the whole where nothing is in brackets.
pub(super) fn chosen(text: &str) -> &str {
    let inside = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    inside.map_or(text.trim(), |(chosen, _)| chosen)
}

/// Soft limit of a line of `/proc/self/limits`, with the hard one where it differs.
pub(super) fn limit(text: &str, name: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let mut parts = rest.split_whitespace();
    let (soft, hard) = (parts.next()?, parts.next()?);
    Some(if soft == hard { soft.to_owned() } else { format!("{soft} (up to {hard})") })
}

/// Bytes of a size as the caches have it: `48K`, `2M`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, factor) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1 << 10),
        b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// How many numbers a list like `0-3,8` has; nothing where it is no such list.
pub(super) fn count(list: &str) -> Option<u64> {
    let mut total = 0_u64;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        total += u64::from(last.checked_sub(first)?) + 1;
    }
    Some(total)
}

/// What a control group may use, of `quota period` in microseconds.
pub(super) fn quota(text: &str) -> String {
    match text.trim().split_once(' ') {
        Some(("max" | "-1", _)) => "not limited".to_owned(),
        Some((quota, period)) => format!("{quota} of {period} µs"),
        None => text.trim().to_owned(),
    }
}

/// How far a kernel can be preempted, by its version and what it was started with.
pub(super) fn preemption(version: &str, command_line: &str) -> String {
    let built = version.split_whitespace().find(|word| word.starts_with("PREEMPT"));
    let asked = command_line.split_whitespace().find(|word| word.starts_with("preempt="));
    let built = built.unwrap_or("no PREEMPT");
    asked.map_or(built.to_owned(), |asked| format!("{built}, {asked}"))
}

/// The group of the unified hierarchy (`0::/a/b`) and that of the old controller of processors (`4:cpu,cpuacct:/a`).
pub(super) fn control_groups(text: &str) -> (Option<&str>, Option<&str>) {
    let group = |is_wanted: &dyn Fn(&str) -> bool| {
        text.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            is_wanted(controllers).then(|| path.trim_end_matches('/'))
        })
    };
    (group(&str::is_empty), group(&|list| list.split(',').any(|controller| controller == "cpu")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let cpuinfo = "model\t\t: 207\nmodel name\t: A Fast One\nmicrocode\t:\n";
        assert_eq!(field(cpuinfo, "model name"), Some("A Fast One"));
        assert_eq!(field(cpuinfo, "model"), Some("207"));
        assert_eq!(field(cpuinfo, "microcode"), None);
        assert_eq!(field(cpuinfo, "flags"), None);
    }

    #[test]
    fn features_that_are_missing_are_named_too() {
        assert_eq!(features("fpu pcid x", &["pcid", "invpcid"]), "pcid, no invpcid");
    }

    #[test]
    fn pressure_load_and_steal_are_read() {
        let text =
            "some avg10=9.60 avg60=3.60 avg300=2.72 total=1\nfull avg10=0.50 avg60=0 total=0\n";
        assert_eq!(pressure(text), Some(9.6));
        assert_eq!(pressure("full avg10=1.00\n"), None);
        assert_eq!(load("1.25 0.82 0.79 5/113 829\n"), Some(1.25));
        assert_eq!(stolen("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\n"), Some((8, 36)));
        assert_eq!(stolen("cpu  1 2 3\n"), None);
    }

    #[test]
    fn choices_limits_and_sizes_are_read() {
        assert_eq!(chosen("always [madvise] never\n"), "madvise");
        assert_eq!(chosen("tsc\n"), "tsc");
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax open files   20000   40000   files\n\
            Max realtime priority   0   0   \n";
        assert_eq!(limit(limits, "Max open files").unwrap(), "20000 (up to 40000)");
        assert_eq!(limit(limits, "Max realtime priority").unwrap(), "0");
        assert_eq!(limit(limits, "Max nice"), None);
        assert_eq!(
            (bytes("48K\n"), bytes("2M"), bytes("64"), bytes("K")),
            (Some(49_152), Some(2 << 20), Some(64), None)
        );
        assert_eq!(
            (count("0-3,8\n"), count("0"), count(""), count("3-1")),
            (Some(5), Some(1), None, None)
        );
    }

    #[test]
    fn preemption_is_as_built_and_as_asked_for() {
        assert_eq!(preemption("#1 SMP PREEMPT_DYNAMIC @0", "quiet"), "PREEMPT_DYNAMIC");
        assert_eq!(
            preemption("#1 SMP PREEMPT_DYNAMIC", "preempt=full"),
            "PREEMPT_DYNAMIC, preempt=full"
        );
        assert_eq!(preemption("#1 SMP", ""), "no PREEMPT");
    }

    #[test]
    fn quotas_of_both_kinds_are_read() {
        assert_eq!(
            (quota("max 100000\n"), quota("-1 100000")),
            ("not limited".to_owned(), "not limited".to_owned())
        );
        assert_eq!(quota("50000 100000\n"), "50000 of 100000 µs");
    }

    #[test]
    fn control_groups_of_both_kinds_are_found() {
        let both = "4:memory:/m\n1:cpu,cpuacct:/a/b\n0::/c/\n";
        assert_eq!(control_groups(both), (Some("/c"), Some("/a/b")));
        assert_eq!(control_groups("0::/\n"), (Some(""), None));
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "[a-z0-9 :=,./\\[\\]KM\\-\n\u{e9}]{0,200}", name in "[a-z ]{0,8}") {
            let _ = (field(&text, &name), features(&text, &[&name]), pressure(&text), load(&text));
            let _ = (stolen(&text), chosen(&text), limit(&text, &name), bytes(&text), count(&text));
            let _ = (preemption(&text, &name), control_groups(&text), quota(&text));
            let _ = (stolen(&format!("cpu {text}")), pressure(&format!("some avg10={text}")));
        }

        #[test]
        fn any_text_at_all_is_survived(text: String) {
            let _ = (field(&text, "flags"), pressure(&text), load(&text), stolen(&text), chosen(&text));
            let _ = (limit(&text, ""), bytes(&text), count(&text), control_groups(&text));
        }
    }
}
