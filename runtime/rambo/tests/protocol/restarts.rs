//! Coming back.

use std::time::Duration;

use palco_rambo::{Configuration, Outcome, Participant, RestoreError, Settings, Storage};

use super::cluster::{Cluster, n, x};

#[test]
fn who_comes_back_has_another_life_and_all_it_stored() {
    let mut cluster = Cluster::three_of_five();
    cluster.write(1, "kept");
    let held = cluster.nodes[&n(2)].held(&x());
    cluster.restart(2);
    assert_eq!(cluster.nodes[&n(2)].boot(), 2);
    assert_eq!(cluster.nodes[&n(2)].held(&x()), held);
    cluster.off.insert(n(3));
    cluster.write(2, "new");
    assert_eq!(
        cluster.nodes[&n(2)].held(&x()).tag.boot,
        2,
        "its tags are not those of its first life"
    );
    assert_eq!(cluster.read(1).0, Some("new".into()));
}

#[test]
fn a_snapshot_makes_the_same_participant_as_the_log() {
    let mut cluster = Cluster::three_of_five();
    cluster.write(1, "a");
    cluster.write(2, "b");
    cluster.reconfigure(3, 0, &[1, 2, 4]);
    let log = cluster.log(1).to_vec();
    let short: Vec<_> = cluster.nodes[&n(1)].snapshot().collect();
    assert!(short.len() < log.len());
    let restore = |log| Participant::restore(Settings::new(n(1)), log, &mut Vec::new()).unwrap();
    let (long, short): (Participant, Participant) = (restore(log), restore(short));
    assert_eq!(long.map(), short.map());
    assert_eq!(long.boot(), short.boot());
    assert!(long.registers().eq(short.registers()));
}

#[test]
fn a_log_of_nobody_or_of_somebody_else_makes_no_participant() {
    let cluster = Cluster::three_of_five();
    let restore = |settings: Settings, node: u64| {
        let log = if node == 0 { &[] } else { cluster.log(node) };
        Participant::restore(settings, log.to_vec(), &mut Vec::new()).map(drop)
    };
    assert_eq!(restore(Settings::new(n(1)), 0), Err(RestoreError::Empty(n(1))));
    let foreign = RestoreError::Foreign { found: n(2), wanted: n(1) };
    assert_eq!(restore(Settings::new(n(1)), 2), Err(foreign));
    let memory = Settings { storage: Storage::Memory, ..Settings::new(n(1)) };
    assert_eq!(restore(memory, 1), Err(RestoreError::Memory(n(1))));
}

#[test]
fn members_that_store_nothing_serve_as_long_as_they_live() {
    let settings = |node| Settings { storage: Storage::Memory, ..Settings::new(node) };
    let first = Configuration::majority(0, [1, 2, 3].map(n)).unwrap();
    let mut cluster = Cluster::new(5, &first, settings);
    cluster.write(1, "a");
    assert!(matches!(cluster.reconfigure(2, 0, &[3, 4, 5]), Outcome::Reconfigured(_)));
    assert_eq!(cluster.read(1).0, Some("a".into()));
    cluster.pass(Duration::from_secs(5));
}
