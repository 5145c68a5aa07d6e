//! Where a pool ends: stacks, guards, real time, settings.

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::mpsc;
use std::{env, thread};

use palco_fibers::{Handle, Limit, Pool, SpawnError, StackShortage, current, park};
use palco_sys::{Scheduling, scheduling_of};

/// Set in the child that overflows a stack.
const OVERFLOW: &str = "PALCO_FIBERS_TEST_OVERFLOW";

fn one_lwp() -> Pool {
    Pool::builder().lwps(1).build().expect("a pool can be made")
}

#[test]
fn a_stack_is_used_again_by_the_next_fiber() {
    let pool = one_lwp();
    let place = || {
        let on_stack = 0_u8;
        std::ptr::from_ref(black_box(&on_stack)).addr()
    };
    let first = pool.spawn("first", place).unwrap().join().unwrap();
    for _ in 0..100 {
        assert_eq!(pool.spawn("next", place).unwrap().join().unwrap(), first);
    }
    assert_eq!(pool.stacks(), 1);
}

#[test]
fn a_stack_that_was_suspended_is_used_again_too() {
    let pool = one_lwp();
    let all = |pool: &Pool| {
        let fibers: Vec<_> =
            (0..200).map(|_| pool.spawn("yields", palco_fibers::yield_now).unwrap()).collect();
        fibers.into_iter().for_each(|fiber| fiber.join().unwrap());
    };
    all(&pool);
    let kept = pool.stacks();
    assert!(kept <= 64, "{kept} stacks are kept by one LWP");
    (0..10).for_each(|_| all(&pool));
    assert!(pool.stacks() <= 64);
}

fn parked(pool: &Pool, count: usize) -> (Vec<palco_fibers::Joined<()>>, Vec<Handle>) {
    let (tell, handles) = mpsc::channel();
    let fibers = (0..count).map(|_| {
        let tell = tell.clone();
        let body = move || {
            tell.send(current().expect("this is a fiber")).expect("the test listens");
            park();
        };
        pool.spawn("parks", body).expect("there are stacks left")
    });
    let fibers = fibers.collect();
    (fibers, handles.iter().take(count).collect())
}

#[test]
fn no_stack_left_is_refused_with_what_to_do() {
    let pool = Pool::builder().lwps(1).stacks_max(4).build().unwrap();
    let (fibers, handles) = parked(&pool, 4);
    let error = loop {
        // The last of them may not have suspended yet, and what it leaves behind is one more that waits for a stack.
        if let Err(error) = pool.spawn("one more", || ()) {
            break error;
        }
    };
    let SpawnError::Stacks(shortage) = &error else { panic!("{error}") };
    assert_eq!(*shortage, StackShortage { in_use: 4, limit: Limit::Bound { max: 4 } });
    let text = error.to_string();
    for word in ["4 are in use", "stacks_max", "vm.max_map_count", "raise it"] {
        assert!(text.contains(word), "{text}");
    }
    handles.iter().for_each(Handle::unpark);
    fibers.into_iter().for_each(|fiber| fiber.join().unwrap());
    pool.spawn("again", || ()).unwrap().join().unwrap();
}

#[test]
fn work_that_found_no_stack_waits_for_one() {
    let pool = Pool::builder().lwps(1).stacks_max(2).build().unwrap();
    let (tell, handles) = mpsc::channel();
    let inner = pool.clone();
    let all = pool.spawn("spawns", move || {
        let fiber = |_| {
            let tell = tell.clone();
            let body = move || {
                tell.send(current().unwrap()).unwrap();
                park();
            };
            inner.spawn("parks", body).unwrap()
        };
        (0..6).map(fiber).collect::<Vec<_>>()
    });
    let fibers = all.unwrap().join().unwrap();
    for handle in handles.iter().take(6) {
        handle.unpark();
    }
    fibers.into_iter().for_each(|fiber| fiber.join().unwrap());
}

#[test]
fn a_refusal_of_the_kernel_names_the_sysctl() {
    let limit = Limit::Kernel { error: "Cannot allocate memory".into(), max: 65_530 };
    let text = StackShortage { in_use: 28_669, limit }.to_string();
    for word in ["28669 are in use", "65530", "sysctl -w vm.max_map_count=262120"] {
        assert!(text.contains(word), "{text}");
    }
}

#[expect(unconditional_recursion, reason = "the overflow is what is tested")]
fn overflow(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    overflow(depth + 1) + room[black_box(3)]
}

#[test]
fn an_overflow_ends_the_process_at_the_guard() {
    if env::var_os(OVERFLOW).is_some() {
        let pool = one_lwp();
        let fiber = pool.spawn("overflows", || overflow(0)).unwrap();
        panic!("it returned {:?}", fiber.join());
    }
    let name = "an_overflow_ends_the_process_at_the_guard";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]).env(OVERFLOW, "1");
    let output = child.output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{output:?}");
}

/// Trap: LWPs in real time of one priority would wait for each other for ever.
#[test]
#[expect(unsafe_code, reason = "nothing safe makes a thread whose children are in real time")]
fn lwps_never_inherit_real_time() {
    let seen = thread::spawn(|| {
        let parameter = libc::sched_param { sched_priority: 5 };
        // SAFETY: `parameter` lives throughout the call. Without the flag that resets it, what is started inherits it.
        if unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameter) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        let pool = Pool::builder().lwps(2).build().unwrap();
        let of_lwp = |lwp| pool.spawn_on(lwp, "asks", || scheduling_of(0).unwrap()).unwrap();
        Ok([of_lwp(0), of_lwp(1)].map(|asked| asked.join().unwrap()))
    });
    match seen.join().unwrap() {
        Ok(seen) => assert!(seen.iter().all(|one| matches!(one, Scheduling::Usual(_))), "{seen:?}"),
        Err(error) => {
            assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
            println!("real time is not permitted here: {error}");
        }
    }
}

#[test]
fn a_pool_of_no_lwps_is_refused() {
    let error = Pool::builder().lwps(0).build().unwrap_err();
    assert_eq!(error.to_string(), "a pool of 0 LWPs runs nothing: give it at least 1");
}
