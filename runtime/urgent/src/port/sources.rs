//! Who has shown wrong keys: a token bucket for each address, as a virtual schedule (GCRA, ITU-T I.371). No clock.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// So many wrong keys may come at once.
const BURST: u32 = 16;
/// And one more each.
const EACH: Duration = Duration::from_millis(250);
/// So many addresses are remembered.
const SOURCES_MAX: usize = 1024;
/// An address is written to the log no more often.
const LOG_EACH: Duration = Duration::from_secs(60);

/// Whether a wrong key is to be written to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    Write,
    Quiet,
}

/// The addresses that have shown wrong keys.
#[derive(Debug, Default)]
pub(crate) struct Sources(HashMap<IpAddr, Source>);

#[derive(Debug)]
struct Source {
    /// When all its tokens are back.
    forgiven: Instant,
    logged: Instant,
}

impl Sources {
    /// How long nothing is looked at that comes from there; `None` when it has a token.
    pub(crate) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let source = self.0.get(&network(address))?;
        let debt = source.forgiven.saturating_duration_since(now);
        debt.checked_sub(EACH * (BURST - 1)).filter(|wait| !wait.is_zero())
    }

    /// A wrong key costs a token.
    pub(crate) fn note_wrong_key(&mut self, address: IpAddr, now: Instant) -> Log {
        let network = network(address);
        if let Some(source) = self.0.get_mut(&network) {
            source.forgiven = source.forgiven.max(now) + EACH;
            if now.saturating_duration_since(source.logged) < LOG_EACH {
                return Log::Quiet;
            }
            source.logged = now;
            return Log::Write;
        }
        if self.0.len() >= SOURCES_MAX {
            self.forget_one();
        }
        self.0.insert(network, Source { forgiven: now + EACH, logged: now });
        Log::Write
    }

    /// The one that is forgiven first, since that costs least.
    fn forget_one(&mut self) {
        let first = self.0.iter().min_by_key(|(_, source)| source.forgiven);
        if let Some(first) = first.map(|(network, _)| *network) {
            self.0.remove(&first);
        }
    }
}

/// Who has one IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn sixteen_wrong_keys_pass_and_then_four_each_second() {
        let (mut sources, now) = (Sources::default(), Instant::now());
        for count in 0..BURST {
            assert_eq!(sources.wait(at(1), now), None);
            let log = sources.note_wrong_key(at(1), now);
            assert_eq!(log == Log::Write, count == 0);
        }
        assert_eq!(sources.wait(at(1), now), Some(EACH));
        assert_eq!(sources.wait(at(2), now), None);
        assert_eq!(sources.wait(at(1), now + EACH), None);
        sources.note_wrong_key(at(1), now + EACH);
        assert_eq!(sources.wait(at(1), now + EACH), Some(EACH));
        assert_eq!(sources.note_wrong_key(at(1), now + LOG_EACH), Log::Write);
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let (mut sources, now) = (Sources::default(), Instant::now());
        for _ in 0..BURST {
            sources.note_wrong_key(at(0), now);
        }
        for n in 1..5000 {
            sources.note_wrong_key(at(n), now);
            assert!(sources.0.len() <= SOURCES_MAX);
        }
        assert_eq!(sources.wait(at(0), now), Some(EACH));
    }

    #[test]
    fn addresses_of_one_owner_are_one() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
    }
}
