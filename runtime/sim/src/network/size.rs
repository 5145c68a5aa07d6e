//! How many bytes a message has, without encoding it: a figure for each kind, and the lengths of what is in it.

use palco_rambo::{Body, Configuration, Key, Message, Quorums, Tagged};

/// Format, version, whether there is a map, and which kind of body.
const HEAD: usize = 5;
/// The phase of an operation: boot, slot, number.
const PHASE: usize = 4;
const TAG: usize = 6;
const BALLOT: usize = 3;
const INDEX: usize = 1;
const CURSOR: usize = 6;

/// About the bytes of a message as encoded.
pub(crate) fn bytes_of(message: &Message) -> u64 {
    let map = message.map.as_ref().map_or(0, |knowledge| {
        let active: usize = knowledge.map.active().iter().map(|one| configuration(one)).sum();
        2 + active + knowledge.register.as_ref().map_or(0, tagged)
    });
    (HEAD + map + body(&message.body)) as u64
}

fn body(body: &Body) -> usize {
    match body {
        Body::Query { key: name, .. } => PHASE + key(name) + 1,
        Body::Queried { value: told, .. } => {
            let told = told.as_ref().and_then(Option::as_ref);
            PHASE + TAG + 4 + told.map_or(0, bytes::Bytes::len)
        }
        Body::Propagate { key: name, tagged: held, .. } => PHASE + key(name) + tagged(held),
        Body::CasPrepare { key: name, .. } => PHASE + key(name) + TAG,
        Body::CasPromised { accepted, .. } => PHASE + tagged(accepted),
        Body::CasAccept { key: name, accept, .. } => PHASE + key(name) + tagged(accept),
        Body::CasRefused { .. } => PHASE + TAG,
        Body::Prepare { .. } => PHASE + INDEX + BALLOT,
        Body::Promised { accepted, .. } => {
            let accepted = accepted.as_ref().map(|(_, accepted)| configuration(accepted));
            PHASE + 1 + accepted.map_or(0, |bytes| BALLOT + bytes)
        }
        Body::Accept { configuration: one, .. } => PHASE + BALLOT + configuration(one),
        Body::Refused { .. } => PHASE + BALLOT,
        Body::Inform { .. } | Body::Collect { .. } => PHASE + INDEX,
        Body::Pull { .. } => PHASE + CURSOR,
        Body::Pulled { registers, .. } => {
            let registers: usize =
                registers.iter().map(|(name, held)| key(name) + tagged(held)).sum();
            PHASE + 2 * CURSOR + 2 + registers
        }
        Body::Propagated { .. }
        | Body::CasAccepted { .. }
        | Body::Accepted { .. }
        | Body::Informed { .. }
        | Body::Collected { .. }
        | Body::Collecting { .. } => PHASE,
        Body::AskMap | Body::TellMap => 0,
    }
}

fn key(key: &Key) -> usize {
    2 + key.name.len()
}

fn tagged(tagged: &Tagged) -> usize {
    TAG + 3 + tagged.value.as_ref().map_or(0, bytes::Bytes::len)
}

fn configuration(configuration: &Configuration) -> usize {
    let quorums = match configuration.quorums() {
        Quorums::Majority => 1,
        Quorums::Grid { .. } => 2,
        Quorums::Thresholds { .. } | Quorums::Weighted { .. } => 3,
        Quorums::Explicit { reads, writes } => {
            reads.iter().chain(writes).map(|quorum| 1 + quorum.len()).sum::<usize>() + 3
        }
    };
    INDEX + 2 + 2 * configuration.members().len() + quorums
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use palco_rambo::{
        Ballot, ConfigurationMap, Cursor, Knowledge, NodeId, Phase, Tag, Version, Want,
    };

    use super::*;

    /// One of each kind, with numbers as they are in the middle of a run.
    fn samples() -> Vec<Message> {
        let phase = Phase { boot: 2, slot: 3, number: 9_000 };
        let tag = Tag { sequence: 400, node: NodeId(3), boot: 1, n: 250 };
        let held = Tagged { tag, value: Some(vec![7; 16].into()) };
        let one = Configuration::majority(3, (1..=5).map(NodeId)).expect("it can be");
        let ballot = Ballot { round: 1, node: NodeId(2), boot: 1 };
        let cursor = Cursor { boot: 1, since: 300, until: 4_000, position: 12 };
        let (name, one_arc) = (Key::register("k12"), Arc::new(one.clone()));
        let bodies = [
            Body::Query { phase, key: name.clone(), want: Want::Value },
            Body::Queried {
                phase,
                tag,
                value: Some(held.value.clone()),
                durable: true,
                confirmed: false,
            },
            Body::Propagate { phase, key: name.clone(), tagged: held.clone() },
            Body::Propagated { phase },
            Body::CasPrepare { phase, key: name.clone(), ballot: tag },
            Body::CasPromised { phase, accepted: held.clone(), voted: true },
            Body::CasAccept { phase, key: name.clone(), accept: held.clone() },
            Body::CasAccepted { phase },
            Body::CasRefused { phase, promised: tag },
            Body::Prepare { phase, index: 4, ballot },
            Body::Promised { phase, accepted: Some((ballot, Arc::clone(&one_arc))) },
            Body::Accept { phase, ballot, configuration: one_arc },
            Body::Accepted { phase },
            Body::Refused { phase, promised: ballot },
            Body::Inform { phase, target: 4 },
            Body::Informed { phase },
            Body::Collect { phase, target: 4 },
            Body::Collecting { phase },
            Body::Collected { phase },
            Body::Pull { phase, from: cursor },
            Body::Pulled {
                phase,
                from: cursor,
                registers: vec![(name, held.clone()); 40],
                then: cursor,
                last: true,
            },
            Body::AskMap,
            Body::TellMap,
        ];
        let map = Arc::new(Knowledge { map: ConfigurationMap::of(one), register: Some(held) });
        let version = Version { base: 3, end: 5 };
        bodies
            .into_iter()
            .flat_map(|body| {
                let with = Some(Arc::clone(&map));
                [None, with].map(|map| Message { version, map, body: body.clone() })
            })
            .collect()
    }

    #[test]
    fn estimates_are_close_to_what_is_encoded() {
        for message in samples() {
            let mut encoded = Vec::new();
            message.encode(&mut encoded);
            let (real, guessed) = (encoded.len() as u64, bytes_of(&message));
            let near = real.abs_diff(guessed) <= 3 + real / 10;
            assert!(near, "{real} bytes were guessed to be {guessed}: {message:?}");
        }
    }
}
