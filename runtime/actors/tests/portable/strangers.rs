//! Processes that are not what they should be: unknown, of another build, hostile.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use nix::sys::socket::MsgFlags;
use palco_actors::{
    Actor, Confinement, Context, ExitReason, Failure, FileAccess, Handler, Luggage, MessageTable,
    Parcel, Place, Portable, ProcessOptions, SpawnError, SpawnOptions, Start, System, User,
};
use serde::{Deserialize, Serialize};

use crate::probe::{Plan, Probe, Push};
use crate::stage::{Column, LIMIT, Stage, trials, until};

trials! {
    [Column::Process] => [
        another_build_is_refused_and_both_are_named,
        a_program_that_is_none_of_ours_ends_the_life_with_its_status,
        a_program_that_is_not_there_is_a_failed_start,
        an_actor_outside_of_the_repertoire_is_refused_at_once,
        virtual_time_and_processes_do_not_go_together,
        arguments_over_the_frame_limit_are_refused,
        what_may_not_be_set_is_named,
        a_process_can_be_another_users_and_nice,
    ],
    Column::PROCESSES => [
        whatever_a_process_sends_harms_only_itself,
        a_process_that_never_reads_holds_up_only_itself,
    ],
}

/// Knows its sockets and abuses them.
pub(crate) struct Stranger(Abuse);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Abuse {
    Garbage,
    HugeLength,
    Flood,
    NeverRead,
}

impl Portable for Stranger {
    type Args = Abuse;

    fn kind() -> Cow<'static, str> {
        "stranger".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Push>();
    }

    fn make(abuse: Abuse, _: Luggage) -> Result<Self, Failure> {
        Ok(Self(abuse))
    }
}

impl Actor for Stranger {}

/// The sockets to the parent, as any code in the process could find them.
fn sockets() -> Vec<i32> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    let is_socket = |path: &Path| {
        fs::read_link(path).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
    };
    let paths = entries.map(|entry| entry.path()).filter(|path| is_socket(path));
    let numbers = paths.filter_map(|path| path.file_name()?.to_str()?.parse().ok());
    numbers.filter(|number| *number > 2).collect()
}

impl Handler<Push> for Stranger {
    async fn handle(&mut self, _: Push, _: &mut Context<Self>) -> usize {
        let send = |bytes: &[u8]| {
            for socket in sockets() {
                let _ = nix::sys::socket::send(socket, bytes, MsgFlags::MSG_NOSIGNAL);
            }
        };
        match self.0 {
            Abuse::Garbage => send(&[3, 0, 0, 0, 0xff, 0xff, 0xff]),
            Abuse::HugeLength => send(&u32::MAX.to_le_bytes()),
            Abuse::Flood => loop {
                // Progress of messages that were never sent.
                send(&[6, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0x7f, 0]);
            },
            Abuse::NeverRead => loop {
                std::thread::park();
            },
        }
        std::future::pending().await
    }
}

async fn whatever_a_process_sends_harms_only_itself(stage: &Stage) {
    let neighbour = stage.probe();
    for abuse in [Abuse::Garbage, Abuse::HugeLength, Abuse::Flood] {
        let confinement = Confinement::none();
        let options = stage.options().process(stage.process().confinement(confinement));
        let stranger =
            stage.system.spawn_portable::<Stranger>(options, move || Ok(Parcel::new(abuse)));
        let stranger = stranger.unwrap();
        stranger.tell(Push(1)).await.unwrap();
        if stage.column == Column::Ring {
            // Its sockets carry no frames; the ring's own tests scribble into the memory.
            until(|| stranger.any().snapshot().message.is_some()).await;
            assert!(neighbour.ask(Push(1), LIMIT).await.is_ok());
            stranger.any().signal(palco_actors::Signal::Kill);
            assert_eq!(stranger.exited().await, ExitReason::Killed);
            continue;
        }
        let reason = stranger.exited().await;
        assert!(
            matches!(&reason, ExitReason::Failed(text) if text.contains("sent what cannot be")),
            "{abuse:?}: {reason:?}"
        );
        assert!(neighbour.ask(Push(1), LIMIT).await.is_ok());
    }
}

async fn a_process_that_never_reads_holds_up_only_itself(stage: &Stage) {
    let neighbour = stage.probe();
    let options = stage.options().mailbox_messages_max(50_000);
    let stranger =
        stage.system.spawn_portable::<Stranger>(options, || Ok(Parcel::new(Abuse::NeverRead)));
    let stranger = stranger.unwrap();
    for number in 0..20_000 {
        stranger.try_tell(Push(number)).unwrap();
    }
    until(|| stranger.any().snapshot().message.is_some()).await;
    assert_eq!(neighbour.ask(Push(1), LIMIT).await.unwrap(), 1);
    let snapshot = stranger.any().snapshot();
    assert_eq!(snapshot.queued, 19_999, "{snapshot:?}");
    stranger.any().signal(palco_actors::Signal::Kill);
    assert_eq!(stranger.exited().await, ExitReason::Killed);
}

