//! What programs of others can no longer do when they are enclosed, what they still can, and what is said to be had.

use std::fs::{self, File};
use std::io::{Read, pipe};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palco_processes::{Enclosure, Exit, Fence, Launch, User};

use crate::grouping::groups_of;
use crate::harness::{launch, report, spawner};
use crate::tests;

tests![
    a_program_is_told_its_own_id,
    without_an_enclosure_everything_is_as_before,
    no_new_privileges_are_given_up,
    only_what_is_allowed_can_be_read,
    only_what_is_allowed_can_be_written,
    a_script_starts_though_its_interpreter_is_not_named,
    a_path_that_does_not_exist_is_named,
    tcp_can_be_neither_connected_nor_bound,
    administration_is_denied_and_programs_run,
    tmp_is_private_and_bounded,
    private_tmp_can_be_written_though_files_are_restricted,
    private_tmp_takes_root,
    everything_together_works_for_another_user,
    descriptors_of_any_number_survive_an_enclosure,
    one_fence_serves_many_children_at_once,
];

/// Runs a shell that does `script` behind the fence; what it says, errors included, and how it ends.
pub(crate) fn shell(fence: &Arc<Fence>, script: &str) -> (String, Exit) {
    ended(Launch::new("/bin/sh").arg("-c").arg(script), Some(fence))
}

pub(crate) fn ended(launch: Launch, fence: Option<&Arc<Fence>>) -> (String, Exit) {
    let (mut reader, writer) = pipe().unwrap();
    let errors = OwnedFd::from(writer.try_clone().unwrap());
    let launch = launch.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
    let launch = launch.fd(1, writer).fd(2, errors).quiet_stdin();
    let launch = match fence {
        Some(fence) => launch.enclosed(Arc::clone(fence)),
        None => launch,
    };
    let mut child = spawner().spawn_blocking(launch).unwrap();
    let mut told = String::new();
    reader.read_to_string(&mut told).unwrap();
    (told, child.wait().unwrap())
}

fn fence(enclosure: &Enclosure) -> Arc<Fence> {
    Arc::new(enclosure.prepare("test").unwrap())
}

fn nothing() -> Enclosure {
    Enclosure::default()
}

/// The programs of this machine, and nothing of its data.
fn programs() -> Option<Vec<PathBuf>> {
    Some(["/bin", "/usr/bin", "/usr/sbin"].map(PathBuf::from).to_vec())
}

/// These tests do what takes privileges, to see that it is denied, and that it works where it is not.
pub(crate) fn assert_root() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test must run as root: it mounts and makes groups"
    );
}

fn a_program_is_told_its_own_id() {
    let launch = Launch::new("/bin/sh").pid_env("LISTEN_PID").env("LISTEN_FDS", "1").arg("-c");
    let (told, exit) = ended(launch.arg("echo $LISTEN_PID $$ $LISTEN_FDS"), None);
    assert_eq!(exit, Exit::Exited(0));
    let words: Vec<&str> = told.split_whitespace().collect();
    assert_eq!(words[0], words[1]);
    assert_eq!(words[2], "1");
}

fn without_an_enclosure_everything_is_as_before() {
    assert_root();
    let fence = fence(&nothing());
    assert_eq!(fence.obtained().to_string(), "not confined");
    let script = "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; unshare -m true && cat /etc/passwd >/dev/null";
    assert_eq!(
        shell(&fence, script),
        ("NoNewPrivs:\t0\nSeccomp:\t0\n".to_owned(), Exit::Exited(0))
    );
}

fn no_new_privileges_are_given_up() {
    let fence = fence(&Enclosure { no_new_privileges: true, ..nothing() });
    assert_eq!(fence.obtained().to_string(), "no-new-privs");
    let (told, _) = shell(&fence, "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status");
    assert_eq!(told, "NoNewPrivs:\t1\nSeccomp:\t0\n");
}

/// A directory with a file to read.
fn directory(name: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::create_dir(&path).unwrap();
    fs::write(path.join("old"), "text\n").unwrap();
    (directory, path)
}

fn had_landlock(fence: &Fence) {
    let obtained = fence.obtained();
    assert!(obtained.to_string().starts_with("no-new-privs, landlock abi "), "{obtained}");
    assert!(obtained.missing.is_empty(), "this kernel must have landlock: {obtained}");
}

fn only_what_is_allowed_can_be_read() {
    let (_keep, here) = directory("here");
    let (_keep_too, there) = directory("there");
    let read = [programs().unwrap(), vec![here.clone()]].concat();
    let fence = fence(&Enclosure { read: Some(read), ..nothing() });
    had_landlock(&fence);
    let (told, exit) =
        shell(&fence, &format!("cd {0} && cat old && ls . >/dev/null", here.display()));
    assert_eq!((told.as_str(), exit), ("text\n", Exit::Exited(0)));
    for script in [
        format!("cat {}/old", there.display()),
        format!("ls {}", there.display()),
        "cat /etc/passwd".to_owned(),
        format!("echo new >{}/new", here.display()),
        format!("echo new >{}/old", here.display()),
    ] {
        let (told, exit) = shell(&fence, &script);
        assert_ne!(exit, Exit::Exited(0), "{script}");
        assert!(told.contains("Permission denied"), "{script}: {told}");
    }
}

