//! Addresses and masks, read as the C library does: what a file has matched for decades, it matches here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What white space is to the C library.
pub(super) fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// Whether an address is in `net/mask`, the brackets of IPv6 included. What cannot be read has nobody in it.
pub(super) fn is_within(address: IpAddr, net: &str, mask: &str) -> bool {
    match address {
        // Of all ones inet_addr(3) cannot tell that it has not failed.
        IpAddr::V4(Ipv4Addr::BROADCAST) => false,
        IpAddr::V4(v4) => v4_net(net, mask).is_some_and(|(net, mask)| v4.to_bits() & mask == net),
        IpAddr::V6(v6) => v6_net(net, mask).is_some_and(|(net, bits)| {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            (v6.to_bits() ^ net.to_bits()) & mask == 0
        }),
    }
}

/// Whether `net/mask` can be read at all.
pub(super) fn is_net(net: &str, mask: &str) -> bool {
    v4_net(net, mask).is_some() || v6_net(net, mask).is_some()
}

/// `[address]`.
pub(super) fn bracketed(word: &str) -> Option<Ipv6Addr> {
    word.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// A net with bits beyond its mask has nobody in it.
fn v4_net(net: &str, mask: &str) -> Option<(u32, u32)> {
    let mask = dotted(mask).or_else(|| match integer(mask) {
        bits @ 1..=32 => Some(u32::MAX << (32 - bits)),
        _ => None,
    });
    Some((dotted(net)?, mask?))
}

fn v6_net(net: &str, mask: &str) -> Option<(Ipv6Addr, u32)> {
    let bits = u32::try_from(integer(mask)).ok().filter(|bits| *bits <= 128)?;
    Some((bracketed(net)?, bits))
}

/// Four numbers with dots between, decimal, octal after `0` or hexadecimal after `0x`, up to white space. All ones is what
/// inet_addr(3) returns when it fails, and so is none.
fn dotted(text: &str) -> Option<u32> {
    let text = text.split(|c: char| u8::try_from(c).is_ok_and(is_space)).next()?;
    let number = |part: &str| {
        let (digits, radix) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some(hexadecimal) => (hexadecimal, 16),
            None if part.len() > 1 && part.starts_with('0') => (part, 8),
            None => (part, 10),
        };
        // Else a sign would be read.
        let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then(|| u8::from_str_radix(digits, radix).ok()).flatten()
    };
    let octets: Vec<u8> = text.split('.').map(number).collect::<Option<_>>()?;
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(Ipv4Addr::from(octets).to_bits()).filter(|bits| *bits != u32::MAX)
}

/// atoi(3): white space, a sign, digits; whatever follows is passed over, and what is none is 0.
fn integer(text: &str) -> i32 {
    let text = text.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(is_space));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit).map(|b| i64::from(b - b'0'));
    let value = digits.fold(0_i64, |sum, digit| sum.saturating_mul(10).saturating_add(digit));
    // It reads a long and returns the low half.
    (sign * value) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(address: &str, net: &str, mask: &str) -> bool {
        is_within(address.parse().unwrap(), net, mask)
    }

    #[test]
    fn masks_are_read_as_libwrap_reads_them() {
        for mask in
            ["24", "024", "+24", "24x", "24.5", "255.255.255.0", "0377.255.0xff.000", "4294967320"]
        {
            assert!(within("1.2.3.4", "1.2.3.0", mask), "{mask}");
        }
        for mask in
            ["", "0", "33", "-1", "x", "0x18", "255.255.255", "255.255.255.256", "255.255.255.255"]
        {
            assert!(!within("1.2.3.4", "1.2.3.0", mask), "{mask}");
        }
        assert!(within("1.2.3.4", "0.0.0.0", "0.0.0.0"));
        assert!(within("1.2.3.4", "01.2.3.0x0", "24"));
        assert!(!within("1.2.3.4", "1.2.3.1", "24"));
        assert!(!within("255.255.255.255", "255.255.255.255", "32"));
        assert!(!within("255.255.255.255", "0.0.0.0", "0.0.0.0"));
    }

    #[test]
    fn prefixes_are_read_as_libwrap_reads_them() {
        for (net, mask) in
            [("[::1]", "128"), ("[::2]", "0"), ("[::2]", "x"), ("[::2]", ""), ("[ff::]", "8")]
        {
            assert!(within("::1", net, mask), "{net}/{mask}");
        }
        for (net, mask) in
            [("[::1]", "129"), ("[::1]", "-1"), ("::1", "64"), ("[::2]", "127"), ("[1.2.3.4]", "0")]
        {
            assert!(!within("::1", net, mask), "{net}/{mask}");
        }
    }
}
