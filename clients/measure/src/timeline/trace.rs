//! Chrome's trace event format (JSON, "Trace Event Format", 2016), which Perfetto opens: a process for each run, a
//! thread for each thread, times in microseconds.

use std::collections::BTreeSet;
use std::io::{self, Write};

use palco_fibers::lab::{FiberId, Lane, What};
use serde::Serialize;
use serde_json::{Value, json};

use super::Run;
use super::span::{Doing, Span, nanoseconds, spans};

#[derive(Serialize)]
struct TraceEvent {
    name: String,
    ph: &'static str,
    pid: usize,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    /// Of an instant: it belongs to its thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    /// One of the viewer's own colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    cname: Option<&'static str>,
    args: Value,
}

/// Writes the runs as one trace.
///
/// # Errors
/// Those of `out`.
pub fn trace(runs: &[Run], mut out: impl Write) -> io::Result<()> {
    out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let mut is_first = true;
    for (index, run) in runs.iter().enumerate() {
        for event in events_of(run, index + 1) {
            out.write_all(if is_first { b"\n" } else { b",\n" })?;
            is_first = false;
            serde_json::to_writer(&mut out, &event)?;
        }
    }
    out.write_all(b"\n]}\n")?;
    out.flush()
}

fn events_of(run: &Run, pid: usize) -> impl Iterator<Item = TraceEvent> {
    let lanes: BTreeSet<Lane> = run.events.iter().map(|event| event.lane).collect();
    let spans = spans(&run.events, nanoseconds(run.outcome.total));
    let title = format!("policy {}", run.settings.policy);
    let names =
        lanes.into_iter().map(move |lane| name(pid, lane, "thread_name", &lane.to_string()));
    let names = names.chain([name(pid, Lane::Lwp(0), "process_name", &title)]);
    let stretches = spans.into_iter().flat_map(move |(lane, spans)| {
        spans.into_iter().map(move |span| stretch(pid, lane, &span))
    });
    let instants = run.events.iter().filter_map(move |event| {
        let text = match event.what {
            What::Ran { .. } | What::Blocked { .. } | What::Unblocked { .. } => return None,
            What::Shipped { fiber } => format!("call of {fiber} shipped"),
            What::HandedOff { from, to } => format!("processor of LWP {from} to LWP {to}"),
            What::Added => "begins".to_owned(),
            What::Parked => "waits".to_owned(),
            What::Ended => "ends".to_owned(),
        };
        let (ts, s) = (Some(micros(nanoseconds(event.at))), Some("t"));
        let (tid, args) = (thread(event.lane), json!({}));
        Some(TraceEvent { name: text, ph: "i", pid, tid, ts, dur: None, s, cname: None, args })
    });
    names.chain(stretches).chain(instants)
}

fn name(pid: usize, lane: Lane, what: &str, text: &str) -> TraceEvent {
    TraceEvent {
        name: what.to_owned(),
        ph: "M",
        pid,
        tid: thread(lane),
        ts: None,
        dur: None,
        s: None,
        cname: None,
        args: json!({ "name": text }),
    }
}

fn stretch(pid: usize, lane: Lane, span: &Span) -> TraceEvent {
    let (name, cname, args) = match span.doing {
        Doing::Blocked { fiber, ticker_turns } => {
            (format!("{fiber} blocked"), "terrible", json!({ "ticker_turns": ticker_turns }))
        }
        Doing::Ran { fibers, turns } => {
            let names: Vec<String> = fibers.iter().map(|fiber| fiber.to_string()).collect();
            let colour = match fibers.single() {
                Some(FiberId::Ticker(_)) => "good",
                Some(FiberId::Sleeper(_)) => "rail_response",
                None => "generic_work",
            };
            (names.join(", "), colour, json!({ "turns": turns }))
        }
    };
    TraceEvent {
        name,
        ph: "X",
        pid,
        tid: thread(lane),
        ts: Some(micros(span.from)),
        dur: Some(micros(span.length())),
        s: None,
        cname: Some(cname),
        args,
    }
}

/// LWPs come first, then helpers.
fn thread(lane: Lane) -> u32 {
    match lane {
        Lane::Lwp(number) => 1 + u32::from(number),
        Lane::Helper(number) => 1001 + u32::from(number),
        Lane::Watcher => 2001,
    }
}

fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use palco_fibers::lab::Policy;

    use super::super::run::tests::run;
    use super::*;

    #[test]
    fn a_trace_has_every_call_as_a_stretch_of_its_thread() {
        let mut out = Vec::new();
        trace(&[run(Policy::Ult), run(Policy::Go)], &mut out).unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        let events = value["traceEvents"].as_array().unwrap();
        let calls = events.iter().filter(|event| event["name"] == "sleeper 0 blocked");
        let places: Vec<_> = calls
            .map(|call| {
                (
                    call["pid"].as_u64(),
                    call["tid"].as_u64(),
                    call["ts"].as_f64(),
                    call["dur"].as_f64(),
                )
            })
            .collect();
        let first = (Some(1), Some(1), Some(1000.0), Some(5000.0));
        assert_eq!((places.len(), places[0]), (4, first));
        let named = |name| events.iter().filter(|event| event["name"] == name).count();
        assert_eq!((named("process_name"), named("thread_name")), (2, 6));
    }

    #[test]
    fn no_run_is_an_empty_trace() {
        let mut out = Vec::new();
        trace(&[], &mut out).unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["traceEvents"], json!([]));
    }
}
