//! The sharded map and its limits.
//!
//! Keys and values are copied into allocations of their own before they are stored: a slice of a read buffer would
//! keep the whole buffer alive for as long as the key lives.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::Limits;

/// Number of shards: enough that threads seldom meet, few enough to lock them all.
const SHARDS: usize = 16;
/// What a key costs beside its bytes: two handles, a table slot, and the allocator's share; an estimate.
const ENTRY_OVERHEAD_BYTES: usize = 112;
/// Bytes of a key's end that choose its shard.
const SHARD_KEY_BYTES: usize = 16;

type Map = HashMap<Bytes, Bytes>;

/// A cache line of its own, so that threads on neighbouring shards do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(Mutex<Map>);

/// A write would exceed [`Limits::keys_max`] or [`Limits::store_bytes_max`]; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfMemory;

#[derive(Debug)]
pub(super) struct Store {
    shards: [Shard; SHARDS],
    keys: AtomicUsize,
    bytes: AtomicUsize,
    keys_max: usize,
    bytes_max: usize,
}

impl Store {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            shards: Default::default(),
            keys: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            keys_max: limits.keys_max,
            bytes_max: limits.store_bytes_max,
        }
    }

    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    /// Bytes of keys and values with their estimated overhead.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn value(&self, key: &[u8]) -> Option<Bytes> {
        self.shard(key).lock().get(key).cloned()
    }

    /// Applies `change` to the value of `key` atomically. `change` returns what to store instead, `None` for no
    /// change, and the result of this call.
    pub(super) fn update<R>(
        &self,
        key: &[u8],
        change: impl FnOnce(Option<&Bytes>) -> (Option<Bytes>, R),
    ) -> Result<R, OutOfMemory> {
        let mut map = self.shard(key).lock();
        if let Some(slot) = map.get_mut(key) {
            let (value, result) = change(Some(&*slot));
            let Some(value) = value else { return Ok(result) };
            self.reserve(0, value.len().saturating_sub(slot.len()))?;
            self.release(0, slot.len().saturating_sub(value.len()));
            let old = mem::replace(slot, value);
            drop(map);
            drop(old); // outside the lock: it may be the last handle to a large value
            Ok(result)
        } else {
            let (value, result) = change(None);
            if let Some(value) = value {
                self.reserve(1, entry_bytes(key, &value))?;
                map.insert(Bytes::copy_from_slice(key), value);
            }
            Ok(result)
        }
    }

    /// The values of `keys` at one moment.
    pub(super) fn values<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8]> + Clone,
    ) -> Vec<Option<Bytes>> {
        let shards = self.lock(keys.clone());
        keys.map(|key| shards.of(key).get(key).cloned()).collect()
    }

    /// How many of `keys` exist at one moment; a key named twice counts twice.
    pub(super) fn count<'k>(&self, keys: impl Iterator<Item = &'k [u8]> + Clone) -> usize {
        let shards = self.lock(keys.clone());
        keys.filter(|key| shards.of(key).contains_key(*key)).count()
    }

    /// Removes `keys` in one step; says how many there were.
    pub(super) fn remove<'k>(&self, keys: impl Iterator<Item = &'k [u8]> + Clone) -> usize {
        let mut removed = Vec::new();
        let mut shards = self.lock(keys.clone());
        for key in keys {
            if let Some((key, value)) = shards.of_mut(key).remove_entry(key) {
                self.release(1, entry_bytes(&key, &value));
                removed.push((key, value));
            }
        }
        drop(shards);
        removed.len()
    }

    /// Stores all `pairs` in one step, or none. Near the limit it may refuse a write that would just fit, because
    /// values that shrink do not make room for values that grow.
    pub(super) fn set_all<'k>(
        &self,
        pairs: impl Iterator<Item = (&'k [u8], &'k [u8])> + Clone,
    ) -> Result<(), OutOfMemory> {
        let mut shards = self.lock(pairs.clone().map(|(key, _)| key));
        let (mut keys, mut bytes) = (0, 0);
        for (key, value) in pairs.clone() {
            match shards.of(key).get(key) {
                Some(old) => bytes += value.len().saturating_sub(old.len()),
                None => (keys, bytes) = (keys + 1, bytes + entry_bytes(key, value)),
            }
        }
        // An upper bound: a key named twice counts twice. What is too much goes back below.
        self.reserve(keys, bytes)?;
        for (key, value) in pairs {
            let value = Bytes::copy_from_slice(value);
            let map = shards.of_mut(key);
            if let Some(slot) = map.get_mut(key) {
                bytes += slot.len();
                bytes = bytes.saturating_sub(value.len());
                *slot = value;
            } else {
                keys -= 1;
                bytes = bytes.saturating_sub(entry_bytes(key, &value));
                map.insert(Bytes::copy_from_slice(key), value);
            }
        }
        self.release(keys, bytes);
        Ok(())
    }

    /// Empties the store in one step; what was in it is for the caller to free.
    pub(super) fn clear(&self) -> impl Send + use<> {
        let mut shards: Vec<_> = self.shards.iter().map(|shard| shard.0.lock()).collect();
        let maps: Vec<Map> = shards.iter_mut().map(|map| mem::take(&mut **map)).collect();
        // Writers hold a lock while they count, so nobody is in between.
        self.keys.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        maps
    }

    fn reserve(&self, keys: usize, bytes: usize) -> Result<(), OutOfMemory> {
        take(&self.keys, keys, self.keys_max)?;
        take(&self.bytes, bytes, self.bytes_max).inspect_err(|_| self.release(keys, 0))
    }

    fn release(&self, keys: usize, bytes: usize) {
        if keys > 0 {
            self.keys.fetch_sub(keys, Ordering::Relaxed);
        }
        if bytes > 0 {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Map> {
        &self.shards[shard_of(key)].0
    }

    /// Locks the shards of `keys`, always in the same order.
    fn lock<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Locked<'_> {
        let mut needed = [false; SHARDS];
        for key in keys {
            needed[shard_of(key)] = true;
        }
        let mut locked = Locked { maps: [const { None }; SHARDS] };
        for (index, shard) in self.shards.iter().enumerate().filter(|(index, _)| needed[*index]) {
            locked.maps[index] = Some(shard.0.lock());
        }
        locked
    }
}

