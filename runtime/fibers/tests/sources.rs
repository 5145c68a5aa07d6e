//! Descriptors: who waits for one is woken, and who never has to wait does not keep an LWP from others.

use std::fs::File;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};

use palco_fibers::{Pool, Source, block_on, current, park};
use socket2::SockRef;

fn pool(lwps: usize) -> Pool {
    Pool::builder().lwps(lwps).build().expect("a pool can be made")
}

fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback works");
    let near =
        TcpStream::connect(listener.local_addr().expect("loopback works")).expect("loopback works");
    let (far, _) = listener.accept().expect("loopback works");
    near.set_nonblocking(true).expect("loopback works");
    (near, far)
}

fn read_some(source: &Source<TcpStream>, room: &mut [u8]) -> usize {
    loop {
        match source.get().read(room) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                block_on(source.readable()).expect("loopback works");
            }
            outcome => return outcome.expect("loopback works"),
        }
    }
}

#[test]
fn many_connections_are_served_by_few_lwps() {
    let pool = pool(2);
    let peers: Vec<_> = (0..50)
        .map(|_| {
            let (near, far) = connection();
            let echo = pool.spawn("echo", move || {
                let source = Source::new(near).unwrap();
                let mut room = [0; 64];
                loop {
                    match read_some(&source, &mut room) {
                        0 => return,
                        length => source.get().write_all(&room[..length]).unwrap(),
                    }
                }
            });
            (far, echo.unwrap())
        })
        .collect();
    for round in 0..20_u8 {
        for (far, _) in &peers {
            (&mut &*far).write_all(&[round; 3]).unwrap();
        }
        for (far, _) in &peers {
            let mut answer = [0; 3];
            (&mut &*far).read_exact(&mut answer).unwrap();
            assert_eq!(answer, [round; 3]);
        }
    }
    for (far, echo) in peers {
        drop(far);
        echo.join().unwrap();
    }
}

#[test]
fn a_full_buffer_is_waited_for() {
    const BYTES: usize = 32 << 20;
    let pool = pool(1);
    let (near, mut far) = connection();
    let (tell, is_full) = mpsc::channel();
    let writer = pool.spawn("writes", move || {
        let source = Source::new(near).unwrap();
        let (chunk, mut sent) = (vec![7; 1 << 16], 0);
        while sent < BYTES {
            match source.get().write(&chunk[..chunk.len().min(BYTES - sent)]) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    tell.send(()).unwrap_or_default();
                    block_on(source.writable()).unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
    });
    is_full.recv().unwrap();
    let mut received = 0;
    let mut room = vec![0; 1 << 16];
    while received < BYTES {
        received += far.read(&mut room).unwrap();
    }
    writer.unwrap().join().unwrap();
}

#[test]
fn what_has_been_read_is_no_news() {
    let pool = pool(1);
    let (near, mut far) = connection();
    let (tell, waits) = mpsc::channel();
    let reader = pool.spawn("reads", move || {
        let source = Source::new(near).unwrap();
        let (mut attempts, mut byte) = (0, [0]);
        for _ in 0..3 {
            let read = poll_fn(|context| {
                let read = source.poll_read_with(context, |mut socket| {
                    attempts += 1;
                    socket.read(&mut byte)
                });
                if read.is_pending() {
                    tell.send(()).unwrap();
                }
                read
            });
            assert_eq!(block_on(read).unwrap(), 1);
        }
        attempts
    });
    for _ in 0..3 {
        waits.recv().unwrap();
        far.write_all(b"x").unwrap();
    }
    assert_eq!(reader.unwrap().join().unwrap(), 6, "one before each wait, and one after it");
}

/// Starts another fiber, and reads what always has more until that one has run.
async fn read_until_another_runs(pool: Pool) {
    const ATTEMPTS_MAX: usize = 100_000;
    let has_run = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&has_run);
    drop(pool.spawn("other", move || other.store(true, Ordering::SeqCst)).expect("it has room"));
    let source = Source::new(File::open("/dev/zero").expect("the kernel has it")).expect("a file");
    let mut attempts = 0;
    while !has_run.load(Ordering::SeqCst) {
        let read = |context: &mut Context<'_>| {
            source.poll_read_with(context, |mut file| file.read(&mut [0]))
        };
        assert_eq!(poll_fn(read).await.expect("zeros"), 1);
        attempts += 1;
        assert!(attempts < ATTEMPTS_MAX, "nobody else runs");
    }
}

#[test]
fn who_never_has_to_wait_lets_others_run() {
    let pool = pool(1);
    let to_fiber = pool.clone();
    let fiber = pool.spawn("reads", move || block_on(read_until_another_runs(to_fiber)));
    fiber.unwrap().join().unwrap();

    let (done, is_done) = mpsc::channel();
    let to_future = pool.clone();
    let future = || async move {
        read_until_another_runs(to_future).await;
        done.send(()).unwrap();
    };
    pool.run("reads".into(), None, future).unwrap();
    is_done.recv().expect("it read to its end");
}

#[test]
fn urgent_data_is_something_to_read() {
    let pool = pool(1);
    let (near, far) = connection();
    let (tell, is_waiting) = mpsc::channel();
    let urgent = pool.spawn("waits", move || {
        let source = Source::new(near).unwrap();
        // Whatever is ready now was there before: the edge that counts comes later.
        let mut is_first = true;
        block_on(poll_fn(|context| {
            if let Poll::Ready(outcome) = source.poll_readable(context) {
                return Poll::Ready(outcome);
            }
            if std::mem::take(&mut is_first) {
                tell.send(()).unwrap();
            }
            Poll::Pending
        }))
        .unwrap();
        let mut byte = [std::mem::MaybeUninit::uninit()];
        SockRef::from(source.get()).recv_out_of_band(&mut byte).unwrap()
    });
    is_waiting.recv().unwrap();
    SockRef::from(&far).send_out_of_band(b"!").unwrap();
    assert_eq!(urgent.unwrap().join().unwrap(), 1);
}

#[test]
fn a_source_is_taken_apart_on_any_thread_and_watched_again() {
    let pool = pool(2);
    let (mut near, mut far) = connection();
    for round in 0..20 {
        let fiber = pool.spawn_on(round % 2, "reads", move || {
            let source = Source::new(near).unwrap();
            block_on(source.writable()).unwrap();
            source
        });
        let source = fiber.unwrap().join().unwrap();
        near = source.into_inner();
    }
    let fiber = pool.spawn("reads", move || read_some(&Source::new(near).unwrap(), &mut [0; 9]));
    far.write_all(b"last").unwrap();
    assert_eq!(fiber.unwrap().join().unwrap(), 4);
}

#[test]
fn a_wait_that_was_given_up_leaves_nothing_behind() {
    let pool = pool(1);
    let (near, mut far) = connection();
    let fiber = pool.spawn("gives up", move || {
        let source = Source::new(near).unwrap();
        for _ in 0..100 {
            let mut wait = Box::pin(source.readable());
            block_on(poll_fn(|context| Poll::Ready(wait.as_mut().poll(context).is_pending())));
        }
        current().unwrap().unpark();
        park();
        read_some(&source, &mut [0; 9])
    });
    far.write_all(b"late").unwrap();
    assert_eq!(fiber.unwrap().join().unwrap(), 4);
}