fn with_program(program: &Path) -> SpawnOptions {
    SpawnOptions::new().place(Place::Process).process(ProcessOptions::new().program(program))
}

async fn another_build_is_refused_and_both_are_named(stage: &Stage) {
    // A copy is another file, and so another build.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy");
    // Not copied here: a process that another test starts meanwhile would hold the copy open for writing.
    let own = std::env::current_exe().unwrap();
    assert!(std::process::Command::new("cp").args([&own, &copy]).status().unwrap().success());
    let probe = stage.probe_with(with_program(&copy), Plan::default());
    let reason = probe.exited().await;
    let ExitReason::StartFailed(text) = &reason else { panic!("{reason:?}") };
    assert!(text.contains("another build"), "{text}");
    assert_eq!(text.matches("palco ").count(), 2, "both are named: {text}");
}

async fn a_program_that_is_none_of_ours_ends_the_life_with_its_status(stage: &Stage) {
    let probe = stage.probe_with(with_program("/bin/false".as_ref()), Plan::default());
    assert_eq!(probe.exited().await, ExitReason::Exited(1));
}

async fn a_program_that_is_not_there_is_a_failed_start(stage: &Stage) {
    let probe = stage.probe_with(with_program("/nowhere/palco".as_ref()), Plan::default());
    let reason = probe.exited().await;
    let ExitReason::StartFailed(text) = &reason else { panic!("{reason:?}") };
    assert!(text.contains("/nowhere/palco") && text.contains("No such file"), "{text}");
}

/// In nobody's repertoire.
struct Unknown;

impl Actor for Unknown {}

impl Portable for Unknown {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "unknown".into()
    }

    fn messages(_: &mut MessageTable<Self>) {}

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self)
    }
}

async fn an_actor_outside_of_the_repertoire_is_refused_at_once(stage: &Stage) {
    let spawned = stage.system.spawn_portable::<Unknown>(stage.options(), || Ok(Parcel::new(())));
    assert!(matches!(spawned, Err(SpawnError::UnknownKind(kind)) if &*kind == "unknown"));
    let spawned = stage.system.spawn(stage.options(), || Unknown);
    assert!(matches!(spawned, Err(SpawnError::NotPortable("Unknown"))));
}

async fn virtual_time_and_processes_do_not_go_together(stage: &Stage) {
    let system = System::builder().clock(palco_actors::Clock::virtual_time()).build().unwrap();
    let pack = || Ok(Parcel::new(Plan::default()));
    let spawned = system.spawn_portable::<Probe>(stage.options(), pack);
    assert!(matches!(spawned, Err(SpawnError::VirtualTime)));
    system.shutdown().await;
}

async fn arguments_over_the_frame_limit_are_refused(stage: &Stage) {
    let plan = Plan { ballast: vec![0; 2 << 20], ..Plan::default() };
    let probe = stage.probe_with(stage.options(), plan);
    let reason = probe.exited().await;
    let ExitReason::StartFailed(text) = &reason else { panic!("{reason:?}") };
    assert!(text.contains("over the limit of 1048576"), "{text}");
}

async fn what_may_not_be_set_is_named(stage: &Stage) {
    let text = async |process: ProcessOptions| {
        let options = SpawnOptions::new().place(Place::Process).process(process);
        let reason = stage.probe_with(options, Plan::default()).exited().await;
        let ExitReason::StartFailed(text) = &reason else { panic!("{reason:?}") };
        text.to_string()
    };
    let read = vec!["/nowhere/at/all".into()];
    let file_access = FileAccess::Only { read, write: Vec::new() };
    let confinement = Confinement { file_access, ..Confinement::service() };
    let said = text(stage.process().confinement(confinement)).await;
    assert!(said.contains("/nowhere/at/all"), "{said}");
    let unknown = User { uid: u32::MAX, gid: 1, groups: Vec::new() };
    let said = text(stage.process().user(unknown)).await;
    assert!(said.contains(&u32::MAX.to_string()), "{said}");
    let said = text(stage.process().start(Start::Zygote).nice(5)).await;
    assert!(said.contains("zygote"), "{said}");
}

async fn a_process_can_be_another_users_and_nice(stage: &Stage) {
    let mut process = stage.process().nice(7);
    let is_root = nix::unistd::geteuid().is_root();
    if is_root {
        process = process.user(User { uid: 65_534, gid: 65_534, groups: Vec::new() });
    }
    let options = SpawnOptions::new().place(Place::Process).process(process);
    let probe = stage.probe_with(options, Plan::default());
    let pid = probe.ask(crate::probe::Pid, LIMIT).await.unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(!is_root || status.contains("Uid:\t65534\t65534\t65534\t65534"), "{status}");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    assert_eq!(after_name.split(' ').nth(16), Some("7"), "niceness: {stat}");
    assert_eq!(after_name.split(' ').nth(3), Some(pid.to_string().as_str()), "its own session");
}
