//! The generator against servers that answer, that stand still by command, and that misbehave.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use palco_actors::System;
use palco_threads::block_on;
use socket2::SockRef;

use super::*;
use crate::live::tests::server;

static NEVER: AtomicBool = AtomicBool::new(false);

fn plan(address: SocketAddr, protocol: Protocol) -> Plan {
    Plan {
        address,
        talk: Talk::new(protocol, protocol.example()).unwrap(),
        connections: Connections::Kept(1),
        schedule: Schedule::Constant { per_s: 200.0 },
        crowd: Vec::new(),
        warm_up: Duration::ZERO,
        lasts: Duration::from_millis(500),
        answer_within: Duration::from_secs(20),
        linger: Duration::from_secs(20),
        core: None,
        seed: 1,
    }
}

fn asked(plan: &Plan) -> Outcome {
    let outcome = run(plan, |_| {}, &NEVER).unwrap();
    assert_eq!(outcome.intended, outcome.answered + outcome.failed.all(), "{outcome:?}");
    assert_eq!(outcome.sent, outcome.intended - outcome.failed.not_sent, "{outcome:?}");
    outcome
}

/// A server with a thread for each connection.
fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, handle) = (stream.unwrap(), Arc::clone(&handle));
            std::thread::spawn(move || handle(stream));
        }
    });
    address
}

fn echo(mut stream: TcpStream, mut before: impl FnMut()) {
    let mut piece = [0; 64];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        before();
        if stream.write_all(&piece[..count]).is_err() {
            return;
        }
    }
}

/// How many took at least so long.
fn at_least(times: &Distribution, long: Duration) -> u64 {
    times.buckets().iter().filter(|(bound, _)| *bound > long).map(|(_, count)| count).sum()
}

#[test]
fn every_service_answers_on_kept_connections_and_on_one_for_each_request() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("index.html"), "hello".repeat(20_000)).unwrap();
    let system = System::new().unwrap();
    for protocol in Protocol::ALL.into_iter().chain([Protocol::Sftp]) {
        let server = server(&system, protocol, root.path());
        for connections in [Connections::Kept(2), Connections::PerRequest(100)] {
            if protocol.is_one_shot() && matches!(connections, Connections::Kept(_)) {
                continue;
            }
            for schedule in [Schedule::Poisson { per_s: 200.0 }, Schedule::Closed] {
                let good = Plan { connections, schedule, ..plan(server.address(), protocol) };
                let seen = asked(&good);
                assert_eq!(seen.failed, Failures::default(), "{good:?}: {seen:?}");
                assert!(seen.answered >= 20, "{good:?}: {seen:?}");
                assert_eq!(seen.response.count(), seen.answered, "{good:?}: {seen:?}");
                assert_eq!(
                    good.schedule.is_closed(),
                    seen.warnings.iter().any(|it| it.contains("closed loop"))
                );
            }
        }
        block_on(server.drain());
    }
    block_on(system.shutdown());
}

#[test]
fn connecting_is_a_request_too() {
    let address = serve(drop);
    let seen = asked(&Plan {
        connections: Connections::PerRequest(100),
        ..plan(address, Protocol::Connect)
    });
    assert_eq!((seen.answered, seen.bytes_out), (100, 0), "{seen:?}");
}

#[test]
fn a_server_that_stands_still_is_seen_in_response_times_and_hidden_by_service_times_and_closed_loops()
 {
    let stall = Duration::from_millis(100);
    let ask = |schedule| {
        // Closed from the twentieth request on, until progress has been told of twice more: at least 250 ms.
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let (held, opener) = (Arc::clone(&gate), gate);
        let requests = AtomicUsize::new(0);
        let address = serve(move |stream| {
            echo(stream, || {
                if requests.fetch_add(1, Ordering::Relaxed) == 20 {
                    let guard = held.0.lock().unwrap();
                    drop(held.1.wait_while(guard, |open| !*open).unwrap());
                }
            });
        });
        let mut told = 0;
        let plan =
            Plan { schedule, lasts: Duration::from_secs(1), ..plan(address, Protocol::Echo) };
        run(
            &plan,
            |figures| {
                told += usize::from(figures.answered >= 20);
                if told == 2 {
                    *opener.0.lock().unwrap() = true;
                    opener.1.notify_all();
                }
            },
            &NEVER,
        )
        .unwrap()
    };
    let open = ask(Schedule::Constant { per_s: 1000.0 });
    assert_eq!((open.intended, open.answered), (1000, 1000), "{open:?}");
    // All that were due in the first 150 ms of it have waited for 100 ms and more; one was asked.
    assert!(at_least(&open.response, stall) >= 100, "{open:?}");
    assert!(at_least(&open.service, stall) < at_least(&open.response, stall) / 2, "{open:?}");
    let closed = ask(Schedule::Closed);
    assert!(at_least(&closed.response, stall) < 20, "{closed:?}");
    assert!(closed.response.max() >= stall, "{closed:?}");
}

