//! Under which names changes are applied once: those of clients, and those of this gateway.

use std::io;

use palco_rambo::{Key, OperationId};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// Bytes of an idempotency key, at most.
pub(crate) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Names for changes that bring none. A name whose change is through is used again with the next number: a register
/// remembers few names, and forgets the less the fewer there are.
#[derive(Debug, Default)]
pub struct Identities {
    idle: Mutex<Vec<OperationId>>,
}

/// A name that is in use.
#[derive(Debug)]
pub struct Lent<'a> {
    from: &'a Identities,
    id: OperationId,
}

impl Identities {
    /// A name that no change under way has.
    ///
    /// # Errors
    /// The kernel has no randomness to give.
    pub fn lend(&self) -> io::Result<Lent<'_>> {
        let idle = self.idle.lock().pop();
        let id = match idle {
            Some(id) => id,
            None => OperationId { client: getrandom::u64()?, number: 1 },
        };
        Ok(Lent { from: self, id })
    }
}

impl Lent<'_> {
    /// The name, and the number of the change.
    #[must_use]
    pub fn id(&self) -> OperationId {
        self.id
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let next = OperationId { number: self.id.number + 1, ..self.id };
        self.from.idle.lock().push(next);
    }
}

/// The name that an idempotency key gives to a change of this register: the same at every gateway.
pub(crate) fn named(key: &Key, idempotency_key: &[u8]) -> OperationId {
    let digest = Sha256::new()
        .chain_update(b"palco idempotency key")
        .chain_update((key.name.len() as u64).to_be_bytes())
        .chain_update(&key.name)
        .chain_update(idempotency_key)
        .finalize();
    let number = |at: usize| {
        digest[at..at + 8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    };
    OperationId { client: number(0), number: number(8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_used_again_with_the_next_number_and_never_twice_at_once() {
        let identities = Identities::default();
        let first = identities.lend().unwrap();
        let second = identities.lend().unwrap();
        assert_ne!(first.id().client, second.id().client);
        let was = first.id();
        drop(first);
        let third = identities.lend().unwrap().id();
        assert_eq!(third, OperationId { client: was.client, number: 2 });
    }

    #[test]
    fn an_idempotency_key_names_one_change_of_one_register() {
        let (x, y) = (Key::cas("cas:x"), Key::cas("cas:y"));
        assert_eq!(named(&x, b"1"), named(&x, b"1"));
        let ids =
            [named(&x, b"1"), named(&x, b"2"), named(&y, b"1"), named(&Key::cas("cas:"), b"x1")];
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].iter().any(|other| other.client == id.client));
        }
    }
}
