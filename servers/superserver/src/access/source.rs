//! A word of `only_from` or `no_access`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::Name;

/// Which clients a word of xinetd.conf(5) means.
///
/// | word | clients |
/// |---|---|
/// | `10.1.0.0` | zeros on the right stand for anything: these are all of 10.1; `0.0.0.0` is all of IPv4, `::` all of IPv6 |
/// | `10.1.2.{3,4}`, `10.1.{2,3}` | those of 10.1.2.3 and 10.1.2.4; those of 10.1.2 and 10.1.3 |
/// | `10.1.2.0/23`, `fd00::/8` | those whose first bits are the same |
/// | `www.example.org` | the address with this name |
/// | `.example.org` | addresses with names that end so |
///
/// An IPv4 client of an IPv6 socket (`::ffff:10.1.2.3`) is an IPv4 client. A name counts only if it leads back to the
/// address, which is stricter than xinetd. Names of networks (`/etc/networks`) are not known: they are taken for names of
/// hosts.
///
/// Two are equal if they mean the same.
#[derive(Clone, Debug)]
pub struct Source {
    word: String,
    means: Means,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Means {
    /// One of these networks, each with as many bits.
    Nets(Vec<IpAddr>, u8),
    Host(String),
    /// With its leading dot.
    Domain(String),
}

/// How good a match is: bits of IPv6, of which an IPv4 address has the first 96.
pub(super) type Rank = u8;

const V4_RANK: Rank = 96;
const HOST_RANK: Rank = 128;
/// Better than any network, less than a host.
const DOMAIN_RANK: Rank = 127;

impl Source {
    /// Whether it cannot be compared without the client's name.
    pub(super) fn needs_name(&self) -> bool {
        match self.means {
            Means::Nets(..) => false,
            Means::Host(_) | Means::Domain(_) => true,
        }
    }

    /// How well it matches a canonical address; `None` is not at all.
    pub(super) fn rank(&self, peer: IpAddr, name: Option<&Name>) -> Option<Rank> {
        let name = || match name {
            Some(Name::Known(name)) => Some(name.as_str()),
            Some(Name::Unknown | Name::Paranoid) | None => None,
        };
        match &self.means {
            Means::Nets(nets, bits) => {
                let found = nets.contains(&masked(peer, *bits)?);
                let first = if peer.is_ipv4() { V4_RANK } else { 0 };
                found.then_some(first + bits)
            }
            Means::Host(host) => name()?.eq_ignore_ascii_case(host).then_some(HOST_RANK),
            Means::Domain(domain) => {
                let name = name()?;
                let end = name.len().checked_sub(domain.len()).and_then(|at| name.get(at..))?;
                end.eq_ignore_ascii_case(domain).then_some(DOMAIN_RANK)
            }
        }
    }
}

/// The address with nothing but its first bits; `None` if it has not as many.
fn masked(address: IpAddr, bits: u8) -> Option<IpAddr> {
    let bits = u32::from(bits);
    Some(match address {
        IpAddr::V4(v4) => {
            let rest = 32_u32.checked_sub(bits)?;
            Ipv4Addr::from_bits(v4.to_bits() & u32::MAX.checked_shl(rest).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            let rest = 128_u32.checked_sub(bits)?;
            Ipv6Addr::from_bits(v6.to_bits() & u128::MAX.checked_shl(rest).unwrap_or(0)).into()
        }
    })
}

impl FromStr for Source {
    type Err = String;

    /// Reads one word. The error says what is wrong with it.
    fn from_str(word: &str) -> Result<Self, String> {
        let means = if word.contains('{') {
            factorised(word)
        } else if let Some((address, bits)) = word.split_once('/') {
            network(address, bits)
        } else if let Ok(address) = word.parse::<IpAddr>() {
            Some(Means::Nets(vec![address.to_canonical()], wild_bits(address.to_canonical())))
        } else {
            named(word)
        };
        let means = means.ok_or_else(|| {
            format!("`{word}` is neither an address, nor a network like `10.1.0.0/16`, nor a name")
        })?;
        Ok(Self { word: word.to_owned(), means })
    }
}

/// How many bits an address without a mask stands for.
fn wild_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(v4) => {
            let wild = v4.octets().iter().rev().take_while(|octet| **octet == 0).count();
            32 - 8 * u8::try_from(wild).expect("an address has four octets")
        }
        IpAddr::V6(v6) if v6.is_unspecified() => 0,
        IpAddr::V6(_) => 128,
    }
}

fn network(address: &str, bits: &str) -> Option<Means> {
    let written = address.parse::<IpAddr>().ok()?;
    let address = written.to_canonical();
    let bits = if bits.bytes().all(|b| b.is_ascii_digit()) {
        bits.parse::<u8>().ok()?
    } else {
        return None;
    };
    // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
    let bits =
        if written.is_ipv6() && address.is_ipv4() { bits.checked_sub(V4_RANK)? } else { bits };
    Some(Means::Nets(vec![masked(address, bits)?], bits))
}

