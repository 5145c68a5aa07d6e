//! Hardware counters over one round of one row, where the machine lets them be read.

use super::cell::Cell;
use crate::report::Counter;

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Event {
    Instructions,
    Cycles,
    CacheMisses,
    TlbMisses,
}

impl Event {
    const ALL: [Self; 4] = [Self::Instructions, Self::Cycles, Self::CacheMisses, Self::TlbMisses];

    const fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Cycles => "cycles",
            Self::CacheMisses => "cache misses",
            Self::TlbMisses => "dTLB load misses",
        }
    }
}

/// Gives `cell` one more round for each counter and says what it counted for an operation, or why it cannot.
///
/// One counter at a time: a processor with few of them would else take turns and estimate. Threads and processes that the
/// round starts are counted too, and so is its warm-up.
pub(super) fn count(row: &str, mut cell: Option<&mut Cell>, ask: u64) -> Vec<Counter> {
    let counter = |event: Event| {
        let counted = match &mut cell {
            _ if !cfg!(feature = "counters") => Err("built without feature counters".to_owned()),
            None => Err("there is no such row in this run".to_owned()),
            Some(cell) if cell.unavailable.is_some() => {
                Err("this machine cannot run the row".to_owned())
            }
            Some(cell) => over_a_round(event, cell, ask),
        };
        Counter {
            name: event.name().to_owned(),
            value: counted.as_ref().ok().copied(),
            row: row.to_owned(),
            absent: counted.err(),
        }
    };
    Event::ALL.into_iter().map(counter).collect()
}

#[cfg(not(feature = "counters"))]
fn over_a_round(_event: Event, _cell: &mut Cell, _ask: u64) -> Result<f64, String> {
    Err("built without feature counters".to_owned())
}

#[cfg(feature = "counters")]
fn over_a_round(event: Event, cell: &mut Cell, ask: u64) -> Result<f64, String> {
    use std::io::{Error, ErrorKind};

    // perf_event_open(2) answers ENOENT where there is no such counter, as in most virtual machines.
    let refused = |error: Error| match error.kind() {
        ErrorKind::NotFound => format!("this machine has no such counter ({error})"),
        ErrorKind::PermissionDenied => {
            format!("not permitted ({error}): lower kernel.perf_event_paranoid, or run as root")
        }
        _ => format!("the kernel refuses it: {error}"),
    };
    let mut counter = event.open().map_err(refused)?;
    counter.enable().map_err(refused)?;
    let raw = cell.subject.round(ask).map_err(|unavailable| unavailable.to_string())?;
    counter.disable().map_err(refused)?;
    let counted = counter.read_count_and_time().map_err(refused)?;
    if counted.time_running == 0 || raw.operations == 0 {
        return Err("it never ran while the row did".to_owned());
    }
    Ok(counted.count as f64 / raw.operations as f64)
}

#[cfg(feature = "counters")]
impl Event {
    fn open(self) -> std::io::Result<perf_event::Counter> {
        use perf_event::Builder;
        use perf_event::events::{Cache, CacheId, CacheOp, CacheResult, Hardware};

        let mut builder = match self {
            Self::Instructions => Builder::new(Hardware::INSTRUCTIONS),
            Self::Cycles => Builder::new(Hardware::CPU_CYCLES),
            Self::CacheMisses => Builder::new(Hardware::CACHE_MISSES),
            Self::TlbMisses => Builder::new(Cache {
                which: CacheId::DTLB,
                operation: CacheOp::READ,
                result: CacheResult::MISS,
            }),
        };
        // What it costs to switch is spent in the kernel.
        builder.include_kernel().inherit(true).build()
    }
}
