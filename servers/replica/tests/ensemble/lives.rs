//! Members come and go, and lives end.

use std::path::Path;

use libtest_mimic::Trial;
use palco_actors::{PlaceKind, Signal};
use palco_replica::{EnsembleOptions, Registers};
use palco_threads::block_on;

use crate::house::{House, in_every_place};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials =
        in_every_place("all members are replaced in one step, and nothing is lost", replaced);
    trials.extend(in_every_place("one of three may end", one_ends));
    for place in PlaceKind::OF_THIS_MACHINE {
        for (name, body) in [
            ("all come back and know everything", comes_back as fn(PlaceKind)),
            ("who has lost its directory comes back as somebody else", wiped),
            ("killed again and again, nothing is lost", killed_again_and_again),
        ] {
            trials.push(Trial::test(format!("{place}, on disk: {name}"), move || {
                body(place);
                Ok(())
            }));
        }
    }
    trials
}

fn replaced(house: House) {
    house.write(0, "x", "1");
    house.add(0, "n", 0);
    for _ in 0..3 {
        house.ensemble.add().expect("a node starts");
    }
    house.reconfigure(3, &[4, 5, 6]);
    for node in &house.ensemble.nodes()[..3] {
        node.replicas[0].stop();
        block_on(node.replicas[0].exited());
    }
    for node in 3..6 {
        assert_eq!(house.read(node, "x"), Some("1".into()));
    }
    house.write(4, "x", "2");
    assert_eq!(house.read(5, "x"), Some("2".into()));
    assert_eq!(house.add(3, "n", 0), Some("2".into()));
    house.close();
}

fn one_ends(house: House) {
    house.write(0, "x", "1");
    let first = &house.ensemble.nodes()[0].replicas[0];
    first.stop();
    block_on(first.exited());
    assert_eq!(house.read(1, "x"), Some("1".into()));
    house.write(2, "x", "2");
    assert_eq!(house.read(1, "x"), Some("2".into()));
    house.close();
}

/// An ensemble with directories, in a place.
fn on_disk(place: PlaceKind, directory: &Path) -> House {
    let directory = Some(directory.to_owned());
    House::start(EnsembleOptions { place, directory, ..EnsembleOptions::default() })
}

fn comes_back(place: PlaceKind) {
    let directory = tempfile::tempdir().expect("a directory");
    let house = on_disk(place, directory.path());
    house.write(0, "x", "1");
    house.add(0, "n", 0);
    let ids: Vec<_> = house.ensemble.nodes().iter().map(|node| node.id).collect();
    house.close();

    let house = on_disk(place, directory.path());
    let back: Vec<_> = house.ensemble.nodes().iter().map(|node| node.id).collect();
    assert_eq!(back, ids);
    assert_eq!(house.read(1, "x"), Some("1".into()));
    assert_eq!(house.add(2, "n", 0), Some("2".into()));
    let standings = block_on(house.domain(0).look());
    assert_eq!(standings[0].boot, 2, "a life is counted");
    house.close();
}

fn wiped(place: PlaceKind) {
    let directory = tempfile::tempdir().expect("a directory");
    let house = on_disk(place, directory.path());
    house.write(0, "x", "1");
    let before = house.ensemble.nodes()[0].id;
    house.close();

    std::fs::remove_dir_all(directory.path().join("n1")).expect("it is there");
    let house = on_disk(place, directory.path());
    let first = house.ensemble.nodes()[0].id;
    assert_ne!(first, before, "who has lost everything is somebody else");
    house.reconfigure_to(1, &[first, house.ensemble.nodes()[1].id, house.ensemble.nodes()[2].id]);
    assert_eq!(house.read(0, "x"), Some("1".into()));
    house.close();
}

fn killed_again_and_again(place: PlaceKind) {
    let directory = tempfile::tempdir().expect("a directory");
    let house = on_disk(place, directory.path());
    for round in 0..5_u64 {
        let victim = &house.ensemble.nodes()[usize::try_from(round % 3).expect("small")];
        house.write(1, "x", &round.to_string());
        let lives = victim.replicas[0].any().snapshot().restarts;
        victim.replicas[0].any().signal(Signal::Kill);
        while victim.replicas[0].any().snapshot().restarts == lives {
            std::thread::yield_now();
        }
        assert_eq!(house.read(2, "x"), Some(round.to_string().into()));
    }
    house.close();
}