#[test]
fn what_was_never_answered_counts_with_the_time_it_waited() {
    let silent = serve(|mut stream| while let Ok(1..) = stream.read(&mut [0; 64]) {});
    let within = Duration::from_millis(200);
    let seen = asked(&Plan { answer_within: within, ..plan(silent, Protocol::Echo) });
    assert_eq!((seen.intended, seen.answered), (100, 0), "{seen:?}");
    assert!(seen.failed.timed_out >= 1 && seen.failed.not_sent >= 1, "{seen:?}");
    assert_eq!(seen.response.count(), 100, "{seen:?}");
    assert!(seen.response.max() >= within, "{seen:?}");
    assert!(seen.warnings.iter().any(|it| it.contains("never sent")), "{seen:?}");
}

#[test]
fn each_failure_is_counted_as_what_it_is() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = asked(&plan(gone, Protocol::Echo));
    assert_eq!(refused.failed.refused, 100, "{refused:?}");

    let resets = serve(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let seen = asked(&plan(resets, Protocol::Echo));
    assert_eq!(seen.failed.reset, 100, "{seen:?}");

    let closes = serve(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
    });
    let seen = asked(&plan(closes, Protocol::Kv));
    assert_eq!(seen.failed.closed_early, 100, "{seen:?}");

    let other = serve(|mut stream| {
        while let Ok(1..) = stream.read(&mut [0; 64]) {
            let _ = stream.write_all(b"HELLO");
        }
    });
    let seen = asked(&plan(other, Protocol::Echo));
    assert_eq!(seen.failed.wrong_answer, 100, "{seen:?}");
    assert_eq!(seen.error.as_deref(), Some("other bytes came back"));
}

#[test]
fn there_are_never_more_connections_than_were_asked_for() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let address = serve(move |stream| {
        count.fetch_add(1, Ordering::Relaxed);
        echo(stream, || {});
    });
    let bursts = Schedule::Bursts { per_s: 400.0, size: 50 };
    let seen = asked(&Plan {
        connections: Connections::Kept(3),
        schedule: bursts,
        ..plan(address, Protocol::Echo)
    });
    assert_eq!((seen.answered, accepted.load(Ordering::Relaxed)), (200, 3), "{seen:?}");
}

#[test]
fn a_warm_up_counts_for_nothing() {
    let address = serve(|stream| echo(stream, || {}));
    let warm = Plan { warm_up: Duration::from_millis(250), ..plan(address, Protocol::Echo) };
    let seen = asked(&warm);
    assert_eq!((seen.intended, seen.answered, seen.response.count()), (100, 100, 100), "{seen:?}");
    assert_eq!(seen.bytes_out, 150 * 5, "{seen:?}");
}

#[test]
fn a_load_that_is_stopped_ends_early() {
    let address = serve(|stream| echo(stream, || {}));
    let stop = AtomicBool::new(false);
    let long = Plan { lasts: LASTS_MAX, ..plan(address, Protocol::Echo) };
    let seen = run(&long, |_| stop.store(true, Ordering::Relaxed), &stop).unwrap();
    assert!(seen.answered >= 1 && seen.intended < 100_000, "{seen:?}");
}