/// `1.2.3.{4,5}`: what is in braces is the last of two to four numbers.
fn factorised(word: &str) -> Option<Means> {
    let (fixed, choices) = word.strip_suffix('}')?.split_once(".{")?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u8>().ok()).flatten()
    };
    let fixed: Vec<u8> = fixed.split('.').map(number).collect::<Option<_>>()?;
    let mut octets = [0; 4];
    octets.get_mut(..fixed.len())?.copy_from_slice(&fixed);
    octets.get(fixed.len())?;
    let net = |choice: &str| {
        let mut octets = octets;
        octets[fixed.len()] = number(choice)?;
        Some(IpAddr::from(octets))
    };
    let nets = choices.split(',').map(net).collect::<Option<Vec<_>>>()?;
    Some(Means::Nets(nets, 8 * u8::try_from(fixed.len() + 1).ok()?))
}

/// A name has a letter, and nothing that none has.
fn named(word: &str) -> Option<Means> {
    let fits = word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let is_name = fits && word.bytes().any(|b| b.is_ascii_alphabetic()) && !word.contains("..");
    is_name.then(|| match word.starts_with('.') {
        true => Means::Domain(word.to_owned()),
        false => Means::Host(word.to_owned()),
    })
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.means == other.means
    }
}

impl Eq for Source {}

impl fmt::Display for Source {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(word: &str, peer: &str) -> Option<Rank> {
        let source: Source = word.parse().unwrap();
        assert_eq!(source.to_string(), word);
        source.rank(peer.parse::<IpAddr>().unwrap().to_canonical(), None)
    }

    fn named_rank(word: &str, name: &str) -> Option<Rank> {
        let source: Source = word.parse().unwrap();
        source.rank(IpAddr::from([10, 0, 0, 1]), Some(&Name::Known(name.to_owned())))
    }

    #[test]
    fn zeros_on_the_right_stand_for_anything() {
        assert_eq!(rank("10.0.0.0", "10.9.8.7"), Some(96 + 8));
        assert_eq!(rank("10.0.0.0", "11.9.8.7"), None);
        assert_eq!(rank("10.0.0.1", "10.0.0.1"), Some(128));
        assert_eq!(rank("10.0.0.1", "10.0.0.2"), None);
        assert_eq!(rank("10.0.7.0", "10.0.7.2"), Some(96 + 24));
        assert_eq!(rank("0.0.0.0", "1.2.3.4"), Some(96));
        assert_eq!(rank("0.0.0.0", "::1"), None);
        assert_eq!(rank("::", "::1"), Some(0));
        assert_eq!(rank("fd00::", "fd00::1"), None);
    }

    #[test]
    fn braces_list_the_last_number() {
        assert_eq!(rank("10.1.2.{3,40}", "10.1.2.40"), Some(128));
        assert_eq!(rank("10.1.2.{3,40}", "10.1.2.4"), None);
        assert_eq!(rank("10.1.{2,3}", "10.1.3.9"), Some(96 + 24));
        assert_eq!(rank("10.1.{2,3}", "10.1.4.9"), None);
    }

    #[test]
    fn networks_are_their_first_bits() {
        assert_eq!(rank("10.1.2.0/23", "10.1.3.255"), Some(96 + 23));
        assert_eq!(rank("10.1.2.0/32", "10.1.2.1"), None);
        assert_eq!(rank("1.2.3.4/0", "9.9.9.9"), Some(96));
        assert_eq!(rank("fd00::/8", "fdff::1"), Some(8));
        assert_eq!(rank("fd00::/8", "fe00::1"), None);
        assert_eq!(rank("::/0", "::1"), Some(0));
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        assert_eq!(rank("10.0.0.0", "::ffff:10.2.3.4"), Some(104));
        assert_eq!(rank("::ffff:10.0.0.0/104", "10.2.3.4"), Some(104));
        assert_eq!(rank("::ffff:10.2.3.4", "10.2.3.4"), Some(128));
        assert_eq!(rank("::/0", "10.2.3.4"), None);
    }

    #[test]
    fn names_are_compared_without_case_and_domains_with_their_dot() {
        assert_eq!(named_rank("www.Example.org", "WWW.example.org"), Some(HOST_RANK));
        assert_eq!(named_rank(".example.org", "www.Example.org"), Some(DOMAIN_RANK));
        assert_eq!(named_rank(".example.org", "example.org"), None);
        assert_eq!(named_rank(".example.org", "badexample.org"), None);
        assert_eq!(rank("www.example.org", "10.0.0.1"), None);
    }

    #[test]
    fn equal_meanings_are_equal() {
        assert_eq!("10.0.0.0".parse::<Source>(), "10.1.2.3/8".parse());
        assert_ne!("10.0.0.0".parse::<Source>(), "10.0.0.0/9".parse());
    }

    #[test]
    fn what_means_nobody_is_objected_to() {
        for word in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.4/33",
            "1.2.3.4/+3",
            "::/129",
            "1.2.3.{}",
            "1.2.3.{4,}",
            "{1,2}",
            "1.2.3.4.{5}",
            "1.2.{3}.4",
            "/8",
            "1.2.3.4/",
            "..org",
            "a b",
            "::ffff:1.2.3.4/90",
            "1.2.3.{256}",
        ] {
            assert!(word.parse::<Source>().is_err(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_word_is_read_or_objected_to(word in "[0-9a-f{},./:]{0,24}|.{0,16}", peer: [u8; 16]) {
            if let Ok(source) = word.parse::<Source>() {
                let name = Name::Known("éx.example.org".into());
                source.rank(IpAddr::from(peer).to_canonical(), Some(&name));
                prop_assert_eq!(source.to_string().parse::<Source>(), Ok(source));
            }
        }
    }
}
