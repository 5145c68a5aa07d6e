//! What switches inside one thread, what is made and what it weighs: by shape, never by nanoseconds.
//!
//! Rounds are copies of this process, so it must have one thread, and a `main` of its own that runs the cases in order.

use std::panic::catch_unwind;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use palco_measure::{
    Cores, Key, Pages, Pattern, Policy, Raw, Section, Subject, Unavailable, Unit, create_keys,
    create_subject, local_keys, local_subject, memory_keys, memory_subject,
};

const BUDGET_NANOS: u64 = 20_000_000;

/// Rounds that may be lost to whoever else uses this machine.
const ATTEMPTS: usize = 10;

fn main() -> ExitCode {
    let cases: [(&str, fn()); 10] = [
        ("every_cell_has_a_key_of_its_own", every_cell_has_a_key_of_its_own),
        ("turns_inside_one_thread_are_in_order", turns_inside_one_thread_are_in_order),
        ("actors_on_threads_switch_once_a_turn", actors_on_threads_switch_once_a_turn),
        ("a_working_set_is_touched_at_every_hop", a_working_set_is_touched_at_every_hop),
        ("floors_are_below_what_stands_on_them", floors_are_below_what_stands_on_them),
        ("the_heavier_a_unit_the_dearer_to_make", the_heavier_a_unit_the_dearer_to_make),
        ("a_stack_that_is_used_again_is_cheaper", a_stack_that_is_used_again_is_cheaper),
        ("only_copies_pay_for_the_heap", only_copies_pay_for_the_heap),
        ("the_heavier_a_unit_the_more_it_weighs", the_heavier_a_unit_the_more_it_weighs),
        ("what_cannot_be_had_says_so", what_cannot_be_had_says_so),
    ];
    let mut failed = false;
    for (name, case) in cases {
        let ends = catch_unwind(|| {
            case();
            nothing_is_left();
        });
        eprintln!("{name} … {}", if ends.is_ok() { "ok" } else { "FAILED" });
        failed |= ends.is_err();
    }
    ExitCode::from(u8::from(failed))
}

/// Neither threads nor children.
fn nothing_is_left() {
    assert!(palco_sys::is_single_threaded().expect("the kernel says how many there are"));
    assert_eq!(waitpid(None, None), Err(Errno::ECHILD));
}

fn every_cell_has_a_key_of_its_own() {
    let keys = [local_keys(), create_keys(), memory_keys()].concat();
    for key in &keys {
        let subjects = [local_subject, create_subject, memory_subject];
        let found: Vec<_> = subjects.iter().filter_map(|subject| subject(key.clone())).collect();
        assert_eq!(found.len(), 1, "{key}");
        assert_eq!(found[0].key(), *key);
    }
    let names: std::collections::BTreeSet<_> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), keys.len());
    assert!(local_subject(Key::new(Section::Switch, Unit::Thread, "nothing")).is_none());
}

/// A round in real time, or in the usual way where that is not permitted, which is not a reason to fail.
fn round(subject: fn(Key) -> Option<Box<dyn Subject>>, key: &Key) -> Raw {
    let run = |key: Key| subject(key).expect("the key is one of theirs").round(BUDGET_NANOS);
    let told = run(key.clone()).or_else(|Unavailable(why)| {
        assert!(why.contains("real time"), "{key}: {why}");
        run(Key { policy: Policy::Other, ..key.clone() })
    });
    let raw = told.expect("everything is here");
    assert_eq!(raw.objection, None, "{key}");
    assert!(!raw.samples.is_empty(), "{key}");
    assert!(raw.samples.iter().all(|sample| sample.is_finite() && *sample >= 0.0), "{key}");
    assert!(raw.operations >= raw.samples.len() as u64, "{key}");
    eprintln!(
        "  {key}: {:.1}, {} operations, batch {}, {:?}",
        median(&raw),
        raw.operations,
        raw.batch,
        raw.sides
    );
    raw
}

