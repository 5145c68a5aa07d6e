//! What a line means here that it would not mean to another inetd: a sentence for each kind, once.

use crate::config::Dialect;
use crate::config::reading::Reading;
use crate::config::word::Word;
use crate::spec::{Builtin, Origin, Run, ServiceSpec};

use super::column::{Entry, Served};

/// What the words of a line would be elsewhere.
pub(super) fn of_words(reading: &mut Reading<'_>, words: &[Word], origin: &Origin) {
    let has_quotes = matches!(reading.dialect, Dialect::Gnu | Dialect::Netbsd);
    let arguments = words.get(6..).unwrap_or_default();
    if !has_quotes
        && arguments.iter().any(|word| word.0.starts_with(b"\"") || word.0.starts_with(b"'"))
    {
        let text = "quotes are letters of an argument here, as in openbsd-inetd and FreeBSD's; GNU's and NetBSD's hold words together with them";
        reading.explain("quotes", origin, text);
    }
    if arguments.iter().any(|word| word.0.starts_with(b"#")) {
        let text = "`#` begins a comment at the start of a line only: here it is an argument, as everywhere";
        reading.explain("number-sign", origin, text);
    }
}

/// What a service would be elsewhere.
pub(super) fn of_service(reading: &mut Reading<'_>, entry: &Entry, spec: &ServiceSpec) {
    let origin = &spec.origin;
    let notes = [
        families(reading.dialect, entry),
        rate(reading.dialect, entry),
        default_rate(reading, entry, spec),
        freebsd_limits(reading.dialect, entry),
        internal(reading.dialect, spec),
        (spec.mux.is_some() || spec.run == Run::Builtin(Builtin::Tcpmux))
            .then_some(("tcpmux", "tcpmux is served; openbsd-inetd has none"))
            .filter(|_| reading.dialect == Dialect::Openbsd),
    ];
    let mut differs = false;
    for (topic, text) in notes.into_iter().flatten() {
        reading.explain(topic, origin, text);
        differs |= topic.starts_with("family");
    }
    if differs && reading.options.dialect.is_none() {
        let text = "read as openbsd-inetd, which is Debian's, reads it; say so if it was written for gnu, netbsd or freebsd";
        let whole = reading.line(0);
        reading.explain("dialect", &whole, text);
    }
}

type Note = (&'static str, &'static str);

fn families(dialect: Dialect, entry: &Entry) -> Option<Note> {
    if !matches!(entry.service, Served::Name(_)) {
        return None;
    }
    match (dialect, entry.protocol.word.as_str()) {
        (Dialect::Openbsd, "tcp" | "udp") => Some((
            "family",
            "`tcp` and `udp` alone are two sockets, IPv4 and IPv6; to GNU's, NetBSD's and FreeBSD's they are IPv4 only",
        )),
        (Dialect::Openbsd, "tcp6" | "udp6") => {
            Some(("family-6", "`tcp6` and `udp6` are IPv6 only; to GNU's they are IPv4 too"))
        }
        (Dialect::Gnu, "tcp" | "udp") => Some((
            "family",
            "`tcp` and `udp` alone are IPv4 only; to openbsd-inetd they are IPv6 too",
        )),
        (Dialect::Gnu, "tcp6" | "udp6") => Some((
            "family-6",
            "`tcp6` and `udp6` are IPv6 and IPv4; to all others they are IPv6 only, which is `tcp6only` here",
        )),
        (Dialect::Gnu, "tcp46" | "udp46") => Some((
            "family-46",
            "`tcp46` and `udp46` are IPv4 only to GNU's; to openbsd-inetd and FreeBSD's they are IPv6 and IPv4, which is `tcp6` here",
        )),
        (Dialect::Netbsd | Dialect::Freebsd, "tcp" | "udp") => Some((
            "family",
            "`tcp` and `udp` alone are IPv4 only; to openbsd-inetd they are IPv6 too",
        )),
        _ => None,
    }
}

fn rate(dialect: Dialect, entry: &Entry) -> Option<Note> {
    entry.waiting.per_minute?;
    let text = match dialect {
        Dialect::Openbsd => {
            "a number of starts per minute lets so many start and the others wait; openbsd-inetd starts one fewer and then drops clients, or closes the port for ten minutes"
        }
        Dialect::Gnu | Dialect::Netbsd | Dialect::Freebsd | Dialect::Xinetd | Dialect::Toml => {
            "a number of starts per minute lets so many start and the others wait; the incumbents then close the port for ten minutes"
        }
    };
    Some(("rate", text))
}

fn default_rate(reading: &Reading<'_>, entry: &Entry, spec: &ServiceSpec) -> Option<Note> {
    let is_limited = entry.waiting.per_minute.is_some() || reading.options.default_rate.is_some();
    if is_limited || matches!(spec.run, Run::Builtin(_)) {
        return None;
    }
    let text = match reading.dialect {
        Dialect::Gnu | Dialect::Netbsd => {
            "starts per minute have no limit unless the line names one; this dialect's inetd has one of 40"
        }
        Dialect::Openbsd | Dialect::Freebsd | Dialect::Xinetd | Dialect::Toml => {
            "starts per minute have no limit unless the line names one; this dialect's inetd has one of 256"
        }
    };
    Some(("default-rate", text))
}

fn freebsd_limits(dialect: Dialect, entry: &Entry) -> Option<Note> {
    let waiting = &entry.waiting;
    let is_limited = waiting.per_source.or(waiting.per_minute_and_source).is_some();
    (dialect == Dialect::Freebsd && is_limited).then_some((
        "per-client",
        "clients beyond a limit of their own wait; FreeBSD's inetd closes their connections",
    ))
}

fn internal(dialect: Dialect, spec: &ServiceSpec) -> Option<Note> {
    let Run::Builtin(builtin) = &spec.run else { return None };
    let is_datagram = spec.endpoints.iter().any(|endpoint| !endpoint.address.has_connections());
    match (dialect, builtin) {
        (Dialect::Openbsd, _) if is_datagram => Some((
            "internal-udp",
            "`internal` is served over udp too; openbsd-inetd binds it and never answers",
        )),
        (Dialect::Gnu, Builtin::Time) => Some((
            "time",
            "`time` is four bytes, as RFC 868 says; GNU inetd sends eight on 64-bit machines",
        )),
        _ => None,
    }
}
