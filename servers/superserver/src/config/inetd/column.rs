//! The columns of a line.

use std::path::PathBuf;

use crate::config::Dialect;
use crate::config::fault::{Fault, Read, quoted};
use crate::config::word::Word;
use crate::spec::MuxName;

use super::protocol::{Kind, Protocol, Socket};
use super::waiting::Waiting;

/// A line, column by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Hosts before the service; `None` if the line names none.
    pub(super) hosts: Option<Vec<String>>,
    pub(super) service: Served,
    pub(super) socket: Socket,
    pub(super) protocol: Protocol,
    pub(super) waiting: Waiting,
    /// With its group and login class.
    pub(super) user: String,
    /// A path, or `internal`.
    pub(super) program: Word,
    /// What the program is called, and its arguments.
    pub(super) args: Vec<Word>,
    /// A filter that only BSD kernels have.
    pub(super) accept_filter: Option<String>,
}

/// The first column, without hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// A service or a port.
    Name(String),
    /// The path of a socket.
    Path(PathBuf),
    /// A name for tcpmux.
    Mux(MuxName),
}

/// What the columns are called in a remark.
const COLUMNS: [&str; 6] =
    ["service", "type of socket", "protocol", "wait or nowait", "user", "program"];

impl Entry {
    /// Reads the words of a line.
    pub(super) fn read(words: &[Word], dialect: Dialect) -> Read<Self> {
        let [service, socket, protocol, waiting, user, program, args @ ..] = words else {
            return Err(missing(words));
        };
        let (socket, accept_filter, accept_max) = socket_column(socket.text()?, dialect)?;
        let protocol = Protocol::read(protocol.text()?, dialect)?;
        let mut waiting = Waiting::read(waiting.text()?, dialect)?;
        waiting.instances = waiting.instances.or(accept_max);
        let (hosts, service) = service_column(service, &protocol, dialect)?;
        Ok(Self {
            hosts,
            service,
            socket,
            protocol,
            waiting,
            user: user.text()?.to_owned(),
            program: program.clone(),
            args: args.to_vec(),
            accept_filter,
        })
    }
}

/// A line of nothing but hosts and a colon: for all lines after it that name none.
pub(super) fn default_hosts(words: &[Word], dialect: Dialect) -> Read<Option<Vec<String>>> {
    let [word] = words else { return Ok(None) };
    let Some(list) = word.text()?.strip_suffix(':') else { return Ok(None) };
    if dialect == Dialect::Freebsd {
        let text = format!("{} looks like Debian's and NetBSD's default address", word.quoted());
        return Err(Fault::new(
            text,
            "FreeBSD's inetd knows none; read the file as openbsd or netbsd",
        ));
    }
    hosts(list).map(Some)
}

/// `addr,addr`; `*` is any.
fn hosts(list: &str) -> Read<Vec<String>> {
    let hosts: Vec<_> = list.split(',').map(str::to_owned).collect();
    if hosts.iter().any(String::is_empty) {
        let text = format!("{} is no list of addresses", quoted(list));
        return Err(Fault::new(text, "write `address:service`, `[v6]:service` or `*:service`"));
    }
    Ok(hosts)
}

/// The first column: what is served, and where.
pub(super) fn service_column(
    word: &Word,
    protocol: &Protocol,
    dialect: Dialect,
) -> Read<(Option<Vec<String>>, Served)> {
    if protocol.kind == Kind::Unix {
        // Hosts mean nothing to a path; the incumbents skip them.
        let slash = word.0.iter().position(|byte| *byte == b'/').unwrap_or(0);
        let is_prefixed = slash > 0 && word.0[slash - 1] == b':';
        let path = if is_prefixed { Word::from(&word.0[slash..]) } else { word.clone() };
        return Ok((None, Served::Path(path.path())));
    }
    let text = word.text()?;
    if let Some(name) = text.strip_prefix("tcpmux/") {
        return Ok((None, Served::Mux(mux_name(name)?)));
    }
    let Some((list, service)) = text.rsplit_once(':') else {
        return Ok((None, Served::Name(text.to_owned())));
    };
    if dialect == Dialect::Freebsd {
        let text =
            format!("{} looks like Debian's and NetBSD's address before a service", word.quoted());
        return Err(Fault::new(
            text,
            "FreeBSD's inetd knows none; read the file as openbsd or netbsd",
        ));
    }
    if service.is_empty() {
        let text = format!("{} names no service after its address", word.quoted());
        return Err(Fault::new(text, "write `address:service`"));
    }
    Ok((Some(hosts(list)?), Served::Name(service.to_owned())))
}

/// `+name` is greeted by tcpmux itself.
pub(in crate::config) fn mux_name(word: &str) -> Read<MuxName> {
    let (name, greets) = word.strip_prefix('+').map_or((word, false), |name| (name, true));
    let is_name =
        !name.is_empty() && name.len() <= 127 && name.bytes().all(|b| b.is_ascii_graphic());
    if !is_name || name.eq_ignore_ascii_case("help") {
        let text = format!("{} is no name for tcpmux", quoted(name));
        return Err(Fault::new(
            text,
            "use up to 127 letters and digits, and not `help`, which lists all names",
        ));
    }
    Ok(MuxName { name: name.to_owned(), greets })
}