fn median(raw: &Raw) -> f64 {
    let mut samples = raw.samples.clone();
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// How many switches the kernel has made an operation, all sides together.
fn switches(raw: &Raw) -> f64 {
    let of_all = raw.sides.iter().map(|side| side.voluntary + side.involuntary).sum::<u64>();
    of_all as f64 / raw.operations as f64
}

fn turns_inside_one_thread_are_in_order() {
    let one_thread = |key: &Key| key.unit != Unit::Thread && key.section == Section::Switch;
    for key in local_keys().into_iter().filter(one_thread) {
        let undisturbed = (0..ATTEMPTS).any(|_| {
            let raw = round(local_subject, &key);
            // Whoever else uses the machine cannot bring turns out of order.
            assert_eq!(raw.out_of_turn, Some(0), "{key}");
            assert_eq!(raw.switches_expected, Some(0.0), "{key}");
            assert_eq!(raw.sides.len(), 1, "{key}");
            raw.sides[0].strays == 0 && switches(&raw) <= 0.01
        });
        assert!(undisturbed, "{key}: the kernel switches");
    }
}

fn actors_on_threads_switch_once_a_turn() {
    let key = Key::new(Section::Switch, Unit::Thread, "palco-tell");
    let undisturbed = (0..ATTEMPTS).any(|_| {
        let raw = round(local_subject, &key);
        assert_eq!((raw.out_of_turn, raw.sides.len()), (Some(0), 2));
        (0.95..1.05).contains(&switches(&raw))
    });
    assert!(undisturbed, "two threads must block to take turns on one processor");
}

fn a_working_set_is_touched_at_every_hop() {
    let hop = |working_set| Key {
        working_set,
        pattern: Some(Pattern::Chase),
        pages: Some(Pages::Small),
        ..Key::new(Section::WorkingSet, Unit::Fiber, "yield")
    };
    shows(
        "a chase through a mebibyte takes ten times an empty hop, and a tenth of it at least",
        || {
            let (empty, full) =
                (round(local_subject, &hop(0)), round(local_subject, &hop(1 << 20)));
            assert_eq!((empty.out_of_turn, full.out_of_turn), (Some(0), Some(0)));
            assert_eq!(empty.touch, None);
            let touch = full.touch.expect("there is a working set");
            median(&full) > 10.0 * median(&empty) && median(&full) > touch / 10.0
        },
    );
}

/// Whether something shows in one of some attempts: a neighbour may be at work in all but one.
fn shows(what: &str, seen: impl Fn() -> bool) {
    assert!((0..ATTEMPTS).any(|_| seen()), "{what}");
}

fn floors_are_below_what_stands_on_them() {
    let floor = |mechanism| {
        median(&round(local_subject, &Key::new(Section::Floor, Unit::Inline, mechanism)))
    };
    shows("a call and a clock are cheaper than a system call, and that than two", || {
        let [call, clock, instant] = ["call", "clock", "clock-instant"].map(floor);
        let [system_call, pipe, eventfd] = ["getppid", "pipe-self", "eventfd-self"].map(floor);
        let cheap = call < system_call && clock < pipe && instant < pipe;
        cheap && system_call < pipe && system_call < eventfd
    });
}

fn made(unit: Unit, mechanism: &str, heap: u64) -> f64 {
    median(&round(create_subject, &Key { heap, ..Key::new(Section::Create, unit, mechanism) }))
}

fn the_heavier_a_unit_the_dearer_to_make() {
    shows("memory < actor < process, and thread < process", || {
        let memory = made(Unit::Inline, "box-64", 0);
        // As a task of ours it is cheaper than a thread only once it is compiled for speed.
        let actor = made(Unit::Task, "palco-actor", 0);
        let thread = made(Unit::Thread, "spawn-join", 0);
        let process = made(Unit::Process, "fork-wait", 0);
        memory < actor && actor < process && thread < process
    });
    #[cfg(feature = "peers")]
    for peer in ["tokio-spawn", "actix-start"] {
        shows("memory < task < thread", || {
            let [memory, task] = [(Unit::Inline, "box-64"), (Unit::Task, peer)]
                .map(|(unit, mechanism)| made(unit, mechanism, 0));
            memory < task && task < made(Unit::Thread, "spawn-join", 0)
        });
    }
}

fn a_stack_that_is_used_again_is_cheaper() {
    shows("recycled < new < thread", || {
        let [recycled, new] = ["spawn", "spawn-new"].map(|how| made(Unit::Fiber, how, 0));
        recycled < new && new < made(Unit::Thread, "spawn-join", 0)
    });
}

fn only_copies_pay_for_the_heap() {
    const HEAP_BYTES: u64 = 256 << 20;
    let fork = |heap| made(Unit::Process, "fork-wait", heap);
    shows("a copy copies the map of its memory", || fork(HEAP_BYTES) > 3.0 * fork(0));
    shows("so does one that becomes a program", || {
        made(Unit::Process, "fork-exec", HEAP_BYTES) > 2.0 * fork(0)
    });
    for without_copy in ["posix-spawn", "command", "palco-start"] {
        let start = |heap| made(Unit::Process, without_copy, heap);
        shows("no copy, no map", || {
            start(0) < fork(HEAP_BYTES) && start(HEAP_BYTES) < fork(HEAP_BYTES)
        });
    }
}

fn the_heavier_a_unit_the_more_it_weighs() {
    let weight = |unit, mechanism| {
        median(&round(memory_subject, &Key::new(Section::Memory, unit, mechanism)))
    };
    let task = weight(Unit::Task, "palco-actor");
    let [rests, suspended] = ["at-rest", "suspended"].map(|how| weight(Unit::Fiber, how));
    let thread = weight(Unit::Thread, "parked");
    // A page of stack at least, and less than what a thread has besides.
    assert!(0.0 < rests && rests < suspended && 4096.0 <= suspended && suspended < thread);
    let process = weight(Unit::Process, "forked");
    assert!(0.0 < task && task < thread && thread < process);
    // At least a page.
    assert!(weight(Unit::Thread, "kernel-stack") >= 4096.0);
    #[cfg(feature = "peers")]
    for peer in ["tokio-task", "actix-actor"] {
        let task = weight(Unit::Task, peer);
        assert!(0.0 < task && task < thread, "{peer}");
    }
}

fn what_cannot_be_had_says_so() {
    let why = |subject: fn(Key) -> Option<Box<dyn Subject>>, key: Key| {
        let mut subject = subject(key).expect("the key is one of theirs");
        let Unavailable(why) = subject.round(BUDGET_NANOS).expect_err("it cannot be had");
        why
    };
    let usual = |section, unit, mechanism: &str| Key {
        policy: Policy::Other,
        ..Key::new(section, unit, mechanism)
    };
    let call = usual(Section::Switch, Unit::Inline, "call");
    assert!(why(local_subject, Key { cores: Cores::Other, ..call }).contains("one processor"));
    let fork = usual(Section::Create, Unit::Process, "fork-wait");
    assert!(why(create_subject, Key { heap: 1 << 60, ..fork }).contains("no heap"));
}
