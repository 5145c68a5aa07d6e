//! What serves: the superserver, another host, or a program.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::config::address::Transport;
use crate::config::fault::{Fault, Read, quoted};
use crate::config::program::{account, check};
use crate::config::reading::Reading;
use crate::spec::{Account, Environment, Program, Run, Style};

use super::attributes::{Attribute, Attributes, Faults};
use super::flags::{Flags, Kinds};
use super::limits;
use super::value::yes;
use crate::config::units::{nice, umask};

/// What serves, if everything about it is right.
pub(super) fn build(
    reading: &Reading<'_>,
    attributes: &Attributes,
    name: &str,
    (kinds, flags): (Kinds, Flags),
    (transport, style): (Transport, Style),
    faults: &mut Faults,
) -> Option<Run> {
    if let Some(attribute) = attributes.get("redirect") {
        if transport == Transport::Udp || style == Style::Single {
            let fault = Fault::new(
                "only `protocol = tcp` with `wait = no` is redirected",
                "remove `redirect`",
            );
            faults.add(&attribute.origin, fault);
            return None;
        }
        return attributes
            .read("redirect", faults, redirect)
            .map(|to| Run::Builtin(crate::spec::Builtin::Redirect(to)));
    }
    if kinds.internal {
        let found = crate::config::builtin(name);
        let fault = || {
            let text = format!("palco does not serve {} itself", quoted(name));
            Fault::new(text, "INTERNAL are echo, discard, daytime, time, chargen and tcpmux")
        };
        return faults.ok(&attributes.origin, found.map(Run::Builtin).ok_or_else(fault));
    }
    program(reading, attributes, flags, faults).map(|program| Run::Program(Box::new(program)))
}

/// `redirect = host port`
fn redirect(attribute: &Attribute) -> Read<String> {
    let fault = || Fault::new("`redirect` takes a host and a port", "write it as `10.0.0.1 80`");
    let [host, port] = attribute.texts()?[..] else { return Err(fault()) };
    let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(fault)?;
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

fn program(
    reading: &Reading<'_>,
    attributes: &Attributes,
    flags: Flags,
    faults: &mut Faults,
) -> Option<Program> {
    if attributes.get("server").is_none() {
        faults.add(
            &attributes.origin,
            Fault::new("`server` is missing", "write `server = /path/of/program`"),
        );
    }
    let server = attributes.read("server", faults, |server| {
        let path = server.word("server")?.path();
        check(reading.world, &path).map(|()| path)
    });
    let account = user(reading, attributes, faults);
    let mut args: std::collections::VecDeque<OsString> = attributes
        .get("server_args")
        .map(|attribute| attribute.values.iter().map(|word| word.os()).collect())
        .unwrap_or_default();
    // xinetd excludes the name of the program from its arguments, contrary to inetd, unless it is told so.
    let named = flags.name_in_args.then(|| args.pop_front());
    if let Some(None) = named {
        let text = "NAMEINARGS without `server_args` leaves the program without a name";
        faults.add(&attributes.origin, Fault::new(text, "remove the flag, or add `server_args`"));
    }
    let environment = environment(attributes, faults);
    let limits = limits::of_resources(attributes, faults);
    let nice = attributes.read_word("nice", faults, nice);
    let umask = attributes.read_word("umask", faults, umask);
    let path = server?;
    let base = path.file_name().unwrap_or(path.as_os_str()).to_os_string();
    let mut program = Program::new(path, named.flatten().unwrap_or(base));
    program.args = args.into();
    program.account = account?;
    program.environment = environment;
    program.limits = limits;
    program.nice = nice;
    program.umask = umask;
    Some(program)
}

/// `user`, `group` and `groups`. Without `groups = yes` there are no supplementary groups.
fn user(
    reading: &Reading<'_>,
    attributes: &Attributes,
    faults: &mut Faults,
) -> Option<Option<Account>> {
    let group = attributes.read_word("group", faults, |group| Ok(group.to_owned()));
    let has_groups = attributes.read_word("groups", faults, yes).unwrap_or(false);
    let mut found = attributes
        .require("user", faults, |user| account(reading.world, user, group.as_deref()))?;
    if let (Some(account), false) = (&mut found, has_groups) {
        account.user.groups.clear();
    }
    Some(found)
}

/// All of the superserver's environment, or what `passenv` names; then `env`.
fn environment(attributes: &Attributes, faults: &mut Faults) -> Environment {
    let inherit =
        attributes.get("passenv").map(|names| names.values.iter().map(|word| word.os()).collect());
    let set = attributes.read("env", faults, |attribute| {
        attribute.values.iter().map(|word| variable(&word.0)).collect()
    });
    Environment {
        inherit,
        login: false,
        set: set.unwrap_or_default(),
        ucspi: false,
        remote_host: true,
    }
}

fn variable(word: &[u8]) -> Read<(OsString, OsString)> {
    let at = word.iter().position(|byte| *byte == b'=').filter(|at| *at > 0);
    let at = at.ok_or_else(|| {
        let text = format!("{} is no variable", quoted(&String::from_utf8_lossy(word)));
        Fault::new(text, "write `env = NAME=value`")
    })?;
    let part = |bytes| OsStr::from_bytes(bytes).to_os_string();
    Ok((part(&word[..at]), part(&word[at + 1..])))
}