/// The second column; NetBSD adds `,number` and `:filter`.
pub(super) fn socket_column(
    word: &str,
    dialect: Dialect,
) -> Read<(Socket, Option<String>, Option<u32>)> {
    if dialect != Dialect::Netbsd {
        return Ok((Socket::read(word)?, None, None));
    }
    let (word, filter) =
        word.split_once(':').map_or((word, None), |(word, filter)| (word, Some(filter)));
    let (word, number) =
        word.split_once(',').map_or((word, None), |(word, number)| (word, Some(number)));
    let accept_max = number
        .map(|number| number.parse::<u32>().ok().filter(|count| *count > 0))
        .map(|count| {
            count.ok_or_else(|| {
                Fault::new("after the comma is no number above 0", "write `stream,40`")
            })
        })
        .transpose()?;
    Ok((Socket::read(word)?, filter.map(str::to_owned), accept_max))
}

/// Says which column is not there.
fn missing(words: &[Word]) -> Fault {
    let shown = |index: usize| words.get(index).and_then(|word| word.text().ok());
    let text = match (shown(0), shown(1)) {
        (Some("service" | "defaults"), _) | (Some("{" | "}"), None) => {
            return Fault::new("the line looks like xinetd's", "read the file as xinetd");
        }
        (Some(first), _) if first.starts_with("[[") => {
            return Fault::new(
                "the line looks like TOML",
                "name the file `.toml`, or read it as toml",
            );
        }
        _ => format!("the line has {} columns, 6 are the least", words.len()),
    };
    // A socket where the protocol should be, and the like: the column before is the one that is missing.
    let first_missing = match words {
        [] => 0,
        [first, ..] if first.text().is_ok_and(|word| Socket::read(word).is_ok()) => 0,
        [_, second, ..] if second.text().is_ok_and(|word| Socket::read(word).is_err()) => 1,
        [_, _, third, ..]
            if third
                .text()
                .is_ok_and(|word| word.starts_with("wait") || word.starts_with("nowait")) =>
        {
            2
        }
        [_, _, _, fourth, ..] if fourth.text().is_ok_and(|word| !word.contains("wait")) => 3,
        [_, _, _, _, fifth] if fifth.0.starts_with(b"/") => 4,
        _ => words.len().min(5),
    };
    let order = COLUMNS.join(", ");
    Fault::new(
        text,
        format!("add the {}; the columns are: {order}, arguments", COLUMNS[first_missing]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::word::plain_words;

    fn entry(line: &str, dialect: Dialect) -> Read<Entry> {
        Entry::read(&plain_words(line.as_bytes()).unwrap(), dialect)
    }

    fn service(word: &str, protocol: &str) -> Read<(Option<Vec<String>>, Served)> {
        let protocol = Protocol::read(protocol, Dialect::Openbsd).unwrap();
        service_column(&Word(word.into()), &protocol, Dialect::Openbsd)
    }

    #[test]
    fn hosts_come_before_the_last_colon() {
        let read = |word| {
            let (hosts, served) = service(word, "tcp").unwrap();
            let Served::Name(name) = served else { panic!("{served:?}") };
            (hosts.unwrap_or_default().join(" "), name)
        };
        assert_eq!(read("ftp"), (String::new(), "ftp".into()));
        assert_eq!(read("*:21"), ("*".into(), "21".into()));
        assert_eq!(read("127.0.0.1,[::1]:21"), ("127.0.0.1 [::1]".into(), "21".into()));
        assert_eq!(read("::1:21"), ("::1".into(), "21".into()));
        assert!(service("a,:21", "tcp").is_err());
        assert!(service("a:", "tcp").is_err());
    }

    #[test]
    fn paths_and_names_for_tcpmux_are_told_apart() {
        let path = |word| service(word, "unix").unwrap().1;
        assert_eq!(path("/run/a:b"), Served::Path("/run/a:b".into()));
        assert_eq!(path("localhost:/run/a"), Served::Path("/run/a".into()));
        let mux = |name: &str, greets| Served::Mux(MuxName { name: name.into(), greets });
        assert_eq!(service("tcpmux/+date", "tcp").unwrap().1, mux("date", true));
        assert_eq!(service("tcpmux/date", "tcp").unwrap().1, mux("date", false));
        assert!(service("tcpmux/HELP", "tcp").is_err());
        assert!(service("tcpmux/", "tcp").is_err());
    }

    #[test]
    fn the_missing_column_is_named() {
        let remedy = |line| entry(line, Dialect::Openbsd).unwrap_err().remedy;
        assert!(remedy("ftp tcp nowait root /bin/ftpd").starts_with("add the type of socket"));
        assert!(remedy("ftp stream nowait root /bin/ftpd").starts_with("add the protocol"));
        assert!(remedy("ftp stream tcp root /bin/ftpd").starts_with("add the wait or nowait"));
        assert!(remedy("ftp stream tcp nowait /bin/ftpd").starts_with("add the user"));
        assert!(remedy("ftp stream tcp nowait root").starts_with("add the program"));
        assert!(remedy("service ftp").contains("xinetd"));
        assert!(remedy("[[service]]").contains("toml"));
    }

    #[test]
    fn netbsd_adds_a_number_and_a_filter_to_the_type_of_socket() {
        let read = |word| socket_column(word, Dialect::Netbsd);
        assert_eq!(
            read("stream,5:httpready"),
            Ok((Socket::Stream, Some("httpready".into()), Some(5)))
        );
        assert!(read("stream,x").is_err());
        assert!(socket_column("stream:x", Dialect::Openbsd).is_err());
    }

    #[test]
    fn freebsd_has_no_hosts() {
        let fault = entry("127.0.0.1:21 stream tcp nowait root /x", Dialect::Freebsd).unwrap_err();
        assert!(fault.text.contains("Debian"));
        assert!(default_hosts(&[Word(b"*:".to_vec())], Dialect::Freebsd).is_err());
        assert_eq!(
            default_hosts(&[Word(b"*:".to_vec())], Dialect::Gnu),
            Ok(Some(vec!["*".to_owned()]))
        );
    }
}
