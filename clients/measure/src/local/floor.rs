//! What is measured beside, to see the parts of a hop: nanoseconds a call, nobody switches.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::time::Instant;

use nix::sys::eventfd::EventFd;
use nix::unistd::getppid;

use super::apart::Outcome;
use super::meter::{Meter, Plan};
use super::way::Way;
use crate::sides::Stopwatch;
use crate::{Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 6] = [
    floor("call", call),
    floor("clock", clock),
    floor("clock-instant", clock_instant),
    floor("getppid", system_call),
    floor("pipe-self", pipe_self),
    floor("eventfd-self", eventfd_self),
];

const fn floor(mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Floor, unit: Unit::Inline, mechanism, round }
}

fn measured(plan: &Plan, call: impl FnMut()) -> Outcome {
    let mut meter = Meter::start(plan, 1)?;
    meter.run(call);
    Ok(meter.raw())
}

#[inline(never)]
fn callee(number: u64) -> u64 {
    black_box(number)
}

fn call(plan: &Plan) -> Outcome {
    // Through a pointer that the compiler knows nothing of, so that it cannot put the callee here.
    let function: fn(u64) -> u64 = black_box(callee);
    let mut number = 0;
    measured(plan, || number = black_box(function)(number) + 1)
}

/// The clock that samples are read from.
fn clock(plan: &Plan) -> Outcome {
    let clock = Stopwatch::new();
    measured(plan, || {
        black_box(clock.now());
    })
}

fn clock_instant(plan: &Plan) -> Outcome {
    measured(plan, || {
        black_box(Instant::now());
    })
}

/// The cheapest call that the C library does not answer by itself.
fn system_call(plan: &Plan) -> Outcome {
    measured(plan, || {
        black_box(getppid());
    })
}

/// One byte into a pipe and out of it again.
fn pipe_self(plan: &Plan) -> Outcome {
    let (mut reader, mut writer) = io::pipe().map_err(|error| unavailable("a pipe", error))?;
    let mut byte = [0_u8];
    to_and_fro(plan, |number| {
        writer.write_all(&[number])?;
        reader.read_exact(&mut byte)?;
        Ok(byte[0])
    })
}

/// A count into an eventfd and out of it again.
fn eventfd_self(plan: &Plan) -> Outcome {
    let eventfd = EventFd::new().map_err(|error| unavailable("an eventfd", error))?;
    to_and_fro(plan, |number| {
        eventfd.write(u64::from(number) + 1)?;
        Ok(u8::try_from(eventfd.read()? - 1).unwrap_or(0))
    })
}

/// Has a number go through something and checks that it is the same; one that is not, or an error, is an objection.
fn to_and_fro(plan: &Plan, mut pass: impl FnMut(u8) -> io::Result<u8>) -> Outcome {
    let mut meter = Meter::start(plan, 1)?;
    let (mut number, mut wrong) = (0_u8, 0_u64);
    meter.run(|| {
        number = number.wrapping_add(1);
        wrong += u64::from(!pass(number).is_ok_and(|passed| passed == number));
    });
    let objection = (wrong > 0).then(|| format!("{wrong} bytes did not come out as they went in"));
    Ok(meter.raw_with(objection))
}

fn unavailable(what: &str, error: impl Into<io::Error>) -> Unavailable {
    Unavailable(format!("{what} cannot be had: {}", error.into()))
}
