//! Facts about the machine, its kernel, the build and the limits of this process, each read where the kernel shows it.

use std::fs;
use std::path::Path;

use nix::time::{ClockId, clock_getres};

use super::parse;
use crate::report::Fact;

/// Figures from machines that differ in such a fact must not be compared.
const DECIDES: bool = true;

/// Facts as they are gathered: one group after the other.
#[derive(Debug, Default)]
pub(super) struct Facts {
    group: &'static str,
    pub(super) list: Vec<Fact>,
}

/// The text of a file, or why it cannot be read.
pub(super) fn read(path: impl AsRef<Path>) -> Result<String, String> {
    let path = path.as_ref();
    fs::read_to_string(path).map_err(|error| format!("absent: {}: {error}", path.display()))
}

impl Facts {
    pub(super) fn group(&mut self, group: &'static str) {
        self.group = group;
    }

    pub(super) fn add(&mut self, name: &str, value: impl Into<String>) {
        self.push(name, value.into(), !DECIDES);
    }

    fn push(&mut self, name: &str, value: String, decides: bool) {
        let (group, name) = (self.group.to_owned(), name.to_owned());
        self.list.push(Fact { group, name, value, decides });
    }

    /// What a file says, as `of` understands it; else why it is absent.
    fn file(&mut self, name: &str, path: &str, decides: bool, of: impl Fn(&str) -> Option<String>) {
        let value = read(path).map(|text| {
            of(&text).unwrap_or_else(|| format!("absent: {path} says nothing about it"))
        });
        self.push(name, value.unwrap_or_else(|absent| absent), decides);
    }

    /// The same of a file with one line.
    fn line(&mut self, name: &str, path: &str, decides: bool) {
        self.file(name, path, decides, |text| {
            let line = text.trim();
            (!line.is_empty()).then(|| line.to_owned())
        });
    }

    /// All that does not change while a session runs.
    pub(super) fn gather(&mut self) {
        self.machine();
        self.kernel();
        self.limits();
        self.build();
    }

    fn machine(&mut self) {
        const CPUINFO: &str = "/proc/cpuinfo";
        const CPU: &str = "/sys/devices/system/cpu";
        self.group("machine");
        let field =
            |name: &'static str| move |text: &str| parse::field(text, name).map(str::to_owned);
        self.file("processor", CPUINFO, DECIDES, field("model name"));
        self.file("microcode", CPUINFO, !DECIDES, field("microcode"));
        self.file("features", CPUINFO, !DECIDES, |text| {
            let wanted = ["pcid", "invpcid", "constant_tsc", "nonstop_tsc"];
            Some(parse::features(parse::field(text, "flags")?, &wanted))
        });
        let count = |text: &str| parse::count(text).map(|count| count.to_string());
        self.file("cores", &format!("{CPU}/online"), DECIDES, count);
        self.line("SMT", &format!("{CPU}/smt/control"), !DECIDES);
        let siblings = format!("{CPU}/cpu0/topology/thread_siblings_list");
        self.line("hardware threads of the first core", &siblings, !DECIDES);
        self.file("NUMA nodes", "/sys/devices/system/node/online", !DECIDES, count);
        self.line(
            "clock frequency is governed by",
            &format!("{CPU}/cpu0/cpufreq/scaling_governor"),
            !DECIDES,
        );
        self.line("turbo is off (intel_pstate)", &format!("{CPU}/intel_pstate/no_turbo"), !DECIDES);
        self.line("boost (cpufreq)", &format!("{CPU}/cpufreq/boost"), !DECIDES);
        self.line("idle driver", &format!("{CPU}/cpuidle/current_driver"), !DECIDES);
        self.push("hypervisor", hypervisor(), DECIDES);
    }

    fn kernel(&mut self) {
        self.group("kernel");
        self.line("release", "/proc/sys/kernel/osrelease", DECIDES);
        self.line("command line", "/proc/cmdline", !DECIDES);
        let command_line = read("/proc/cmdline").unwrap_or_default();
        self.file("preemption", "/proc/version", !DECIDES, |version| {
            Some(parse::preemption(version, &command_line))
        });
        self.file("preemption now", "/sys/kernel/debug/sched/preempt", !DECIDES, |text| {
            let chosen = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            Some(chosen.map_or(text.trim(), |(chosen, _)| chosen).to_owned())
        });
        self.add("ticks a second", ticks());
        let clocksource = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        self.line("clocksource", clocksource, DECIDES);
        let huge = "/sys/kernel/mm/transparent_hugepage/enabled";
        self.file("transparent huge pages", huge, DECIDES, |text| {
            Some(parse::chosen(text).to_owned())
        });
        self.line("address space randomisation", "/proc/sys/kernel/randomize_va_space", !DECIDES);
        self.line("mappings a process may have", "/proc/sys/vm/max_map_count", !DECIDES);
        self.line(
            "who may read counters (perf_event_paranoid)",
            "/proc/sys/kernel/perf_event_paranoid",
            !DECIDES,
        );
        self.mitigations();
    }

