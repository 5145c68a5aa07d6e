//! How processes die, and that nobody else does.

use nix::sys::signal::{Signal as Unix, kill};
use nix::unistd::Pid as UnixPid;
use palco_actors::{
    Abandoned, ActorRef, AskError, Confinement, ExitReason, FileAccess, Restart, Syscalls,
};

use crate::probe::{Do, Pid, Plan, Probe, Push};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    Column::PROCESSES => [
        each_way_to_die_has_its_reason,
        a_signal_from_outside_is_an_ordinary_failure,
        a_process_that_exits_while_it_is_idle_is_noticed,
        memory_beyond_the_limit_is_told_as_such,
        a_system_call_that_is_denied_is_named,
        a_process_can_start_no_other_and_write_no_file,
        a_process_without_confinement_may,
        a_process_that_is_stopped_from_outside_holds_up_nobody_else,
        an_unresponsive_process_is_killed_if_that_is_wanted,
        what_was_obtained_is_shown,
        no_process_is_left_behind,
    ],
}

fn pid(probe: &ActorRef<Probe>) -> i32 {
    probe.any().snapshot().process.unwrap().pid.unwrap()
}

async fn each_way_to_die_has_its_reason(stage: &Stage) {
    let signaled = |signal: Unix| ExitReason::Signaled { signal: signal as i32, core: false };
    let neighbour = stage.probe();
    for (what, reason) in [
        (Do::Exit(3), ExitReason::Exited(3)),
        (Do::Exit(0), ExitReason::Exited(0)),
        (Do::Abort, signaled(Unix::SIGABRT)),
        (Do::Segv, signaled(Unix::SIGSEGV)),
    ] {
        let probe = stage.probe();
        let answer = probe.ask(what, LIMIT).await;
        assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::ProcessEnded))), "{answer:?}");
        assert_eq!(probe.exited().await, reason);
        assert_eq!(probe.any().snapshot().dropped, [("process ended".to_owned(), 1)]);
    }
    assert_eq!(neighbour.ask(Push(1), LIMIT).await.unwrap(), 1);
}

async fn a_signal_from_outside_is_an_ordinary_failure(stage: &Stage) {
    let probe = stage.probe_with(stage.options().restart(Restart::OnFailure), Plan::default());
    for restarts in 1..=3 {
        let first = probe.ask(Pid, LIMIT).await.unwrap();
        kill(UnixPid::from_raw(i32::try_from(first).unwrap()), Unix::SIGKILL).unwrap();
        until(|| probe.any().snapshot().restarts == restarts).await;
        assert_ne!(probe.ask(Pid, LIMIT).await.unwrap(), first);
        let last_exit = probe.any().snapshot().last_exit.unwrap();
        assert_eq!(last_exit, ExitReason::Signaled { signal: 9, core: false });
    }
}

async fn a_process_that_exits_while_it_is_idle_is_noticed(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(1), LIMIT).await.unwrap();
    kill(UnixPid::from_raw(pid(&probe)), Unix::SIGTERM).unwrap();
    assert_eq!(probe.exited().await, ExitReason::Signaled { signal: 15, core: false });
}

async fn memory_beyond_the_limit_is_told_as_such(stage: &Stage) {
    let confinement = Confinement { memory_bytes: Some(1 << 30), ..Confinement::service() };
    let options = stage.options().process(stage.process().confinement(confinement));
    let probe = stage.probe_with(options, Plan::default());
    let answer = probe.ask(Do::Allocate, LIMIT).await;
    assert!(matches!(answer, Err(AskError::Abandoned(Abandoned::ProcessEnded))), "{answer:?}");
    assert_eq!(probe.exited().await, ExitReason::OutOfMemory);
}

async fn a_system_call_that_is_denied_is_named(stage: &Stage) {
    let probe = stage.probe();
    let _ = probe.ask(Do::Trace, LIMIT).await;
    assert_eq!(probe.exited().await, ExitReason::Denied("ptrace".into()));
}

async fn a_process_can_start_no_other_and_write_no_file(stage: &Stage) {
    let probe = stage.probe();
    for what in [Do::Exec, Do::Write] {
        assert_eq!(probe.ask(what, LIMIT).await.unwrap(), "permission denied", "{what:?}");
    }
}

async fn a_process_without_confinement_may(stage: &Stage) {
    let confinement = Confinement {
        file_access: FileAccess::Free,
        syscalls: Syscalls::Free,
        ..Confinement::service()
    };
    let options = stage.options().process(stage.process().confinement(confinement));
    let probe = stage.probe_with(options, Plan::default());
    assert_eq!(probe.ask(Do::Exec, LIMIT).await.unwrap(), "executed");
    assert_eq!(probe.ask(Do::Write, LIMIT).await.unwrap(), "written");
}

async fn a_process_that_is_stopped_from_outside_holds_up_nobody_else(stage: &Stage) {
    let (stopped, other) = (stage.probe(), stage.probe());
    stopped.ask(Push(1), LIMIT).await.unwrap();
    kill(UnixPid::from_raw(pid(&stopped)), Unix::SIGSTOP).unwrap();
    for number in 0..500 {
        stopped.try_tell(Push(number)).unwrap();
        other.ask(Push(number), LIMIT).await.unwrap();
    }
    kill(UnixPid::from_raw(pid(&stopped)), Unix::SIGCONT).unwrap();
    assert_eq!(stopped.ask(Push(0), LIMIT).await.unwrap(), 502);
    kill(UnixPid::from_raw(pid(&stopped)), Unix::SIGSTOP).unwrap();
    stopped.any().signal(palco_actors::Signal::Kill);
    assert_eq!(stopped.exited().await, ExitReason::Killed, "also while it is stopped");
}

async fn an_unresponsive_process_is_killed_if_that_is_wanted(stage: &Stage) {
    let limit = std::time::Duration::from_millis(50);
    let options = stage.options().process(stage.process().unresponsive_after(limit));
    let probe = stage.probe_with(options, Plan::default());
    probe.tell(Do::Hog(60_000)).await.unwrap();
    assert_eq!(probe.exited().await, ExitReason::Unresponsive);
}

async fn what_was_obtained_is_shown(stage: &Stage) {
    let probe = stage.probe();
    probe.ask(Push(1), LIMIT).await.unwrap();
    let process = probe.any().snapshot().process.unwrap();
    let confinement = process.confinement.clone().unwrap();
    assert!(confinement.contains("seccomp"), "{confinement}");
    assert!(process.rss_bytes.unwrap() > 100_000, "{process:?}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid.unwrap())).unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(status.contains("Seccomp:\t2"), "{status}");
}

async fn no_process_is_left_behind(stage: &Stage) {
    let probes: Vec<_> = (0..5).map(|_| stage.probe()).collect();
    for probe in &probes {
        probe.ask(Push(1), LIMIT).await.unwrap();
    }
    let pids: Vec<_> = probes.iter().map(pid).collect();
    stage.system.shutdown().await;
    until(|| pids.iter().all(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists())).await;
}