fn only_what_is_allowed_can_be_written() {
    let (_keep, here) = directory("here");
    let (_keep_too, there) = directory("there");
    let fence = fence(&Enclosure { write: Some(vec![here.clone()]), ..nothing() });
    had_landlock(&fence);
    let (here, there) = (here.display(), there.display());
    let script = format!(
        "cat /etc/passwd {there}/old >/dev/null && echo new >{here}/new && mv {here}/new {here}/newer && \
         mkdir {here}/d && rmdir {here}/d && rm {here}/old && cat {here}/newer"
    );
    assert_eq!(shell(&fence, &script), ("new\n".to_owned(), Exit::Exited(0)));
    for script in
        [format!("echo new >{there}/new"), format!("rm {there}/old"), format!("mkdir {there}/d")]
    {
        let (told, exit) = shell(&fence, &script);
        assert_ne!(exit, Exit::Exited(0), "{script}");
        assert!(told.contains("Permission denied"), "{script}: {told}");
    }
}

fn a_script_starts_though_its_interpreter_is_not_named() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    fs::write(&script, "#! /bin/sh -e\necho begun\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let enclosure = |program| Enclosure { program, read: Some(Vec::new()), ..nothing() };
    let fence = fence(&enclosure(Some(script.clone())));
    let run = ended(Launch::new(&script), Some(&fence));
    assert_eq!(run, ("begun\n".to_owned(), Exit::Exited(0)));
    let without = Arc::new(enclosure(None).prepare("test").unwrap());
    let error = spawner().spawn_blocking(Launch::new(&script).enclosed(without)).unwrap_err();
    let expected = format!("exec {}: Permission denied (os error 13)", script.display());
    assert_eq!(error.to_string(), expected);
}

fn a_path_that_does_not_exist_is_named() {
    let nowhere = || Some(vec![PathBuf::from("/nowhere")]);
    for enclosure in [
        Enclosure { read: nowhere(), ..nothing() },
        Enclosure { write: nowhere(), ..nothing() },
        Enclosure { read: Some(vec![]), program: Some("/nowhere".into()), ..nothing() },
    ] {
        let error = enclosure.prepare("test").unwrap_err().to_string();
        assert_eq!(error, "/nowhere: No such file or directory (os error 2)");
    }
}

fn tcp_can_be_neither_connected_nor_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let task = format!("connect {}", listener.local_addr().unwrap());
    assert_eq!(report(launch(), &task), "Ok(()) Ok(())\n");
    let fence = fence(&Enclosure { no_network: true, ..nothing() });
    had_landlock(&fence);
    let told = report(launch().enclosed(Arc::clone(&fence)), &task);
    assert_eq!(told, "Err(PermissionDenied) Err(PermissionDenied)\n");
    // Files are as they were.
    assert_eq!(shell(&fence, "cat /etc/passwd >/dev/null").1, Exit::Exited(0));
}

fn administration_is_denied_and_programs_run() {
    assert_root();
    let fence = fence(&Enclosure { no_administration: true, ..nothing() });
    assert_eq!(fence.obtained().to_string(), "no-new-privs, seccomp");
    let harmless =
        "for i in 1 2 3; do (true) & done; wait; echo a | cat && grep Seccomp: /proc/self/status";
    assert_eq!(shell(&fence, harmless), ("a\nSeccomp:\t2\n".to_owned(), Exit::Exited(0)));
    let free = Arc::new(nothing().prepare("test").unwrap());
    for script in [
        "mount -t tmpfs none /mnt && umount /mnt",
        "unshare -m true",
        "unshare -n true",
        "hostname \"$(hostname)\"",
        "unshare -m sh -c 'mount -t tmpfs none /mnt'",
    ] {
        let (told, exit) = shell(&free, script);
        assert_eq!(exit, Exit::Exited(0), "without the fence {script} works: {told}");
        let (told, exit) = shell(&fence, script);
        assert_ne!(exit, Exit::Exited(0), "{script}: {told}");
        let denied = ["not permitted", "permission denied", "must be root", "must be superuser"];
        assert!(denied.iter().any(|word| told.contains(word)), "{script}: {told}");
    }
}

