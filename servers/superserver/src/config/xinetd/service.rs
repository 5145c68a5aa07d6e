//! A block becomes a service.

use std::path::PathBuf;

use crate::access::{Hosts, Rules};
use crate::config::address::{self, Families, Transport};
use crate::config::fault::{Fault, Read, quoted};
use crate::config::program::absolute;
use crate::config::reading::Reading;
use crate::spec::{Banners, Builtin, Endpoint, Listening, MuxName, Run, ServiceSpec, Style};

use super::attributes::{Attribute, Attributes, Faults};
use super::flags::{Flags, Kinds};
use super::text::Block;
use super::value::yes;
use super::{limits, run};

/// Builds the service of a block, and the protocol that tells it from others of its name.
pub(super) fn build(
    reading: &mut Reading<'_>,
    attributes: &Attributes,
    name: &str,
    block: &Block,
    faults: &mut Faults,
) -> Option<(ServiceSpec, &'static str)> {
    attributes.read_word("disable", faults, yes);
    let kinds = attributes.read("type", faults, |kinds| Kinds::read(&kinds.texts()?));
    let kinds = kinds.unwrap_or_default();
    let flags = Flags::read(reading, attributes, name, faults);
    if kinds.rpc || attributes.get("rpc_version").or(attributes.get("rpc_number")).is_some() {
        let text = "palco registers nothing with rpcbind, so that nobody would find it";
        faults.add(
            &block.origin,
            Fault::new(text, "run the program by itself, or give it a port of its own"),
        );
        return None;
    }
    let transport = transport(attributes, faults);
    let style = attributes.require("wait", faults, yes);
    let (transport, is_single) = (transport?, style?);
    let style = if is_single { Style::Single } else { Style::PerConnection };
    let endpoints = endpoints(reading, attributes, name, (kinds, flags, transport), faults);
    let served = run::build(reading, attributes, name, (kinds, flags), (transport, style), faults);
    let access = access(attributes, faults);
    let banners = banners(attributes, faults);
    let limits = limits::of_service(attributes, faults);
    let id = attributes.read_word("id", faults, |id| Ok(id.to_owned()));
    let (endpoints, served) = (endpoints?, served?);
    let mut spec = ServiceSpec::new(
        id.unwrap_or_else(|| name.to_owned()),
        block.origin.clone(),
        style,
        served,
    );
    name.clone_into(&mut spec.name);
    spec.endpoints = endpoints;
    spec.limits = limits;
    spec.access = access;
    spec.banners = banners;
    spec.access.hosts = hosts(reading, attributes, flags, &spec, faults);
    if let Some(greets) = kinds.mux {
        if transport == Transport::Udp || style == Style::Single {
            let text = "what tcpmux starts has `socket_type = stream` and `wait = no`";
            faults
                .add(&block.origin, Fault::new(text, "write it so, or give it a port of its own"));
        }
        spec.mux = Some(MuxName { name: name.to_owned(), greets });
    }
    fit_style(reading, &mut spec, transport);
    Some((spec, transport.name()))
}

/// `socket_type` and `protocol`, which have to fit.
fn transport(attributes: &Attributes, faults: &mut Faults) -> Option<Transport> {
    let socket = attributes.require("socket_type", faults, |word| match word {
        "stream" => Ok(Transport::Tcp),
        "dgram" => Ok(Transport::Udp),
        "raw" | "seqpacket" => {
            let text = format!("palco opens no sockets of type `{word}`");
            Err(Fault::new(text, "run the program by itself"))
        }
        _ => {
            let text = format!("{} is no type of socket", quoted(word));
            Err(Fault::new(text, "write `stream` or `dgram`"))
        }
    })?;
    let fit = attributes.read_word("protocol", faults, |word| match (word, socket) {
        ("tcp", Transport::Tcp) | ("udp", Transport::Udp) => Ok(()),
        ("tcp" | "udp", _) => {
            let text = format!("`protocol = {word}` does not fit its socket_type");
            Err(Fault::new(text, "write `stream` with tcp, `dgram` with udp"))
        }
        ("tcp4" | "tcp6" | "udp4" | "udp6", _) => {
            let text = format!("`{word}` is no protocol of xinetd");
            Err(Fault::new(text, "write tcp or udp, and `flags = IPv4` or `flags = IPv6`"))
        }
        _ => Err(Fault::new(format!("{} is no protocol", quoted(word)), "write tcp or udp")),
    });
    let is_there = attributes.get("protocol").is_some();
    (fit.is_some() || !is_there).then_some(socket)
}

fn endpoints(
    reading: &Reading<'_>,
    attributes: &Attributes,
    name: &str,
    (kinds, flags, transport): (Kinds, Flags, Transport),
    faults: &mut Faults,
) -> Option<Vec<Endpoint>> {
    if kinds.mux.is_some() {
        return Some(Vec::new());
    }
    let port = port(reading, attributes, name, kinds, transport, faults)?;
    // One IPv6 socket for both families, unless a flag says IPv4: so does xinetd.
    let families = if flags.v4 { Families::V4 } else { Families::Mapped };
    let addresses = match attributes.get("bind") {
        None => address::wildcards(transport, families, port),
        Some(_) => attributes.read_word("bind", faults, |host| {
            let mut addresses = address::of_host(reading.world, host, transport, families, port)?;
            // Of a name with several addresses, one is bound.
            addresses.sort_by_key(|address| {
                address.socket().is_some_and(|socket| socket.is_ipv6()) != flags.v6
            });
            addresses.truncate(1);
            Ok(addresses)
        })?,
    };
    let is_tcp = transport == Transport::Tcp;
    let listening = Listening {
        keepalive: flags.keepalive && is_tcp,
        nodelay: flags.nodelay && is_tcp,
        ..Listening::default()
    };
    let endpoint = |address| Endpoint { address, listening: listening.clone() };
    Some(addresses.into_iter().map(endpoint).collect())
}

