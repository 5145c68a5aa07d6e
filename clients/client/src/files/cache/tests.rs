//! The cache against a list that is searched from its end.

use proptest::prelude::*;

use super::*;

const BYTES_MAX: usize = 8 * (BLOCK_OVERHEAD_BYTES + 64);

/// What the cache should hold, the least recently used first.
#[derive(Debug, Default)]
struct Model(Vec<(String, u64, u64, Vec<u8>)>);

impl Model {
    fn get(&mut self, path: &str, version: u64, number: u64) -> Option<Vec<u8>> {
        let at =
            self.0.iter().position(|held| (&*held.0, held.1, held.2) == (path, version, number))?;
        let held = self.0.remove(at);
        self.0.push(held.clone());
        Some(held.3)
    }

    fn insert(&mut self, path: &str, version: u64, number: u64, bytes: Vec<u8>) {
        self.0.retain(|held| held.0 != path || (held.1 == version && held.2 != number));
        if bytes.len() + BLOCK_OVERHEAD_BYTES > BYTES_MAX {
            return;
        }
        self.0.push((path.to_owned(), version, number, bytes));
        while self.bytes() > BYTES_MAX {
            self.0.remove(0);
        }
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|held| held.3.len() + BLOCK_OVERHEAD_BYTES).sum()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Get(u8, u64, u64),
    Insert(u8, u64, u64, usize),
    Forget(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0_u8..3, 0_u64..3, 0_u64..6);
    prop_oneof![
        4 => place().prop_map(|(path, version, number)| Step::Get(path, version, number)),
        4 => (place(), 0_usize..200).prop_map(|((path, version, number), length)| {
            Step::Insert(path, version / 2, number, length)
        }),
        1 => (place(), Just(BYTES_MAX)).prop_map(|((path, version, number), length)| {
            Step::Insert(path, version, number, length)
        }),
        1 => (0_u8..3).prop_map(Step::Forget),
    ]
}

proptest! {
    #[test]
    fn it_holds_what_the_model_holds(steps in prop::collection::vec(step(), 1..200)) {
        let (mut cache, mut model) = (BlockCache::new(BYTES_MAX), Model::default());
        for (count, step) in steps.into_iter().enumerate() {
            match step {
                Step::Get(path, version, number) => {
                    let path = path.to_string();
                    let there = cache.has(&path, &Version::of_number(version), number);
                    let found = cache.get(&path, &Version::of_number(version), number);
                    prop_assert_eq!(there, found.is_some());
                    let due = model.get(&path, version, number);
                    prop_assert_eq!(found.map(|found| found.bytes.to_vec()), due);
                }
                Step::Insert(path, version, number, length) => {
                    let (path, bytes) = (path.to_string(), vec![count as u8; length]);
                    let name = Arc::from(&*path);
                    let kept = Bytes::from(bytes.clone());
                    cache.insert(&name, &Version::of_number(version), number, kept, false);
                    model.insert(&path, version, number, bytes);
                }
                Step::Forget(path) => {
                    cache.forget(&path.to_string());
                    model.0.retain(|held| held.0 != path.to_string());
                }
            }
            prop_assert_eq!(cache.bytes(), model.bytes());
            prop_assert!(cache.bytes() <= BYTES_MAX);
            prop_assert_eq!(cache.order.len(), model.0.len());
            let held: usize = cache.files.values().map(|file| file.blocks.len()).sum();
            prop_assert_eq!(held, model.0.len());
        }
    }
}

#[test]
fn a_block_read_ahead_is_used_once() {
    let (mut cache, path) = (BlockCache::new(BYTES_MAX), Arc::from("a"));
    cache.insert(&path, &Version::of_number(1), 0, Bytes::from_static(b"x"), true);
    assert!(cache.get("a", &Version::of_number(1), 0).unwrap().was_ahead);
    assert!(!cache.get("a", &Version::of_number(1), 0).unwrap().was_ahead);
}
