//! A table becomes a service.

use std::ops::Range;

use toml::Spanned;

use crate::config::address::without_v6;
use crate::config::fault::{Fault, Read, quoted};
use crate::config::inetd::mux_name;
use crate::config::reading::Reading;
use crate::spec::{Builtin, Descriptors, Endpoint, Origin, Run, ServiceSpec, Style};

use super::listen::addresses;
use super::model::{OneOrMore, Service, Shared};
use super::program;
use super::rules::{access_rules, banners, limits};
use super::socket::listening;

/// A result with the place of what is wrong, if it has one of its own.
pub(super) type At<T> = Result<T, (Option<Range<usize>>, Fault)>;

/// Reads a value that has a place.
pub(super) fn at<V, T>(value: &Spanned<V>, read: impl FnOnce(&V) -> Read<T>) -> At<T> {
    read(value.get_ref()).map_err(|fault| (Some(value.span()), fault))
}

type Built = Option<(ServiceSpec, String)>;

/// Builds the service of a table, and the protocol that tells it from others of its name. `None` if it is off.
pub(super) fn build(
    reading: &Reading<'_>,
    service: Service,
    defaults: &Shared,
    origin: &Origin,
    line: &dyn Fn(Range<usize>) -> u32,
) -> Result<Built, (Option<u32>, Fault)> {
    if service.enabled == Some(false) {
        return Ok(None);
    }
    let shared = service.shared().or(defaults);
    spec_of(reading, &service, &shared, origin)
        .map(Some)
        .map_err(|(span, fault)| (span.map(line), fault))
}

fn spec_of(
    reading: &Reading<'_>,
    service: &Service,
    shared: &Shared,
    origin: &Origin,
) -> At<(ServiceSpec, String)> {
    let name = name(service)?;
    let (endpoints, protocol) = endpoints(reading, service, shared)?;
    let run = run(reading, service, shared)?;
    let mut spec =
        ServiceSpec::new(name.clone(), origin.clone(), style(service, &run, &endpoints)?, run);
    if let Some(id) = &service.id {
        spec.id = at(id, |id| plain_name(id))?;
    }
    spec.name = name;
    spec.endpoints = endpoints;
    spec.mux = service.mux.as_ref().map(|mux| at(mux, |mux| mux_name(mux))).transpose()?;
    if spec.mux.is_some() && spec.style == Style::Single {
        return Err((None, Fault::new("tcpmux gives connections, not sockets", "remove `wait`")));
    }
    spec.limits = limits(&shared.limits, &shared.when_full)?;
    spec.banners = banners(&shared.banners)?;
    spec.access = access_rules(reading, &shared.access, &spec)?;
    if let Run::Program(program) = &mut spec.run {
        name_descriptors(service, &mut program.descriptors, &spec.endpoints, spec.style)?;
    }
    urgent(service, &spec)?;
    Ok((spec, protocol))
}

/// Objects to a switch that switches nothing.
fn urgent(service: &Service, spec: &ServiceSpec) -> At<()> {
    let said = service.urgent.as_ref().filter(|said| *said.get_ref());
    match (said, spec.deaf()) {
        (Some(said), Some(why)) => {
            let fault = Fault::new(format!("`urgent` has no effect: {why}"), "remove it");
            Err((Some(said.span()), fault))
        }
        (Some(_) | None, _) => Ok(()),
    }
}

fn name(service: &Service) -> At<String> {
    match service.name.as_ref().or(service.id.as_ref()) {
        Some(name) => at(name, |name| plain_name(name)),
        None => Err((None, Fault::new("it has no name", "add `name = …`"))),
    }
}

/// Names are shown, and typed by people.
fn plain_name(name: &str) -> Read<String> {
    let is_plain = |c: char| c.is_ascii_graphic() || c.is_alphanumeric();
    if name.is_empty() || name.len() > 127 || !name.chars().all(is_plain) {
        let text = format!("{} is no name", quoted(name));
        return Err(Fault::new(text, "use up to 127 letters, digits and signs, without blanks"));
    }
    Ok(name.to_owned())
}

fn endpoints(
    reading: &Reading<'_>,
    service: &Service,
    shared: &Shared,
) -> At<(Vec<Endpoint>, String)> {
    let words = match service.listen.as_ref().map(Spanned::get_ref) {
        None => &[][..],
        Some(OneOrMore::One(word)) => std::slice::from_ref(word),
        Some(OneOrMore::More(words)) => words,
    };
    let protocol = words.first().map_or("tcpmux", |word| protocol(word.trim()));
    let listening = listening(reading, &shared.socket)?;
    let mut endpoints = Vec::new();
    for word in words {
        let found = addresses(reading.world, word)
            .map_err(|fault| (service.listen.as_ref().map(Spanned::span), fault))?;
        endpoints.extend(
            found.into_iter().map(|address| Endpoint { address, listening: listening.clone() }),
        );
    }
    if service.mux.is_some() && !endpoints.is_empty() {
        return Err((
            None,
            Fault::new("it has both `listen` and `mux`", "write a service for each"),
        ));
    }
    if !reading.world.has_ipv6() {
        endpoints = endpoints.into_iter().filter_map(without_v6).collect();
    }
    Ok((endpoints, protocol.to_owned()))
}

