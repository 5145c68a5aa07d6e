//! Reading and writing through several nodes.

use libtest_mimic::Trial;
use palco_actors::PlaceKind;
use palco_rambo::{Command, Outcome, Step};
use palco_replica::{EnsembleOptions, Page, Registers};
use palco_threads::block_on;

use crate::house::{House, LIMIT, in_every_place, register};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = in_every_place("what one node writes every other reads", reads);
    trials.extend(in_every_place("counters count once for each change", counts));
    trials.extend(in_every_place("many commands at once are answered in their order", batches));
    trials.extend(in_every_place(
        "a minority answers that it does not know, and never lies",
        minority,
    ));
    trials.extend(in_every_place("who follows sees the quorum of each round", followed));
    trials.extend(in_every_place("every node tells what it holds", held));
    trials.push(Trial::test("keys are spread over shards, and scanned from all", || {
        shards();
        Ok(())
    }));
    trials
}

fn reads(house: House) {
    assert_eq!(house.read(0, "x"), None);
    house.write(0, "x", "1");
    for node in 0..3 {
        assert_eq!(house.read(node, "x"), Some("1".into()));
    }
    house.write(2, "x", "2");
    assert_eq!(house.read(1, "x"), Some("2".into()));
    house.close();
}

fn counts(house: House) {
    for round in 0..10 {
        for node in 0..3 {
            house.add(node, "n", round);
        }
    }
    assert_eq!(house.add(0, "n", 10), Some("31".into()));
    house.close();
}

fn batches(house: House) {
    let key = |number: usize| register(&number.to_string());
    let writes = (0..200).map(|n| Command::Write(key(n), Some(n.to_string().into()))).collect();
    let written = block_on(house.domain(0).run(writes, LIMIT));
    assert!(written.iter().all(|outcome| matches!(outcome, Outcome::Written(_))), "{written:?}");
    let reads = (0..200).map(|n| Command::Read(key(n))).collect();
    let read = block_on(house.domain(1).run(reads, LIMIT));
    for (n, outcome) in read.into_iter().enumerate() {
        let Outcome::Read(found) = outcome else { panic!("{outcome:?}") };
        assert_eq!(found.value, Some(n.to_string().into()));
    }
    house.close();
}

fn minority(house: House) {
    house.write(0, "x", "1");
    let others: Vec<_> = house.ensemble.nodes()[1..].iter().map(|node| node.id).collect();
    for node in &others {
        house.domain(0).cut(*node, true);
    }
    let within = std::time::Duration::from_millis(300);
    let commands =
        vec![Command::Read(register("x")), Command::Write(register("x"), Some("lost?".into()))];
    for outcome in block_on(house.domain(0).run(commands, within)) {
        assert!(matches!(outcome, Outcome::Failed(_) | Outcome::Unknown { .. }), "{outcome:?}");
    }
    house.write(1, "x", "2");
    for node in &others {
        house.domain(0).cut(*node, false);
    }
    assert_eq!(house.read(0, "x"), Some("2".into()));
    house.close();
}

fn shards() {
    let house = House::start(EnsembleOptions {
        place: PlaceKind::Thread,
        shards: 3,
        ..EnsembleOptions::default()
    });
    let mut keys: Vec<String> = (0..100).map(|n| format!("key {n}")).collect();
    keys.iter().for_each(|key| house.write(0, key, key));
    assert!(keys.iter().all(|key| house.read(1, key).as_deref() == Some(key.as_bytes())));
    let standings = block_on(house.domain(0).look());
    assert_eq!(standings.len(), 3);
    assert!(standings.iter().all(|standing| standing.registers > 10), "{standings:?}");
    let (mut found, mut from) = (Vec::new(), Some(0));
    while let Some(next) = from {
        let page: Page = block_on(house.domain(0).scan(next, 7));
        found.extend(page.keys.iter().map(|key| String::from_utf8_lossy(&key.name).into_owned()));
        from = page.next;
    }
    found.sort();
    keys.sort();
    assert_eq!(found, keys);
    house.reconfigure(1, &[1, 2]);
    assert!(keys.iter().all(|key| house.read(2, key).as_deref() == Some(key.as_bytes())));
    house.close();
}

fn followed(house: House) {
    let follow = |node: usize, command| block_on(house.domain(node).follow(command, LIMIT));
    let (outcome, trail) = follow(0, Command::Write(register("x"), Some("1".into())));
    assert!(matches!(outcome, Outcome::Written(_)), "{outcome:?}");
    let rounds = trail.expect("it was followed").rounds;
    assert_eq!(rounds.iter().map(|of| of.step).collect::<Vec<_>>(), [Step::Query, Step::Propagate]);
    for round in &rounds {
        assert!(round.has_quorum(&round.configurations[0]), "{round:?}");
    }

    // Cut off from the third, the first has to do with the second.
    let ids: Vec<_> = house.ensemble.nodes().iter().map(|node| node.id).collect();
    house.ensemble.cut(ids[0], ids[2], true);
    assert_eq!(house.ensemble.cuts(), [(ids[0], ids[2])]);
    let (_, trail) = follow(0, Command::Write(register("x"), Some("2".into())));
    for round in trail.expect("it was followed").rounds {
        assert!(!round.answered.contains(&ids[2]), "{round:?}");
        assert!(round.has_quorum(&round.configurations[0]), "{round:?}");
    }
    house.ensemble.cut(ids[0], ids[2], false);
    assert_eq!(house.ensemble.cuts(), []);
    house.close();
}

fn held(house: House) {
    house.write(1, "x", "four");
    let keys = [register("x"), register("y")];
    let mut holders = 0;
    for node in 0..3 {
        let held = block_on(house.domain(node).held(&keys));
        let [Some(x), Some(y)] = &held[..] else { panic!("{held:?}") };
        assert_eq!(y.value_bytes, None);
        holders += usize::from(x.value_bytes == Some(4) && x.tag.sequence == 1);
    }
    assert!(holders >= 2, "a quorum holds what was written: {holders}");

    let first = &house.ensemble.nodes()[0].replicas[0];
    first.stop();
    block_on(first.exited());
    assert_eq!(block_on(house.domain(0).held(&keys)), [None, None]);
    house.close();
}
