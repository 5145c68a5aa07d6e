//! The protocol and socket columns: what `tcp`, `tcp6`, `tcp46` and their like mean in each dialect.

use crate::config::Dialect;
use crate::config::address::{Families, Transport};
use crate::config::fault::{Fault, Read, quoted};

/// The second column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    Stream,
    Dgram,
    Seqpacket,
}

impl Socket {
    /// Reads `stream`, `dgram` and so on.
    pub(super) fn read(word: &str) -> Read<Self> {
        match word {
            "stream" => Ok(Self::Stream),
            "dgram" => Ok(Self::Dgram),
            "seqpacket" => Ok(Self::Seqpacket),
            "raw" | "rdm" => {
                let text = format!("palco opens no sockets of type `{word}`");
                Err(Fault::new(text, "run the program by itself"))
            }
            _ => {
                let text = format!("{} is no type of socket", quoted(word));
                Err(Fault::new(text, "the second column is `stream` or `dgram`"))
            }
        }
    }
}

/// The third column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Protocol {
    /// As written, without sizes: `tcp6`.
    pub(super) word: String,
    pub(super) kind: Kind,
    pub(super) send_buffer: Option<usize>,
    pub(super) receive_buffer: Option<usize>,
    /// T/TCP is asked for, which no kernel has any more.
    pub(super) has_ttcp: bool,
}

/// What a protocol runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Inet(Transport, Families),
    Unix,
    /// Registered with rpcbind.
    Rpc(Transport),
}

impl Protocol {
    /// Reads `tcp6,sndbuf=64k` and its like.
    pub(super) fn read(word: &str, dialect: Dialect) -> Read<Self> {
        let mut parts = word.split(',');
        let name = parts.next().unwrap_or_default();
        let (name, has_ttcp) = match name.strip_suffix("/ttcp") {
            Some(rest) if dialect == Dialect::Freebsd => (rest, true),
            Some(_) | None => (name, false),
        };
        let kind = kind(name, dialect)?;
        let mut protocol =
            Self { word: name.into(), kind, send_buffer: None, receive_buffer: None, has_ttcp };
        for part in parts {
            match part.split_once('=') {
                Some(("sndbuf", size)) => protocol.send_buffer = Some(buffer(size)?),
                Some(("rcvbuf", size)) => protocol.receive_buffer = Some(buffer(size)?),
                Some(_) | None => {
                    let text = format!("{} is no setting of a protocol", quoted(part));
                    return Err(Fault::new(text, "write `sndbuf=size` or `rcvbuf=size`"));
                }
            }
        }
        Ok(protocol)
    }

    /// Objects to types of sockets that the protocol does not have.
    pub(super) fn check(&self, socket: Socket) -> Read<()> {
        let wanted = match (self.kind, socket) {
            (Kind::Unix, _)
            | (Kind::Inet(Transport::Tcp, _) | Kind::Rpc(Transport::Tcp), Socket::Stream)
            | (Kind::Inet(Transport::Udp, _) | Kind::Rpc(Transport::Udp), Socket::Dgram) => {
                return Ok(());
            }
            (Kind::Inet(Transport::Tcp, _) | Kind::Rpc(Transport::Tcp), _) => "stream",
            (Kind::Inet(Transport::Udp, _) | Kind::Rpc(Transport::Udp), _) => "dgram",
        };
        let text = format!("`{}` has no sockets of the type in the second column", self.word);
        Err(Fault::new(text, format!("write `{wanted}`, or another protocol")))
    }
}

fn kind(name: &str, dialect: Dialect) -> Read<Kind> {
    if name == "unix" {
        return Ok(Kind::Unix);
    }
    if let Some(rpc) = name.strip_prefix("rpc/") {
        if let Some((transport, _)) = transport(rpc) {
            return Ok(Kind::Rpc(transport));
        }
    } else if let Some((transport, suffix)) = transport(name)
        && let Some(families) = families(suffix, dialect)
    {
        return Ok(Kind::Inet(transport, families));
    }
    let text = format!("{} is no protocol", quoted(name));
    let remedy = match (dialect, name) {
        (Dialect::Openbsd, "tcp6only" | "udp6only") => {
            "this looks like GNU inetd's: write it without `only`, or read the file as gnu"
        }
        (Dialect::Netbsd, "tcp46" | "udp46") => {
            "this looks like FreeBSD's: write a line for each family, or read the file as freebsd"
        }
        (Dialect::Openbsd | Dialect::Gnu | Dialect::Netbsd, _) if name.ends_with("/ttcp") => {
            "this looks like FreeBSD's: write it without `/ttcp`"
        }
        _ => "the third column is `tcp`, `udp`, these with 4 or 6, or `unix`",
    };
    Err(Fault::new(text, remedy))
}

