//! Who comes back, who does not, and who is refused.

use std::os::unix::fs::PermissionsExt;

use palco_rambo::Record;

use super::*;
use crate::storage::OpenError;

fn open(path: &Path) -> Result<Home, HomeError> {
    Home::open(path, "test", 2)
}

/// Opens the logs as a node would, and begins a life in each.
fn live(home: &Home) -> u64 {
    let mut records = 0;
    for shard in 0..home.shards() {
        let owner = home.owner(shard);
        let reading = Log::open(home.medium(shard).unwrap(), owner, Limits::default()).unwrap();
        let (mut log, recovered) = reading.finish().unwrap();
        records += recovered.records;
        log.append(&Record::Began { node: owner.node, boot: 1 }).unwrap();
        log.close().unwrap();
    }
    records
}

#[test]
fn a_node_comes_back_as_who_it_was() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a/b");
    let home = open(&path).unwrap();
    assert_eq!(home.arrival(), &Arrival::New);
    let (peer, node) = (home.peer(), home.node());
    assert!(format!("{peer:?}").contains(&format!("{:x}", node.0)));
    assert_eq!(live(&home), 0);
    let mode = fs::metadata(path.join("data/node.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(home);
    for lives in 1..3 {
        let home = open(&path).unwrap();
        assert_eq!((home.arrival(), home.peer()), (&Arrival::Returned, peer));
        assert_eq!(live(&home), 2 * lives);
    }
}

#[test]
fn a_directory_in_use_is_refused_and_its_holder_named() {
    let place = tempfile::tempdir().unwrap();
    let home = open(place.path()).unwrap();
    let error = open(place.path()).unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(home);
    open(place.path()).unwrap();
}

#[test]
fn another_cluster_or_number_of_shards_is_refused() {
    let place = tempfile::tempdir().unwrap();
    drop(open(place.path()).unwrap());
    let error = Home::open(place.path(), "other", 2).unwrap_err();
    assert!(matches!(error, HomeError::Cluster { .. }), "{error}");
    let error = Home::open(place.path(), "test", 3).unwrap_err();
    assert!(matches!(error, HomeError::Shards { found: 2, wanted: 3, .. }), "{error}");
    assert!(matches!(Home::open(place.path(), "test", 0), Err(HomeError::Count(0))));
    assert_eq!(open(place.path()).unwrap().arrival(), &Arrival::Returned);
}

/// Lives once, is changed, and must be somebody new, with what it was kept aside.
fn is_foreign(change: impl FnOnce(&Path, &Path), expected: impl FnOnce(&Why) -> bool) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let home = open(place.path()).expect("a fresh one");
    let before = home.peer();
    live(&home);
    drop(home);
    let other = tempfile::tempdir().expect("a temporary directory");
    live(&open(other.path()).expect("a fresh one"));
    change(&place.path().join("data"), &other.path().join("data"));
    let home = open(place.path()).expect("it begins anew");
    let Arrival::Foreign { moved_to, why } = home.arrival() else { panic!("{:?}", home.arrival()) };
    assert!(expected(why), "{why}");
    assert!(moved_to.is_dir() && home.arrival().to_string().contains("foreign-"));
    assert_ne!(home.peer(), before);
    assert_eq!(live(&home), 0, "nothing of it is used");
    drop(home);
    let again = open(place.path()).expect("its own");
    assert_eq!(again.arrival(), &Arrival::Returned);
}

#[test]
fn who_lost_its_key_or_its_log_is_somebody_new() {
    is_foreign(
        |data, _| fs::remove_file(data.join("node.key")).unwrap(),
        |why| *why == Why::Missing("node.key".into()),
    );
    is_foreign(
        |data, _| fs::remove_file(data.join("node.toml")).unwrap(),
        |why| *why == Why::Missing("node.toml".into()),
    );
    is_foreign(
        |data, _| fs::write(data.join("node.key"), "short").unwrap(),
        |why| *why == Why::Key,
    );
    is_foreign(
        |data, _| fs::remove_dir_all(data.join("shard-00001")).unwrap(),
        |why| *why == Why::Log(1),
    );
    is_foreign(
        |data, _| {
            for entry in fs::read_dir(data.join("shard-00000")).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
        },
        |why| *why == Why::Log(0),
    );
}

#[test]
fn who_has_anothers_key_or_log_is_somebody_new() {
    is_foreign(
        |data, other| fs::rename(other.join("node.key"), data.join("node.key")).unwrap(),
        |why| matches!(why, Why::OtherKey { .. }),
    );
    is_foreign(
        |data, other| {
            fs::remove_dir_all(data.join("shard-00001")).unwrap();
            fs::rename(other.join("shard-00001"), data.join("shard-00001")).unwrap();
        },
        |why| matches!(why, Why::OtherNode { shard: 1, .. }),
    );
}

#[test]
fn shards_that_changed_places_are_told() {
    let place = tempfile::tempdir().unwrap();
    let home = open(place.path()).unwrap();
    let data = place.path().join("data");
    fs::rename(data.join("shard-00000"), data.join("x")).unwrap();
    fs::rename(data.join("shard-00001"), data.join("shard-00000")).unwrap();
    let reading = Log::open(home.medium(0).unwrap(), home.owner(0), Limits::default()).unwrap();
    let error = reading.finish().unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
}

#[test]
fn an_identity_that_was_not_finished_is_none() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir_all(place.path().join("new/shard-00000")).unwrap();
    fs::write(place.path().join("new/node.key"), [7; 32]).unwrap();
    let home = open(place.path()).unwrap();
    assert_eq!(home.arrival(), &Arrival::New);
    assert!(!place.path().join("new").exists());
    assert_ne!(home.key().secret(), [7; 32]);
}