/// `port`, or the port of the name. A name of `/etc/services` has the port that is written there.
fn port(
    reading: &Reading<'_>,
    attributes: &Attributes,
    name: &str,
    kinds: Kinds,
    transport: Transport,
    faults: &mut Faults,
) -> Option<u16> {
    let is_there = attributes.get("port").is_some();
    let written =
        attributes.read_word("port", faults, |port| address::port(reading.world, port, transport));
    if is_there && written.is_none() {
        return None;
    }
    let listed = (!kinds.unlisted).then(|| reading.world.port(name, transport.name())).flatten();
    let port = match (written, listed) {
        (Some(written), Some(listed)) if written != listed => {
            let text =
                format!("{} has port {listed} in /etc/services, and {written} here", quoted(name));
            Err(Fault::new(text, "remove `port`, or write `type = UNLISTED`"))
        }
        (Some(port), _) | (None, Some(port)) => Ok(port),
        (None, None) => {
            let text = format!("there is no service {} for {}", quoted(name), transport.name());
            Err(Fault::new(
                text,
                "name one of /etc/services, or write `type = UNLISTED` and `port = …`",
            ))
        }
    };
    faults.ok(&attributes.origin, port)
}

fn access(attributes: &Attributes, faults: &mut Faults) -> Rules {
    let only_from = attributes.read("only_from", faults, parse_all);
    let no_access = attributes.read("no_access", faults, parse_all);
    let times = attributes.read("access_times", faults, parse_all);
    Rules {
        only_from,
        no_access: no_access.unwrap_or_default(),
        times: times.unwrap_or_default(),
        hosts: None,
    }
}

fn parse_all<T: std::str::FromStr<Err = String>>(attribute: &Attribute) -> Read<Vec<T>> {
    let parse = |word: &&str| {
        word.parse().map_err(|error: String| Fault::new(error, "correct it after xinetd.conf(5)"))
    };
    attribute.texts()?.iter().map(parse).collect()
}

fn banners(attributes: &Attributes, faults: &mut Faults) -> Banners {
    let mut banner = |name: &str| -> Option<PathBuf> {
        attributes.read(name, faults, |attribute| {
            let path = attribute.word(name)?.path();
            absolute(&path).map(|()| path)
        })
    };
    Banners {
        always: banner("banner"),
        success: banner("banner_success"),
        failure: banner("banner_fail"),
    }
}

/// hosts.allow and hosts.deny are asked unless a flag says no. The daemon is called as xinetd calls it.
fn hosts(
    reading: &Reading<'_>,
    attributes: &Attributes,
    flags: Flags,
    spec: &ServiceSpec,
    faults: &mut Faults,
) -> Option<Hosts> {
    let named = attributes.read_word("libwrap", faults, |name| Ok(name.to_owned()));
    let daemon = named.unwrap_or_else(|| match &spec.run {
        Run::Builtin(Builtin::Redirect(_)) => spec.name.clone(),
        Run::Builtin(_) => spec.id.clone(),
        Run::Program(program) => {
            let named =
                if flags.name_in_args { program.arg0.as_ref() } else { program.path.as_path() };
            named.file_name().unwrap_or(named.as_os_str()).to_string_lossy().into_owned()
        }
    });
    (!flags.no_libwrap).then(|| reading.options.hosts(daemon))
}

fn fit_style(reading: &mut Reading<'_>, spec: &mut ServiceSpec, transport: Transport) {
    spec.style = match (&spec.run, transport) {
        (Run::Builtin(_), Transport::Tcp) => Style::PerConnection,
        (Run::Builtin(_), Transport::Udp) => Style::Single,
        (Run::Program(_), Transport::Udp) if spec.style == Style::PerConnection => {
            let text = "datagrams with `wait = no` are served as with `wait = yes`: there is no connection to accept, and a \
                program that has not read its datagram yet would be started again and again";
            reading.explain("nowait-datagrams", &spec.origin, text);
            Style::Single
        }
        (Run::Program(_), _) => spec.style,
    };
}

/// What is not as with xinetd.
pub(super) fn explain(reading: &mut Reading<'_>, attributes: &Attributes, spec: &ServiceSpec) {
    let at = |name: &str| attributes.get(name).map(|attribute| attribute.origin.clone());
    let log = ["log_type", "log_on_success", "log_on_failure"].into_iter().find_map(at);
    if let Some(origin) = log {
        let text = "`log_type`, `log_on_success` and `log_on_failure` are read and change nothing: every start, end and refusal is in \
            palco's own log";
        reading.explain("log", &origin, text);
    }
    if let Some(origin) = at("instances").or_else(|| at("per_source")) {
        let text =
            "clients beyond `instances` and `per_source` wait; xinetd closes their connections";
        reading.explain("instances", &origin, text);
    } else if matches!(spec.run, Run::Program(_)) && spec.style == Style::PerConnection {
        let text =
            "without `instances` there are 256 at once, and more clients wait; xinetd has no limit";
        reading.explain("instances-default", &spec.origin, text);
    }
    if attributes.get("cps").is_none() {
        let text = "starts per second have no limit without `cps`; xinetd has one of 50, with a pause of 10 seconds";
        reading.explain("cps-default", &spec.origin, text);
    }
    for (name, text) in [
        ("deny_time", "`deny_time` is not done: palco has no sensors"),
        ("mdns", "`mdns` is not done: palco announces nothing"),
    ] {
        if let Some(origin) = at(name) {
            reading.warn_once(name, &origin, Fault::new(text, "remove it"));
        }
    }
}