/// Some shards, locked together.
struct Locked<'a> {
    maps: [Option<MutexGuard<'a, Map>>; SHARDS],
}

impl Locked<'_> {
    fn of(&self, key: &[u8]) -> &Map {
        self.maps[shard_of(key)].as_ref().expect("the shards of all keys are locked")
    }

    fn of_mut(&mut self, key: &[u8]) -> &mut Map {
        self.maps[shard_of(key)].as_mut().expect("the shards of all keys are locked")
    }
}

fn entry_bytes(key: &[u8], value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_OVERHEAD_BYTES
}

/// Adds to a counter unless it would pass `max`.
fn take(counter: &AtomicUsize, amount: usize, max: usize) -> Result<(), OutOfMemory> {
    if amount == 0 {
        return Ok(());
    }
    let added = |now: usize| now.checked_add(amount).filter(|sum| *sum <= max);
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, added)
        .map(drop)
        .map_err(|_| OutOfMemory)
}

/// FNV-1a over the key's end. A client that aims all its keys at one shard only slows itself and its like down.
fn shard_of(key: &[u8]) -> usize {
    let end = &key[key.len().saturating_sub(SHARD_KEY_BYTES)..];
    let hash = end
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn counted(store: &Store) -> (usize, usize) {
        let mut sum = (0, 0);
        for shard in &store.shards {
            for (key, value) in shard.0.lock().iter() {
                sum = (sum.0 + 1, sum.1 + entry_bytes(key, value));
            }
        }
        sum
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u8, usize),
        SetAll(Vec<(u8, usize)>),
        Remove(Vec<u8>),
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let pair = || (0_u8..12, 0_usize..200);
        let step = prop_oneof![
            4 => pair().prop_map(|(key, length)| Step::Set(key, length)),
            2 => prop::collection::vec(pair(), 1..6).prop_map(Step::SetAll),
            2 => prop::collection::vec(0_u8..12, 1..4).prop_map(Step::Remove),
            1 => Just(Step::Clear),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn counts_are_those_of_the_contents_and_stay_within_the_limits(steps in steps()) {
            let limits = Limits { keys_max: 8, store_bytes_max: 1500, ..Limits::default() };
            let store = Store::new(&limits);
            let mut model: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
            for step in steps {
                match step {
                    Step::Set(key, length) => {
                        let value = Bytes::from(vec![key; length]);
                        if store.update(&[key], |_| (Some(value.clone()), ())).is_ok() {
                            model.insert(vec![key], value.to_vec());
                        }
                    }
                    Step::SetAll(pairs) => {
                        let pairs: Vec<_> =
                            pairs.into_iter().map(|(key, length)| (vec![key], vec![key; length])).collect();
                        let slices = pairs.iter().map(|(key, value)| (&key[..], &value[..]));
                        if store.set_all(slices).is_ok() {
                            model.extend(pairs);
                        }
                    }
                    Step::Remove(keys) => {
                        let removed = store.remove(keys.iter().map(std::slice::from_ref));
                        let before = model.len();
                        model.retain(|key, _| !keys.contains(&key[0]));
                        prop_assert_eq!(removed, before - model.len());
                    }
                    Step::Clear => {
                        drop(store.clear());
                        model.clear();
                    }
                }
                prop_assert_eq!(counted(&store), (store.len(), store.bytes()));
                prop_assert!(store.len() <= 8 && store.bytes() <= 1500);
                prop_assert_eq!(store.len(), model.len());
                for (key, value) in &model {
                    prop_assert_eq!(store.value(key), Some(Bytes::copy_from_slice(value)));
                }
            }
        }
    }

    #[test]
    fn writes_of_several_keys_are_seen_together_or_not_at_all() {
        const ROUNDS: u32 = 2000;
        let store = Store::new(&Limits::default());
        let keys: [&[u8]; 3] = [b"one", b"two", b"three"];
        std::thread::scope(|scope| {
            for writer in 0..2_u32 {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let value = (2 * round + writer).to_be_bytes();
                        // Named in different orders, which must not matter to the locks.
                        let mut pairs = keys.map(|key| (key, &value[..]));
                        pairs.rotate_left(writer as usize);
                        store.set_all(pairs.into_iter()).unwrap();
                    }
                });
            }
            for _ in 0..ROUNDS {
                let values = store.values(keys.into_iter());
                assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
            }
        });
        assert_eq!(counted(&store), (store.len(), store.bytes()));
    }
}