#[test]
fn a_crowd_does_what_it_says() {
    /// What a server saw of its connections: bytes of each that has ended, and how it ended.
    #[derive(Debug, Default)]
    struct Seen {
        begun: usize,
        by_fin: Vec<usize>,
        by_rst: Vec<usize>,
    }
    let crowd = |crowd, protocol| {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let books = Arc::clone(&seen);
        let address = serve(move |mut stream| {
            books.lock().unwrap().begun += 1;
            let (mut bytes, mut piece) = (0, [0; 64]);
            loop {
                match stream.read(&mut piece) {
                    Ok(0) => return books.lock().unwrap().by_fin.push(bytes),
                    Ok(count) => bytes += count,
                    Err(_) => return books.lock().unwrap().by_rst.push(bytes),
                }
                if stream.write_all(&piece).is_err() {
                    return books.lock().unwrap().by_rst.push(bytes);
                }
            }
        });
        let connections = Connections::PerRequest(CONNECTIONS_MAX);
        let schedule = Schedule::Constant { per_s: 1.0 };
        let answer_within = Duration::from_millis(200);
        let plan = Plan {
            crowd: vec![crowd],
            connections,
            schedule,
            answer_within,
            ..plan(address, protocol)
        };
        let counts = run(&plan, |_| {}, &NEVER).unwrap().crowd;
        let begun = seen.lock().unwrap().begun;
        let ends = seen.lock().unwrap();
        (counts, begun, ends.by_fin.clone(), ends.by_rst.clone())
    };
    let every = Duration::from_millis(5);
    let (idle, begun, _, _) = crowd(Crowd::Idle(7), Protocol::Echo);
    assert_eq!((idle.opened, idle.bytes_out, idle.closed_by_server), (7, 0, 0), "{idle:?}");
    assert!(begun >= 7);

    let (slow, ..) = crowd(Crowd::SlowWriters { connections: 2, every }, Protocol::Http);
    assert_eq!(slow.opened, 2, "{slow:?}");
    // A byte each time: some, and never more than one for each of the two every 5 ms of a second and a half.
    assert!((2..=2 * 300).contains(&slow.bytes_out), "{slow:?}");

    let readers = Crowd::SlowReaders { connections: 2, bytes: 1, every };
    let (slow, ..) = crowd(readers, Protocol::Echo);
    assert!((1..=2 * 300).contains(&slow.bytes_in) && slow.bytes_in < slow.bytes_out, "{slow:?}");

    let (left, _, by_fin, by_rst) = crowd(Crowd::Disconnects { per_s: 100.0 }, Protocol::Echo);
    assert!(left.left_by_fin >= 5 && left.left_by_rst >= 5, "{left:?}");
    assert!(by_fin.contains(&3) && !by_rst.is_empty(), "{by_fin:?} {by_rst:?}");
}

#[test]
fn values_out_of_bounds_are_refused() {
    let good = || plan(([127, 0, 0, 1], 1).into(), Protocol::Kv);
    let crowd = |crowd| Plan { crowd: vec![crowd], ..good() };
    let refused = [
        Plan { connections: Connections::Kept(0), ..good() },
        Plan { connections: Connections::Kept(CONNECTIONS_MAX + 1), ..good() },
        Plan { lasts: Duration::ZERO, ..good() },
        Plan { lasts: LASTS_MAX + Duration::from_secs(1), ..good() },
        Plan { warm_up: LASTS_MAX + Duration::from_secs(1), ..good() },
        Plan { answer_within: Duration::ZERO, ..good() },
        Plan { schedule: Schedule::Constant { per_s: -1.0 }, ..good() },
        crowd(Crowd::Idle(0)),
        crowd(Crowd::Idle(CONNECTIONS_MAX)),
        crowd(Crowd::SlowWriters { connections: 1, every: Duration::ZERO }),
        crowd(Crowd::SlowReaders { connections: 1, bytes: 0, every: Duration::from_secs(1) }),
        crowd(Crowd::Disconnects { per_s: 0.0 }),
        plan(([127, 0, 0, 1], 1).into(), Protocol::Time),
    ];
    for plan in refused {
        assert!(matches!(plan.check(), Err(Error::Value(_))), "{plan:?}");
    }
    good().check().unwrap();
}
