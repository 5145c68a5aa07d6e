//! Which control groups this process is in, and where they are mounted.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The two designs of the kernel (`cgroups(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// A hierarchy for each controller, or for a few.
    One,
    /// One for all.
    Two,
}

/// What the kernel says of this process.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// `/proc/self/mountinfo`.
    mounts: String,
    /// `/proc/self/cgroup`.
    groups: String,
}

impl Found {
    pub(super) fn look() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}"));
        Self::new(read("mountinfo").unwrap_or_default(), read("cgroup").unwrap_or_default())
    }

    pub(super) fn new(mounts: String, groups: String) -> Self {
        Self { mounts, groups }
    }

    /// The directory of the group below which another can be made that has the controller; or why there is none.
    pub(super) fn own_group(&self, controller: &str) -> Result<(PathBuf, Version), String> {
        if let Some(own) = self.in_version_one(controller) {
            return Ok((own, Version::One));
        }
        let Some(own) = self.in_version_two() else {
            return Err(format!("controller {controller} is not mounted"));
        };
        let offered = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
        if offered.split_ascii_whitespace().any(|word| word == controller) {
            Ok((own, Version::Two))
        } else {
            Err(format!("controller {controller} is not delegated to {}", own.display()))
        }
    }

    fn in_version_one(&self, controller: &str) -> Option<PathBuf> {
        let is_one = |list: &str| list.split(',').any(|word| word == controller);
        let group = self.groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            fields.next().filter(|list| is_one(list)).and(fields.next())
        })?;
        let mut mounts = self.mounts.lines().filter_map(Mount::parse);
        let mount = mounts.find(|mount| mount.kind == "cgroup" && is_one(mount.options))?;
        mount.directory(Path::new(group))
    }

    fn in_version_two(&self) -> Option<PathBuf> {
        let group = Path::new(self.groups.lines().find_map(|line| line.strip_prefix("0::"))?);
        let unit = group.parent().filter(|parent| is_unit(parent)).unwrap_or(group);
        let mut mounts = self.mounts.lines().filter_map(Mount::parse);
        mounts.find(|mount| mount.kind == "cgroup2")?.directory(unit)
    }
}

/// Whether a service manager made it for this program alone.
fn is_unit(group: &Path) -> bool {
    group.extension().is_some_and(|kind| kind == "service" || kind == "scope")
}

/// A line of `mountinfo` (`proc_pid_mountinfo(5)`).
struct Mount<'a> {
    root: PathBuf,
    point: PathBuf,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (unescaped(mount.next()?), unescaped(mount.next()?));
        let mut system = system.split(' ');
        let (kind, _source, options) = (system.next()?, system.next()?, system.next()?);
        Some(Self { root, point, kind, options })
    }

    /// Where this group is, if it is below what is mounted.
    fn directory(&self, group: &Path) -> Option<PathBuf> {
        Some(self.point.join(group.strip_prefix(&self.root).ok()?))
    }
}

/// Spaces and their like are three octal digits after a backslash.
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|three| u8::from_str_radix(std::str::from_utf8(three).ok()?, 8).ok());
        match digits {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
39 31 0:36 /box /mnt/a\\040b rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    fn found(groups: &str) -> Found {
        Found::new(MOUNTS.to_owned(), groups.to_owned())
    }

    #[test]
    fn a_group_is_found_where_its_hierarchy_is_mounted() {
        let found = found("8:pids:/box/in\n3:cpu,cpuacct:/\n2:memory:/x\n");
        let own = |controller| found.own_group(controller);
        assert_eq!(own("cpu"), Ok((PathBuf::from("/sys/fs/cgroup/cpu,cpuacct/"), Version::One)));
        assert_eq!(own("pids"), Ok((PathBuf::from("/mnt/a b/in"), Version::One)));
        assert_eq!(own("memory"), Err("controller memory is not mounted".to_owned()));
    }

    #[test]
    fn a_group_outside_of_what_is_mounted_is_none() {
        assert_eq!(found("8:pids:/other\n").in_version_one("pids"), None);
        assert_eq!(Found::default().in_version_two(), None);
    }

    #[test]
    fn of_a_unit_with_a_group_for_its_main_process_the_unit_is_taken() {
        let at = |groups: &str| found(groups).in_version_two().unwrap();
        let mounted = Path::new("/sys/fs/cgroup/unified");
        assert_eq!(
            at("0::/system.slice/palco.service/main\n"),
            mounted.join("system.slice/palco.service")
        );
        assert_eq!(
            at("0::/system.slice/palco.service\n"),
            mounted.join("system.slice/palco.service")
        );
        assert_eq!(at("0::/\n"), mounted);
    }

    proptest! {
        #[test]
        fn anything_is_read_without_a_panic(mounts in "[ -~\\n]{0,200}", groups in "[ -~\\n]{0,80}") {
            let found = Found::new(mounts, groups);
            let _ = (found.in_version_one("cpu"), found.in_version_two());
        }

        #[test]
        fn escapes_are_undone(field in "[\\\\0-7a-z]{0,20}") {
            prop_assert!(unescaped(&field).as_os_str().len() <= field.len());
        }
    }
}
