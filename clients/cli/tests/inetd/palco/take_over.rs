//! A superserver takes the listeners over from the one before it, and no client notices.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};

use super::{CONFIGURATION, inetd, serve};
use crate::checks::Check;
use crate::dialect::Dialect;
use crate::world::{Server, connect, converse, talk, until};

/// Without a limit on their rate.
const LINES: &str = "echo  stream tcp4 nowait.1000000 root   internal\n\
                     17999 stream tcp4 nowait.1000000 nobody /bin/cat cat\n";
const PORTS: [u16; 2] = [7, 17999];

const RESTARTS: usize = 10;

/// Each superserver serves at least so many before it is replaced.
const SERVED_MIN: usize = 50;

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "palco inetd is restarted ten times under load, and nobody is refused or reset",
        ask: restarts,
    },
    Check {
        promise: "palco inetd leaves with its last instance when it was taken over from",
        ask: leaves_last,
    },
];

fn take_over() -> Result<Server> {
    Server::start(inetd(CONFIGURATION.as_ref(), Dialect::Openbsd).arg("--take-over"))
}

fn until_ended(server: &mut Server) -> Result<()> {
    until("the old one leaves", || Ok(server.child.try_wait()?.is_some()))?;
    let status = server.child.wait()?;
    ensure!(status.success(), "{status}: {}", server.said()?);
    Ok(())
}

fn restarts() -> Result<()> {
    let (served, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let client = |port: u16| {
        let mut failures = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            match talk(port, b"Enter a ghost.\n") {
                Ok(heard) if heard == b"Enter a ghost.\n" => {}
                Ok(heard) => failures.push(format!("port {port}: {heard:?}")),
                Err(error) => failures.push(format!("{error:#}")),
            }
            served.fetch_add(1, Ordering::Relaxed);
        }
        failures
    };
    let mut server = serve(LINES)?;
    let failures = thread::scope(|scope| {
        let clients = PORTS.map(|port| scope.spawn(move || client(port)));
        let outcome = restart_while(&served, &mut server);
        stop.store(true, Ordering::Relaxed);
        let failures = clients.into_iter().flat_map(|client| client.join().expect("no panic"));
        let failures: Vec<String> = failures.collect();
        outcome.map(|()| failures)
    })?;
    let count = served.into_inner();
    ensure!(failures.is_empty(), "{} of {count} failed, first {:?}", failures.len(), failures[0]);
    Ok(())
}

fn restart_while(served: &AtomicUsize, server: &mut Server) -> Result<()> {
    for restart in 0..RESTARTS {
        let before = served.load(Ordering::Relaxed);
        until("it serves", || Ok(served.load(Ordering::Relaxed) >= before + SERVED_MIN))?;
        let next = take_over()?;
        let mut old = std::mem::replace(server, next);
        until_ended(&mut old).with_context(|| format!("restart {restart}"))?;
    }
    Ok(())
}

fn leaves_last() -> Result<()> {
    let mut old = serve(LINES)?;
    let mut live = connect(17999)?;
    converse(&mut live)?;
    let mut new = take_over()?;
    until("the new one says that it listens", || Ok(new.said()?.contains("17999")))?;
    converse(&mut connect(17999)?)?;
    converse(&mut live)?;
    ensure!(old.child.try_wait()?.is_none(), "it left its instance alone");
    drop(live);
    until_ended(&mut old)?;
    converse(&mut connect(17999)?)
}
