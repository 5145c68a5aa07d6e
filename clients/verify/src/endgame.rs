//! The end of a run, when nothing is wrong any more: every key is read through every node, and must hold what was answered.

use std::thread::sleep;
use std::time::{Duration, Instant};

use palco_client::RegisterClient;
use palco_sim::history::{Asked, ClientId};
use palco_sim::linearizability::Limits;

use crate::client::{Access, read};
use crate::judge::{Judged, Last, judge};
use crate::recorder::{Named, Recorder};

/// How long a node may take until every key can be read through it.
const READABLE_WITHIN: Duration = Duration::from_secs(60);

/// How long one read waits.
const PATIENCE: Duration = Duration::from_secs(6);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// What was found at the end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) judged: Judged,
    pub(crate) reads: u64,
}

/// Reads all keys through all gateways, one after the other, and judges each read by all that was answered before.
pub(crate) fn read_all(
    access: &Access,
    lasts: &[(Named, Last)],
    recorder: &Recorder,
    limits: Limits,
) -> Ending {
    let mut ending = Ending::default();
    let mut readers: Vec<Option<(&str, RegisterClient)>> = Vec::new();
    for gateway in &access.gateways {
        let only = Access { gateways: vec![gateway.clone()], password: access.password.clone() };
        readers.push(only.open(0, PATIENCE).ok().map(|client| (gateway.as_str(), client)));
    }
    for (key, last) in lasts {
        let mut reads = last.begin(recorder.now());
        for (number, reader) in (0..).zip(&mut readers) {
            let Some((gateway, client)) = reader else { continue };
            let called = reads.call(ClientId(number), Asked::Read, recorder.now());
            match read_once(client, key) {
                Ok(done) => reads.end(called, recorder.now(), done),
                Err(why) => {
                    let objection = format!(
                        "key {}: not readable through {gateway} within {READABLE_WITHIN:?} although nothing is wrong any more: {why}",
                        key.name
                    );
                    ending.judged.objections.push(objection);
                    // Each further key would take as long.
                    *reader = None;
                    continue;
                }
            }
            ending.reads += 1;
        }
        let Judged { objections, undecided } = judge(&reads.history, limits);
        let lost = |objection| {
            format!(
                "at the end, after all faults, where `{BEFORE}` stands for all that was answered before: {objection}"
            )
        };
        ending.judged.objections.extend(objections.into_iter().map(lost));
        ending.judged.undecided.extend(undecided);
    }
    ending
}

/// How the client of all that was before is shown.
const BEFORE: &str = "c4294967295";

fn read_once(client: &mut RegisterClient, key: &Named) -> Result<palco_sim::history::Done, String> {
    let begun = Instant::now();
    loop {
        let why = match read(client, key) {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => "its answer is not understood".to_owned(),
            Err(error) => error.to_string(),
        };
        if begun.elapsed() > READABLE_WITHIN {
            return Err(why);
        }
        sleep(PAUSE);
    }
}
