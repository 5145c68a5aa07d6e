//! What all processes of a service together can no longer use when it has control groups.

use std::fs;
use std::io::{Read, pipe};
use std::path::PathBuf;
use std::sync::Arc;

use nix::mount::MsFlags;
use nix::sched::CloneFlags;
use palco_processes::{Enclosure, Exit, Launch};

use crate::enclosing::{assert_root, ended, shell};
use crate::harness::spawner;
use crate::tests;

tests![
    processes_of_a_service_are_limited_together,
    memory_of_a_service_is_limited,
    processors_of_a_service_are_limited,
    groups_are_gone_with_their_service,
    a_group_that_somebody_has_removed_is_named,
];

fn nothing() -> Enclosure {
    Enclosure::default()
}

/// Where groups of this process's services are, for a controller of version 1. One that is not mounted is mounted where only
/// this test sees it.
pub(crate) fn groups_of(controller: &str) -> PathBuf {
    assert_root();
    let mounted = mounted(controller).unwrap_or_else(|| {
        mount(controller);
        mounted(controller).expect("it has just been mounted")
    });
    let all = fs::read_to_string("/proc/self/cgroup").unwrap();
    let line = all.lines().find(|line| line.split(':').nth(1) == Some(controller)).unwrap();
    let own = line.splitn(3, ':').nth(2).unwrap().trim_start_matches('/');
    mounted.join(own).join("palco")
}

fn mounted(controller: &str) -> Option<PathBuf> {
    let all = fs::read_to_string("/proc/self/mounts").unwrap();
    all.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let is_it = fields[2] == "cgroup" && fields[3].split(',').any(|word| word == controller);
        is_it.then(|| PathBuf::from(fields[1]))
    })
}

/// The tests run one after the other on the main thread, whose namespaces are those of the process.
fn mount(controller: &str) {
    let none = None::<&str>;
    nix::sched::unshare(CloneFlags::CLONE_NEWNS).unwrap();
    nix::mount::mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    let directory = tempfile::tempdir().unwrap().keep();
    nix::mount::mount(none, &directory, Some("cgroup"), MsFlags::empty(), Some(controller))
        .unwrap_or_else(|error| {
            panic!(
                "this test needs controller {controller} for version 1 of control groups: {error}"
            )
        });
}

fn processes_of_a_service_are_limited_together() {
    let groups = groups_of("pids");
    let fence = Arc::new(Enclosure { processes: Some(4), ..nothing() }.prepare("few").unwrap());
    assert_eq!(fence.obtained().to_string(), "cgroup pids 4");
    let own = groups.join("few");
    assert_eq!(fs::read_to_string(own.join("pids.max")).unwrap(), "4\n");
    assert_eq!(shell(&fence, "true & true & wait; echo a"), ("a\n".to_owned(), Exit::Exited(0)));
    let (told, _) = shell(&fence, "f() { [ $1 = 0 ] || (f $(($1 - 1)); true); }; f 6");
    assert!(told.contains("fork"), "{told}");
    let (told, _) = shell(&fence, "cat /proc/self/cgroup");
    assert!(told.contains(":pids:") && told.contains("/palco/few\n"), "{told}");
    // All instances together: what the first has is missing to the second.
    let (mut reader, writer) = pipe().unwrap();
    let (input, hold) = pipe().unwrap();
    let script = "cat <&5 & cat <&5 & echo a; wait";
    let launch = Launch::new("/bin/sh").arg("-c").arg(script).fd(1, writer).fd(5, input);
    let launch = launch.env("PATH", "/usr/bin:/bin").enclosed(Arc::clone(&fence));
    let mut first = spawner().spawn_blocking(launch).unwrap();
    reader.read_exact(&mut [0; 2]).unwrap();
    let (told, _) = shell(&fence, "true & true & wait");
    assert!(told.contains("fork"), "{told}");
    drop(hold);
    assert_eq!(first.wait().unwrap(), Exit::Exited(0));
}

fn memory_of_a_service_is_limited() {
    let groups = groups_of("memory");
    let enclosure = Enclosure { memory_bytes: Some(16 << 20), ..nothing() };
    let fence = Arc::new(enclosure.prepare("small").unwrap());
    assert_eq!(fence.obtained().to_string(), "cgroup memory 16 MiB");
    let own = groups.join("small");
    let limit = fs::read_to_string(own.join("memory.limit_in_bytes")).unwrap();
    assert_eq!(limit.trim(), (16 << 20).to_string());
    assert_eq!(shell(&fence, "echo a"), ("a\n".to_owned(), Exit::Exited(0)));
    let copy = |size: &str| {
        let launch = Launch::new("/bin/dd").args(["if=/dev/zero", "of=/dev/null", "count=1"]);
        ended(launch.arg("status=none").arg(format!("bs={size}")), Some(&fence))
    };
    assert_eq!(copy("4M"), (String::new(), Exit::Exited(0)));
    // It takes its whole buffer into use.
    let (told, exit) = copy("64M");
    assert!(matches!(exit, Exit::Signaled { signal: 9, .. }), "{exit}: {told}");
}

fn processors_of_a_service_are_limited() {
    let groups = groups_of("cpu");
    let fence = Arc::new(Enclosure { cpu_percent: Some(25), ..nothing() }.prepare("slow").unwrap());
    assert_eq!(fence.obtained().to_string(), "cgroup cpu 25 %");
    let own = groups.join("slow");
    assert_eq!(fs::read_to_string(own.join("cpu.cfs_quota_us")).unwrap(), "25000\n");
    assert_eq!(fs::read_to_string(own.join("cpu.cfs_period_us")).unwrap(), "100000\n");
    let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo a";
    assert_eq!(shell(&fence, busy), ("a\n".to_owned(), Exit::Exited(0)));
    let stat = fs::read_to_string(own.join("cpu.stat")).unwrap();
    let throttled = stat.lines().find_map(|line| line.strip_prefix("nr_throttled ")).unwrap();
    assert_ne!(throttled, "0", "{stat}");
}

fn groups_are_gone_with_their_service() {
    let groups = ["pids", "memory"].map(|controller| groups_of(controller).join("fleeting"));
    let enclosure = Enclosure { processes: Some(40), memory_bytes: Some(64 << 20), ..nothing() };
    let old = enclosure.prepare("fleeting").unwrap();
    let new = Arc::new(enclosure.prepare("fleeting").unwrap());
    drop(old);
    assert_eq!(shell(&new, "echo a"), ("a\n".to_owned(), Exit::Exited(0)));
    assert!(groups.iter().all(|group| group.exists()));
    drop(new);
    assert!(groups.iter().all(|group| !group.exists()));
}

fn a_group_that_somebody_has_removed_is_named() {
    let group = groups_of("pids").join("removed");
    let enclosure = Enclosure { processes: Some(40), ..nothing() };
    let fence = Arc::new(enclosure.prepare("removed").unwrap());
    fs::remove_dir(&group).unwrap();
    let launch = Launch::new("/bin/true").enclosed(fence);
    let error = spawner().spawn_blocking(launch).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cgroup {}/cgroup.procs", group.display())), "{error}");
    assert!(error.ends_with("No such device (os error 19)"), "{error}");
}