fn tmp_is_private_and_bounded() {
    assert_root();
    let outside = tempfile::NamedTempFile::new_in("/tmp").unwrap();
    let fence = fence(&Enclosure { private_tmp_bytes: Some(1 << 20), ..nothing() });
    assert_eq!(fence.obtained().to_string(), "private /tmp 1 MiB");
    let script = "ls -A /tmp /var/tmp; stat -c %a /tmp /var/tmp; echo a >/tmp/mine && echo b >/var/tmp/mine && \
                  cat /tmp/mine /var/tmp/mine";
    let (told, exit) = shell(&fence, script);
    assert_eq!((told.as_str(), exit), ("/tmp:\n\n/var/tmp:\n1777\n1777\na\nb\n", Exit::Exited(0)));
    // Neither here nor for the next child.
    assert!(!Path::new("/tmp/mine").exists() && outside.path().exists());
    assert_eq!(shell(&fence, "ls -A /tmp"), (String::new(), Exit::Exited(0)));
    let (told, exit) =
        shell(&fence, "head -c 900000 /dev/zero >/tmp/a && head -c 900000 /dev/zero >/tmp/b");
    assert_ne!(exit, Exit::Exited(0));
    assert!(told.contains("No space left"), "{told}");
    let (mounts, _) = shell(&fence, "grep -E ' /(var/)?tmp ' /proc/self/mounts");
    assert_eq!(mounts.lines().filter(|line| line.contains("nosuid,nodev")).count(), 2, "{mounts}");
    let own = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!own.contains("size=1024k"), "{own}");
}

fn private_tmp_can_be_written_though_files_are_restricted() {
    assert_root();
    let enclosure = Enclosure { read: programs(), private_tmp_bytes: Some(1 << 20), ..nothing() };
    let fence = fence(&enclosure);
    had_landlock(&fence);
    for _ in 0..3 {
        let run = shell(&fence, "echo a >/tmp/mine && mkdir /var/tmp/d && cat /tmp/mine");
        assert_eq!(run, ("a\n".to_owned(), Exit::Exited(0)));
    }
    let (told, exit) = shell(&fence, "cat /etc/passwd");
    assert!(told.contains("Permission denied") && exit != Exit::Exited(0), "{told}");
    // Not to write is not to write there either, but in a private one there is.
    let writing = Enclosure { read: None, write: Some(Vec::new()), ..enclosure };
    let fence = Arc::new(writing.prepare("test").unwrap());
    assert_eq!(shell(&fence, "echo a >/tmp/mine && cat /etc/passwd >/dev/null").1, Exit::Exited(0));
    assert_ne!(shell(&fence, "echo a >/var/mine").1, Exit::Exited(0));
}

fn private_tmp_takes_root() {
    assert_root();
    let nobody = User { uid: 65534, gid: 65534, groups: Vec::new() };
    let told = report(launch().user(nobody), "enclose private-tmp");
    assert_eq!(told, "private /tmp: takes root, and this process runs as user 65534\n");
}

fn everything_together_works_for_another_user() {
    groups_of("pids");
    let enclosure = Enclosure {
        program: Some("/bin/sh".into()),
        no_new_privileges: true,
        read: programs().map(|paths| [paths, vec!["/proc".into()]].concat()),
        write: Some(Vec::new()),
        no_administration: true,
        no_network: true,
        private_tmp_bytes: Some(1 << 20),
        processes: Some(40),
        ..nothing()
    };
    let fence = fence(&enclosure);
    let obtained = fence.obtained().to_string();
    let (first, rest) = obtained.split_once(", seccomp, ").unwrap();
    assert!(first.starts_with("no-new-privs, landlock abi "), "{obtained}");
    assert_eq!(rest, "private /tmp 1 MiB, cgroup pids 40");
    let nobody = User { uid: 65534, gid: 65534, groups: Vec::new() };
    let script =
        "id -u; echo a >/tmp/a && cat /tmp/a; grep Seccomp: /proc/self/status; cat /etc/passwd";
    let launch = Launch::new("/bin/sh").arg("-c").arg(script).user(nobody).cwd("/").new_session();
    let (told, exit) = ended(launch, Some(&fence));
    assert!(told.starts_with("65534\na\nSeccomp:\t2\n"), "{told}");
    assert!(told.contains("Permission denied") && exit != Exit::Exited(0), "{told}");
}

fn descriptors_of_any_number_survive_an_enclosure() {
    groups_of("pids");
    let enclosure = Enclosure { read: programs(), processes: Some(40), ..nothing() };
    let fence = fence(&enclosure);
    // Among these are the numbers that the fence's own descriptors have here.
    let launch = (3..40).fold(Launch::new("/bin/sh"), |launch, number| {
        let file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut &file, format!("{number}\n").as_bytes()).unwrap();
        std::io::Seek::rewind(&mut &file).unwrap();
        launch.fd(number, file)
    });
    let script =
        "cat <&3; cat <&9; read a <&7; echo $a; cat /etc/passwd 2>/dev/null || echo denied";
    let run = ended(launch.arg("-c").arg(script), Some(&fence));
    assert_eq!(run, ("3\n9\n7\ndenied\n".to_owned(), Exit::Exited(0)));
}

fn one_fence_serves_many_children_at_once() {
    let (_keep, here) = directory("here");
    let enclosure = Enclosure { read: programs(), no_administration: true, ..nothing() };
    let fence = fence(&enclosure);
    let script = format!("cat {}/old", here.display());
    std::thread::scope(|scope| {
        let shells: Vec<_> = (0..8).map(|_| scope.spawn(|| shell(&fence, &script))).collect();
        for run in shells {
            let (told, exit) = run.join().unwrap();
            assert!(told.contains("Permission denied") && exit != Exit::Exited(0), "{told}");
        }
    });
    let _still_open = File::open(here.join("old")).unwrap();
}
