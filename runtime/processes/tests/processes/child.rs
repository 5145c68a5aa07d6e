//! What the children of the tests do. The birth's bytes say it, its first descriptor takes the report.

use std::fs::{self, File};
use std::io::{self, PipeWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, abort};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sched::CloneFlags;
use nix::sys::signal::{SigSet, Signal, raise};
use nix::unistd::getppid;
use palco_processes::{
    Birth, Confinement, Enclosure, FileAccess, Role, Spawner, Syscalls, confine,
};
use palco_sys::SharedWords;

use crate::harness;

pub(crate) fn run(birth: Birth) -> ExitCode {
    let task = String::from_utf8(birth.payload).unwrap();
    let mut fds = birth.descriptors.into_iter();
    let mut report = PipeWriter::from(fds.next().expect("somewhere to report to"));
    let rest: Vec<OwnedFd> = fds.collect();
    let (name, argument) = task.split_once(' ').unwrap_or((&task, ""));
    match name {
        "nothing" => {}
        "role" => {
            let role = if birth.role == Role::Zygote { "zygote" } else { "once" };
            writeln!(report, "{role} {}", getppid()).unwrap();
        }
        "descriptors" => list_descriptors(&mut report),
        "read" => report.write_all(&fs::read(argument).unwrap()).unwrap(),
        "where" => writeln!(report, "{}", std::env::current_dir().unwrap().display()).unwrap(),
        "exit" => return ExitCode::from(argument.parse::<u8>().unwrap()),
        "abort" => abort(),
        "raise" => raise(argument.parse::<Signal>().unwrap()).unwrap(),
        "hold" => hold(&mut report),
        "bear-later" => bear_when_told(report),
        "bear" => bear_and_hold(argument, report),
        "confine" => confined(argument, &mut report, &rest),
        "enclose" => enclosed(&mut report),
        "connect" => try_network(argument, &mut report),
        "outgrow" => outgrow(argument, &rest),
        other => panic!("no such task: {other}"),
    }
    ExitCode::SUCCESS
}

/// Reports its id and waits for what never comes.
fn hold(report: &mut impl Write) {
    // At once, since others write to the same pipe.
    report.write_all(format!("{}\n", std::process::id()).as_bytes()).unwrap();
    let (mut here, _there) = UnixStream::pair().unwrap();
    // Ends by a signal.
    let _never = here.read(&mut [0]);
}

/// What is said to a process that cannot give a program of others a private `/tmp`.
fn enclosed(report: &mut impl Write) {
    let enclosure = Enclosure { private_tmp_bytes: Some(1 << 20), ..Enclosure::default() };
    match enclosure.prepare("test") {
        Ok(fence) => writeln!(report, "{}", fence.obtained()).unwrap(),
        Err(error) => writeln!(report, "{error}").unwrap(),
    }
}

fn list_descriptors(report: &mut PipeWriter) {
    let own = report.as_raw_fd().to_string();
    let mut lines = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let path = entry.unwrap().path();
        let number = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(target) = fs::read_link(&path) else { continue };
        let target = target.to_string_lossy().into_owned();
        if number != own && !target.ends_with("/fd") {
            lines.push(format!("{number} {target}"));
        }
    }
    lines.sort();
    writeln!(report, "{}", lines.join("\n")).unwrap();
}

/// Is a parent itself: of a child by `exec` and of one by a zygote.
fn bear_and_hold(how: &str, mut report: PipeWriter) {
    let spawner = Spawner::new().unwrap();
    let task = b"confine death";
    let fds = [report.as_fd()];
    let _kept: Box<dyn std::any::Any> = match how {
        "zygote" => {
            let zygote = harness::zygote();
            let child = zygote.fork(task, &fds).unwrap();
            Box::new((zygote, child))
        }
        _ => Box::new(
            palco_threads::block_on(palco_processes::bear(&spawner, harness::launch(), task, &fds))
                .unwrap(),
        ),
    };
    hold(&mut report);
}

/// Starts a child of its own program once it is told to.
fn bear_when_told(mut report: PipeWriter) {
    let told = SigSet::from_iter([Signal::SIGUSR1]);
    told.thread_block().unwrap();
    writeln!(report, "ready").unwrap();
    told.wait().unwrap();
    let (_, exit) = harness::ended(harness::started(harness::launch(), "exit 7"));
    writeln!(report, "{exit}").unwrap();
}