fn run(reading: &Reading<'_>, service: &Service, shared: &Shared) -> At<Run> {
    let given = [service.program.is_some(), service.builtin.is_some(), service.redirect.is_some()];
    if given.into_iter().filter(|is_given| *is_given).count() > 1 {
        let text = "it has more than one of `program`, `builtin` and `redirect`";
        return Err((None, Fault::new(text, "keep one")));
    }
    if let Some(name) = &service.builtin {
        return at(name, |name| {
            crate::config::builtin(name).map(Run::Builtin).ok_or_else(|| {
                let text = format!("palco does not serve {} itself", quoted(name));
                Fault::new(text, "builtins are echo, discard, daytime, time, chargen and tcpmux")
            })
        });
    }
    if let Some(to) = &service.redirect {
        return at(to, |to| redirect(to)).map(Run::Builtin);
    }
    program::build(reading.world, service, shared).map(|program| Run::Program(Box::new(program)))
}

fn redirect(to: &str) -> Read<Builtin> {
    let parts = to.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = parts.and_then(|(_, port)| port.parse::<u16>().ok()).filter(|port| *port > 0);
    if port.is_none() || to.contains(char::is_whitespace) || to.contains('\0') {
        let text = format!("{} is no host and port", quoted(to));
        return Err(Fault::new(text, "write it as \"10.0.0.1:80\" or \"[::1]:80\""));
    }
    Ok(Builtin::Redirect(to.to_owned()))
}

/// What tells services of one name apart.
fn protocol(listen: &str) -> &str {
    match listen.split_once(char::is_whitespace) {
        _ if listen.starts_with('/') => "unix",
        Some((protocol, _)) => protocol,
        None => "tcp",
    }
}

/// `wait`; datagrams are never accepted, and what the superserver serves itself it accepts itself.
fn style(service: &Service, run: &Run, endpoints: &[Endpoint]) -> At<Style> {
    let connections =
        endpoints.iter().filter(|endpoint| endpoint.address.has_connections()).count();
    let fault = |text: &str, remedy: &str| Err((None, Fault::new(text, remedy)));
    if connections > 0 && connections < endpoints.len() {
        return fault("it listens for connections and for datagrams", "write a service for each");
    }
    let has_connections = connections == endpoints.len();
    match (run, has_connections, service.wait) {
        (Run::Builtin(Builtin::Tcpmux | Builtin::Redirect(_)), false, _) => fault(
            "tcpmux and redirections are served over connections only",
            "listen on tcp or unix",
        ),
        (Run::Builtin(_), true, Some(true)) => {
            fault("what palco serves itself it accepts itself", "remove `wait`")
        }
        (_, false, Some(false)) => fault(
            "datagrams are given to one instance, which has the socket",
            "remove `wait = false`",
        ),
        (_, false, _) => Ok(Style::Single),
        (Run::Program(_), true, Some(true)) => Ok(Style::Single),
        (_, true, _) => Ok(Style::PerConnection),
    }
}

/// One name for each socket that a program finds, if it finds them from 3 on.
fn name_descriptors(
    service: &Service,
    descriptors: &mut Descriptors,
    endpoints: &[Endpoint],
    style: Style,
) -> At<()> {
    let given = service.fd_names.as_ref();
    match (descriptors, given, style) {
        (Descriptors::Listen { names }, Some(given), Style::Single) => {
            let is_name = |name: &String| {
                name.len() < 256 && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
            };
            if given.get_ref().len() != endpoints.len() || !given.get_ref().iter().all(is_name) {
                let text = format!("`fd-names` are not {} names without colons", endpoints.len());
                return Err((
                    Some(given.span()),
                    Fault::new(text, "write one for each socket; a wildcard is two"),
                ));
            }
            names.clone_from(given.get_ref());
        }
        (Descriptors::Listen { names }, None, Style::Single) => {
            *names = vec![
                service
                    .name
                    .as_ref()
                    .map_or("unknown", |name| name.get_ref())
                    .replace(':', "-");
                endpoints.len()
            ];
        }
        (Descriptors::Listen { .. }, None, Style::PerConnection) => {}
        (_, Some(given), _) => {
            let text = "`fd-names` are for `descriptors = \"listen\"` with `wait = true`";
            return Err((Some(given.span()), Fault::new(text, "remove them")));
        }
        (Descriptors::Inetd | Descriptors::Ucspi, None, _) => {}
    }
    Ok(())
}
