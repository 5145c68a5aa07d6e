//! hosts_access(5) and hosts_options(5): hosts.allow and hosts.deny, judged as Debian's libwrap does.
//!
//! The first rule of hosts.allow that matches grants, else the first of hosts.deny refuses, else it is granted; the options
//! `allow` and `deny` overrule both. A file that is not there is empty. Measured on libwrap 7.6.q, where its pages are
//! silent:
//!
//! * a line without a newline, or too long, ends its file: hosts.deny then refuses everybody, hosts.allow says nothing more;
//!   so does a file that cannot be read;
//! * a line without a colon is passed over; a mask that cannot be read matches nobody;
//! * a rule with a bad option refuses, once it matches.
//!
//! Deviations:
//!
//! * RFC 931 is not spoken: every user is unknown, so `user@host` matches only with patterns that match `unknown`, and
//!   `rfc931` does nothing;
//! * there are no netgroups: `@group` matches nobody;
//! * `user name` alone takes the account's own group, as the page says; libwrap 7.6.q fails to;
//! * `%p` is the superserver's process;
//! * bytes that are not UTF-8 become U+FFFD.
//!
//! | file | what |
//! |---|---|
//! | `hosts/table.rs` | a file as rules, line by line |
//! | `hosts/files.rs` | [`Files`]: files as they were last read |
//! | `hosts/pattern.rs` | whether a daemon or a client is meant |
//! | `hosts/octets.rs` | addresses and masks, read as the C library does |
//! | `hosts/option.rs` | options, read and applied |
//! | `hosts/expand.rs` | `%a` and its like |

mod expand;
mod files;
mod octets;
mod option;
mod pattern;
mod table;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

pub(super) use files::Files;
use option::{Applied, Verdict};
use table::{Rule, Table};

use super::{Caller, Extras, Hosts, Judgement, Name, Names};

/// Who asks for what, as far as it is known.
#[derive(Debug)]
struct Request<'a> {
    daemon: &'a str,
    client: Side,
    server: Side,
    files: &'a Files,
}

/// One end of a connection.
#[derive(Debug)]
struct Side {
    end: End,
    address: Option<IpAddr>,
    /// The address as text, or `unknown`.
    text: String,
    port: Option<u16>,
    /// Not looked up until something depends on it.
    name: Option<Name>,
}

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Client,
    Server,
}

/// It depends on the name of this end, which is not known yet: look it up and ask again.
#[derive(Debug, PartialEq, Eq)]
struct NameWanted(End);

const UNKNOWN: &str = "unknown";
const PARANOID: &str = "paranoid";

/// Asks both files.
pub(super) async fn judge(hosts: &Hosts, caller: &Caller, names: &Names) -> Judgement {
    let files = names.files();
    let mut request = Request {
        daemon: &hosts.daemon,
        client: Side::new(End::Client, caller.peer),
        server: Side::new(End::Server, caller.local),
        files,
    };
    loop {
        let NameWanted(end) = match decide(hosts, &request) {
            Ok(judgement) => return judgement,
            Err(wanted) => wanted,
        };
        // Each end at most once: its name is known then.
        let side = match end {
            End::Client => &mut request.client,
            End::Server => &mut request.server,
        };
        side.name = Some(match side.address {
            Some(address) => names.name(address).await,
            None => Name::Unknown,
        });
    }
}

fn decide(hosts: &Hosts, request: &Request<'_>) -> Result<Judgement, NameWanted> {
    let files = [(&hosts.allow, Verdict::Allow), (&hosts.deny, Verdict::Deny)];
    for (path, verdict) in files {
        let table = request.files.table(path);
        if let Some(judgement) = ask(&table, path, verdict, request)? {
            return Ok(judgement);
        }
    }
    Ok(Judgement::Granted(Extras::default()))
}

/// What one file says; `None` is nothing.
fn ask(
    table: &Table,
    path: &Path,
    verdict: Verdict,
    request: &Request<'_>,
) -> Result<Option<Judgement>, NameWanted> {
    for rule in &table.rules {
        if !matches(rule, request)? {
            continue;
        }
        let Applied { verdict, extras, fault } = option::apply(rule, verdict, request)?;
        let place = format!("{}:{}", path.display(), rule.line);
        return Ok(Some(match (fault, verdict) {
            (Some(fault), _) => Judgement::Refused { reason: format!("{place}: {fault}"), extras },
            (None, Verdict::Allow) => Judgement::Granted(extras),
            (None, Verdict::Deny) => {
                Judgement::Refused { reason: format!("{place}: `{}`", rule.text), extras }
            }
        }));
    }
    Ok(match (&table.broken, verdict) {
        (Some(fault), Verdict::Deny) => {
            let reason = format!("{}:{}: {}", path.display(), fault.line, fault.text);
            Some(Judgement::Refused { reason, extras: Extras::default() })
        }
        (Some(_), Verdict::Allow) | (None, _) => None,
    })
}

fn matches(rule: &Rule, request: &Request<'_>) -> Result<bool, NameWanted> {
    Ok(pattern::is_listed(&rule.daemons, |word| pattern::is_daemon(word, request))?
        && pattern::is_listed(&rule.clients, |word| pattern::is_client(word, request))?)
}

impl Side {
    fn new(end: End, socket: Option<SocketAddr>) -> Self {
        let address = socket.map(|socket| socket.ip().to_canonical());
        // What was received at a wildcard was not received at that address.
        let address = address.filter(|address| !address.is_unspecified());
        let text = address.map_or_else(|| UNKNOWN.into(), |address| address.to_string());
        // An address that is not known has no name either.
        let name = address.is_none().then_some(Name::Unknown);
        Self { end, address, text, port: socket.map(|socket| socket.port()), name }
    }

    /// Its name, or `unknown`, or `paranoid`.
    fn name(&self) -> Result<&str, NameWanted> {
        Ok(match self.name.as_ref().ok_or(NameWanted(self.end))? {
            Name::Known(name) => name,
            Name::Unknown => UNKNOWN,
            Name::Paranoid => PARANOID,
        })
    }

    /// Its name if it has one that is right.
    fn known_name(&self) -> Result<Option<&str>, NameWanted> {
        Ok(match self.name.as_ref().ok_or(NameWanted(self.end))? {
            Name::Known(name) => Some(name),
            Name::Unknown | Name::Paranoid => None,
        })
    }
}