    fn mitigations(&mut self) {
        let folder = "/sys/devices/system/cpu/vulnerabilities";
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                return self.push("vulnerabilities", format!("absent: {folder}: {error}"), DECIDES);
            }
        };
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort_unstable();
        for name in names {
            self.line(&format!("vulnerability {name}"), &format!("{folder}/{name}"), DECIDES);
        }
    }

    fn limits(&mut self) {
        const LIMITS: &str = "/proc/self/limits";
        self.group("limits");
        for (name, line) in [
            ("real-time priority", "Max realtime priority"),
            ("locked memory in bytes", "Max locked memory"),
            ("open files", "Max open files"),
        ] {
            self.file(name, LIMITS, !DECIDES, |text| parse::limit(text, line));
        }
        self.file("processors that may be used", "/proc/self/status", !DECIDES, |text| {
            parse::field(text, "Cpus_allowed_list").map(str::to_owned)
        });
        self.line(
            "real time in a second, in microseconds",
            "/proc/sys/kernel/sched_rt_runtime_us",
            !DECIDES,
        );
        self.add("processor time of the control group", control_group());
    }

    fn build(&mut self) {
        self.group("build");
        self.add("compiler", env!("PALCO_MEASURE_RUSTC"));
        self.push("opt-level", env!("PALCO_MEASURE_OPT_LEVEL").to_owned(), DECIDES);
        self.add("flags", env!("PALCO_MEASURE_FLAGS"));
        self.add("target", env!("PALCO_MEASURE_TARGET"));
        self.add("commit", crate::COMMIT);
    }
}

/// By what firmware and kernel say; whether there is one at all is a feature of the processor.
fn hypervisor() -> String {
    let named =
        ["/sys/hypervisor/type", "/sys/class/dmi/id/product_name", "/sys/class/dmi/id/sys_vendor"];
    let named = named.iter().find_map(|path| read(path).ok());
    let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
    let flags =
        parse::field(&cpuinfo, "flags").map(|flags| parse::features(flags, &["hypervisor"]));
    match (flags.as_deref(), named) {
        (Some("hypervisor"), Some(name)) => name.trim().to_owned(),
        (Some("hypervisor"), None) => "one that does not say which".to_owned(),
        (Some(_), _) => "none".to_owned(),
        (None, _) => "absent: /proc/cpuinfo lists no features".to_owned(),
    }
}

/// The coarse clock moves with the tick, so its resolution is a tick.
fn ticks() -> String {
    match clock_getres(ClockId::CLOCK_MONOTONIC_COARSE) {
        Ok(tick) if tick.tv_sec() == 0 && tick.tv_nsec() > 0 => {
            format!("{}", 1_000_000_000 / tick.tv_nsec())
        }
        Ok(_) => "absent: the coarse clock does not say".to_owned(),
        Err(error) => format!("absent: the coarse clock: {error}"),
    }
}

/// What the group, or the next above it that says anything, may use.
fn control_group() -> String {
    let text = match read("/proc/self/cgroup") {
        Ok(text) => text,
        Err(absent) => return absent,
    };
    let (unified, old) = parse::control_groups(&text);
    let above = |group: &str| Path::new(group).ancestors().map(Path::to_owned).collect::<Vec<_>>();
    for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
        for group in above(unified.unwrap_or_default()) {
            let group = group.strip_prefix("/").unwrap_or(&group).to_owned();
            if let Ok(max) = read(Path::new(mount).join(group).join("cpu.max")) {
                return parse::quota(&max);
            }
        }
    }
    for group in above(old.unwrap_or_default()) {
        let folder =
            Path::new("/sys/fs/cgroup/cpu").join(group.strip_prefix("/").unwrap_or(&group));
        let (quota, period) =
            (read(folder.join("cpu.cfs_quota_us")), read(folder.join("cpu.cfs_period_us")));
        if let (Ok(quota), Ok(period)) = (quota, period) {
            return parse::quota(&format!("{} {}", quota.trim(), period.trim()));
        }
    }
    "absent: no control group says".to_owned()
}

/// Bytes of the data caches that the first processor sees.
pub(super) fn caches() -> Vec<(String, u64)> {
    let folder = Path::new("/sys/devices/system/cpu/cpu0/cache");
    let cache = |index: u32| {
        let of = |name: &str| read(folder.join(format!("index{index}")).join(name)).ok();
        let (level, kind) = (of("level")?, of("type")?);
        let name = match kind.trim() {
            "Data" => format!("L{}d", level.trim()),
            "Unified" => format!("L{}", level.trim()),
            _ => return None,
        };
        Some((name, parse::bytes(&of("size")?)?))
    };
    (0..16).filter_map(cache).collect()
}