/// How a child confines itself for a task.
pub(crate) fn wanted(what: &str) -> Confinement {
    let (what, argument) = what.split_once(' ').unwrap_or((what, ""));
    let free = Confinement::none();
    let service = Confinement { syscalls: Syscalls::Service, ..Confinement::none() };
    match what {
        "death" | "wrong-parent" => free,
        "files" => {
            let only =
                FileAccess::Only { read: vec!["/proc".into()], write: vec![argument.into()] };
            Confinement { file_access: only, ..Confinement::none() }
        }
        "missing-path" => {
            let only = FileAccess::Only { read: vec!["/nowhere".into()], write: Vec::new() };
            Confinement { file_access: only, ..Confinement::none() }
        }
        "limits" => Confinement { files_max: Some(20), cpu_s: Some(5), ..Confinement::none() },
        "strict" | "connect" => Confinement::service(),
        _ => service,
    }
}

/// Confines itself and tries something.
fn confined(what: &str, report: &mut PipeWriter, rest: &[OwnedFd]) {
    let parent = getppid().as_raw();
    if let Some(words) = rest.first() {
        tell_deaths_in(words);
    }
    let wanted = wanted(what);
    let (what, argument) = what.split_once(' ').unwrap_or((what, ""));
    let parent = if what == "wrong-parent" { 1_000_000 } else { parent };
    let obtained = match confine(&wanted, parent) {
        Ok(obtained) => obtained,
        Err(error) => return writeln!(report, "{error}").unwrap(),
    };
    match what {
        "death" => hold(report),
        "files" => try_files(argument, report),
        "limits" => report.write_all(&fs::read("/proc/self/limits").unwrap()).unwrap(),
        "fork" => {
            let error = Command::new("/bin/true").spawn().unwrap_err();
            writeln!(report, "{:?}", error.raw_os_error()).unwrap();
        }
        "brother" => {
            let error = palco_sys::fork_brother().unwrap_err();
            writeln!(report, "{:?}", error.raw_os_error()).unwrap();
        }
        "unshare" => nix::sched::unshare(CloneFlags::CLONE_FS).unwrap(),
        "connect" => try_network(argument, report),
        "ptrace" => nix::sys::ptrace::traceme().unwrap(),
        "work" | "strict" => work(report),
        _ => {}
    }
    writeln!(report, "{obtained}").unwrap();
}

fn try_network(address: &str, report: &mut impl Write) {
    let bound = TcpListener::bind("127.0.0.1:0").map(drop).map_err(|error| error.kind());
    let connected = TcpStream::connect(address).map(drop).map_err(|error| error.kind());
    writeln!(report, "{bound:?} {connected:?}").unwrap();
}

fn try_files(allowed: &str, report: &mut PipeWriter) {
    let outcome = |result: io::Result<()>| match result {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    let inside = outcome(fs::write(format!("{allowed}/new"), "x"));
    let beside = outcome(fs::write(format!("{allowed}-beside"), "x"));
    let read = outcome(File::open("/proc/self/status").map(drop));
    let other = outcome(File::open("/etc/passwd").map(drop));
    writeln!(report, "{inside} {beside} {read} {other}").unwrap();
}

/// What every service does: threads, locks, sockets, memory, time.
fn work(report: &mut PipeWriter) {
    let sum = Arc::new(Mutex::new(0));
    let (mut here, there) = UnixStream::pair().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (sum, mut there) = (Arc::clone(&sum), there.try_clone().unwrap());
            thread::spawn(move || {
                *sum.lock().unwrap() += vec![1_u64; 1 << 16].iter().sum::<u64>();
                there.write_all(b"x").unwrap();
            })
        })
        .collect();
    here.read_exact(&mut [0; 4]).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    writeln!(report, "{}", *sum.lock().unwrap()).unwrap();
}

/// Asks for more memory than it may have.
fn outgrow(how: &str, rest: &[OwnedFd]) {
    tell_deaths_in(&rest[0]);
    let wanted = Confinement { memory_bytes: Some(256 << 20), ..Confinement::none() };
    confine(&wanted, getppid().as_raw()).unwrap();
    if how == "carefully" {
        assert!(Vec::<u8>::new().try_reserve_exact(1 << 30).is_err());
        return;
    }
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
    }
}

fn tell_deaths_in(words: &OwnedFd) {
    let words = SharedWords::open(words.try_clone().unwrap(), 1).unwrap();
    let words: &'static SharedWords = Box::leak(Box::new(words));
    palco_sys::on_fatal_signal(&words.words()[0]).unwrap();
}