fn transport(name: &str) -> Option<(Transport, &str)> {
    let tcp = name.strip_prefix("tcp").map(|suffix| (Transport::Tcp, suffix));
    tcp.or_else(|| name.strip_prefix("udp").map(|suffix| (Transport::Udp, suffix)))
}

/// What the incumbents bind for `tcp` and a suffix. GNU takes `tcp46` for `tcp4`.
fn families(suffix: &str, dialect: Dialect) -> Option<Families> {
    match (dialect, suffix) {
        (Dialect::Openbsd, "") => Some(Families::Apart),
        (_, "" | "4") => Some(Families::V4),
        (Dialect::Gnu, "6") => Some(Families::Mapped),
        (_, "6") => Some(Families::V6),
        (Dialect::Gnu, "6only") => Some(Families::V6),
        (Dialect::Gnu, "46") => Some(Families::V4),
        (Dialect::Openbsd | Dialect::Freebsd, "46") => Some(Families::Mapped),
        _ => None,
    }
}

/// A size in bytes; `k` and `m` are 1024 and 1024² of them.
fn buffer(size: &str) -> Read<usize> {
    let (digits, unit) = match size.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1024),
        None => match size.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1024 * 1024),
            None => (size, 1),
        },
    };
    let bytes = digits.parse::<usize>().ok().and_then(|count| count.checked_mul(unit));
    // The kernel takes an int.
    bytes.filter(|bytes| (1..=0x7fff_ffff).contains(bytes)).ok_or_else(|| {
        let text = format!("{} is no size of a buffer", quoted(size));
        Fault::new(text, "write it as 65536, 64k or 1m")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_means_what_it_means_in_its_dialect() {
        use Families::{Apart, Mapped, V4, V6};
        let table = [
            ("tcp", [Some(Apart), Some(V4), Some(V4), Some(V4)]),
            ("tcp4", [Some(V4); 4]),
            ("tcp6", [Some(V6), Some(Mapped), Some(V6), Some(V6)]),
            ("tcp46", [Some(Mapped), Some(V4), None, Some(Mapped)]),
            ("tcp6only", [None, Some(V6), None, None]),
            ("tcp5", [None; 4]),
        ];
        let dialects = [Dialect::Openbsd, Dialect::Gnu, Dialect::Netbsd, Dialect::Freebsd];
        for (word, expected) in table {
            for (dialect, expected) in dialects.into_iter().zip(expected) {
                let read = Protocol::read(word, dialect).ok().map(|protocol| protocol.kind);
                let expected = expected.map(|families| Kind::Inet(Transport::Tcp, families));
                assert_eq!(read, expected, "{word} {dialect}");
            }
        }
    }

    #[test]
    fn buffers_have_units_and_bounds() {
        let read = |word| Protocol::read(word, Dialect::Openbsd);
        let protocol = read("udp,rcvbuf=64k,sndbuf=1m").unwrap();
        assert_eq!((protocol.receive_buffer, protocol.send_buffer), (Some(65536), Some(1 << 20)));
        for bad in ["tcp,rcvbuf=", "tcp,rcvbuf=0", "tcp,rcvbuf=4096m", "tcp,x=1", "tcp,"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_protocol_has_its_own_types_of_sockets() {
        let check = |protocol, socket| {
            Protocol::read(protocol, Dialect::Gnu).unwrap().check(Socket::read(socket).unwrap())
        };
        assert!(check("tcp", "stream").is_ok());
        assert!(check("udp", "dgram").is_ok());
        assert!(check("unix", "seqpacket").is_ok());
        assert!(check("udp", "stream").unwrap_err().remedy.contains("dgram"));
        assert!(check("tcp", "seqpacket").is_err());
        assert!(Socket::read("raw").is_err());
        assert!(Socket::read("tcp").is_err());
    }
}
