//! Version 2 on directories that look like its files; the real groups are tested with real programs.

use std::fs;

use super::*;

const ALL: [Limit; 3] = [Limit::MemoryBytes(64 << 20), Limit::Processes(40), Limit::CpuPercent(50)];

/// A hierarchy of version 2 that offers these controllers, with the files of the group that will be made.
fn hierarchy(controllers: &str) -> (tempfile::TempDir, Found) {
    let directory = tempfile::tempdir().unwrap();
    let group = directory.path().join("palco/web");
    fs::create_dir_all(&group).unwrap();
    for above in [directory.path(), &directory.path().join("palco")] {
        fs::write(above.join("cgroup.subtree_control"), "").unwrap();
    }
    fs::write(directory.path().join("cgroup.controllers"), controllers).unwrap();
    for file in ["memory.max", "pids.max", "cpu.max", "cgroup.procs"] {
        fs::write(group.join(file), "").unwrap();
    }
    let mounts = format!("1 1 0:1 / {} rw - cgroup2 cgroup2 rw\n", directory.path().display());
    let found = Found::new(mounts, "0::/\n".to_owned());
    (directory, found)
}

#[test]
fn in_version_two_one_group_has_all_limits() {
    let (directory, found) = hierarchy("cpu memory pids\n");
    let mut obtained = Enclosed::default();
    let groups = groups_in(&found, "web", &ALL, &mut obtained);
    assert_eq!(groups.len(), 1);
    assert_eq!(obtained.to_string(), "cgroup memory 64 MiB, cgroup pids 40, cgroup cpu 50 %");
    let text = |file: &str| fs::read_to_string(directory.path().join("palco/web").join(file));
    assert_eq!(text("memory.max").unwrap(), (64 << 20).to_string());
    assert_eq!(text("pids.max").unwrap(), "40");
    assert_eq!(text("cpu.max").unwrap(), "50000 100000");
    groups[0].members().unwrap();
}

#[test]
fn what_is_not_delegated_is_said() {
    let (_directory, found) = hierarchy("pids\n");
    let mut obtained = Enclosed::default();
    assert_eq!(groups_in(&found, "web", &ALL, &mut obtained).len(), 1);
    assert_eq!(obtained.had, ["cgroup pids 40"]);
    let [memory, cpu] = &obtained.missing[..] else { panic!("{obtained}") };
    assert!(
        memory.starts_with("no memory limit: controller memory is not delegated to "),
        "{memory}"
    );
    assert!(cpu.starts_with("no processor limit: controller cpu is not delegated to "), "{cpu}");
}

#[test]
fn a_group_lives_as_long_as_somebody_uses_it() {
    let directory = tempfile::tempdir().unwrap();
    let common = directory.path().join("palco");
    let path = common.join("web");
    let group = || Group::at(path.clone(), || make(&common)).unwrap();
    let (old, new) = (group(), group());
    drop(old);
    assert!(path.exists());
    drop(new);
    assert!(!common.exists());
    let refused = Group::at(path, || Err("not here".to_owned()));
    assert_eq!(refused.unwrap_err(), "not here");
}

#[test]
fn a_limit_that_is_wanted_no_more_is_lifted() {
    let (directory, found) = hierarchy("cpu memory pids\n");
    let _all = groups_in(&found, "web", &ALL, &mut Enclosed::default());
    let _one = groups_in(&found, "web", &ALL[1..2], &mut Enclosed::default());
    let text = |file: &str| fs::read_to_string(directory.path().join("palco/web").join(file));
    assert!(text("memory.max").unwrap().starts_with("max"));
    assert_eq!(text("pids.max").unwrap(), "40");
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    for name in ["", ".", "..", "a/b", "a\0b"] {
        let refusal = groups_for(name, &ALL, &mut Enclosed::default()).unwrap_err();
        assert!(refusal.to_string().ends_with("is no name of a directory"), "{refusal}");
    }
    let nothing = groups_for("", &[], &mut Enclosed::default()).unwrap();
    assert!(nothing.is_empty());
}
