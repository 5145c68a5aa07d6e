//! Every command: its name, its arity, what `COMMAND` says about it, and what carries it out.

use palco_service::services::resp::Command;

use super::act::Act;
use super::client::Client;
use super::gateway::Here;
use super::looking::Look;
use super::plan::Planned;
use super::{Reply, connection, information, plan};

/// How a command is carried out.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// Without registers.
    Here(fn(&Here<'_>, &mut Client, &Command) -> Reply),
    /// Key by key.
    Keys(fn(&mut Vec<Act>, &Command) -> Planned),
    /// On its own, between others.
    Alone(Look),
}

/// The keys among the arguments: first, last (negative from the end) and step, as `COMMAND` gives them.
#[derive(Clone, Copy)]
pub(super) struct Keys(pub(super) i64, pub(super) i64, pub(super) i64);

const NO_KEYS: Keys = Keys(0, 0, 0);
const ONE_KEY: Keys = Keys(1, 1, 1);
const ALL_KEYS: Keys = Keys(1, -1, 1);
const PAIRS: Keys = Keys(1, -1, 2);

#[derive(Clone, Copy)]
pub(super) struct Spec {
    /// In lower case.
    pub(super) name: &'static str,
    /// Number of arguments with the name; negative for at least so many.
    pub(super) arity: i64,
    pub(super) flags: &'static [&'static str],
    pub(super) keys: Keys,
    pub(super) group: &'static str,
    pub(super) since: &'static str,
    /// As people write them; what is in brackets may be left out.
    pub(super) arguments: &'static str,
    pub(super) summary: &'static str,
    pub(super) run: Run,
}

impl Spec {
    /// Whether a command may have `count` arguments, its name included.
    pub(super) fn takes(&self, count: usize) -> bool {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if self.arity >= 0 { count == self.arity } else { count >= -self.arity }
    }

    /// Whether it is for clients too that have not said the password.
    pub(super) fn for_everybody(&self) -> bool {
        self.flags.contains(&"no_auth")
    }

    /// Whether it can change a key.
    pub(super) fn changes(&self) -> bool {
        self.flags.contains(&"write")
    }
}

/// The command of this name, in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Spec> {
    COMMANDS.iter().find(|spec| spec.name.as_bytes().eq_ignore_ascii_case(name))
}

const READ: &[&str] = &["readonly", "fast"];
const READ_MANY: &[&str] = &["readonly"];
const WRITE: &[&str] = &["write"];
const WRITE_FAST: &[&str] = &["write", "fast"];
const TALK: &[&str] = &["loading", "stale", "fast"];
const GREET: &[&str] = &["noscript", "loading", "stale", "fast", "no_auth"];

const OWN: &str = env!("CARGO_PKG_VERSION");

/// The hot path first: they are looked up in order.
#[rustfmt::skip] // one command, one line
pub(super) static COMMANDS: &[Spec] = &[
    keys("get", 2, READ, ONE_KEY, "string", "1.0.0", "key", "The value of a key", plan::get),
    keys("set", -3, WRITE, ONE_KEY, "string", "1.0.0", "key value [NX] [XX] [GET] [KEEPTTL]", "Sets the value of a key; NX, XX and GET for keys of class cas", plan::set),
    keys("incr", 2, WRITE_FAST, ONE_KEY, "string", "1.0.0", "key", "Adds one to an integer; class cas", plan::incr),
    keys("decr", 2, WRITE_FAST, ONE_KEY, "string", "1.0.0", "key", "Takes one from an integer; class cas", plan::decr),
    keys("incrby", 3, WRITE_FAST, ONE_KEY, "string", "1.0.0", "key increment", "Adds to an integer; class cas", plan::incr_by),
    keys("decrby", 3, WRITE_FAST, ONE_KEY, "string", "1.0.0", "key decrement", "Takes from an integer; class cas", plan::decr_by),
    keys("mget", -2, READ, ALL_KEYS, "string", "1.0.0", "key...", "The values of keys, each read by itself", plan::mget),
    keys("mset", -3, WRITE, PAIRS, "string", "1.0.1", "key value...", "Sets the values of keys, each by itself", plan::mset),
    keys("del", -2, WRITE, ALL_KEYS, "generic", "1.0.0", "key...", "Deletes keys, each by itself", plan::del),
    keys("unlink", -2, WRITE, ALL_KEYS, "generic", "4.0.0", "key...", "Deletes keys, each by itself", plan::del),
    keys("exists", -2, READ, ALL_KEYS, "generic", "1.0.0", "key...", "Counts existing keys", plan::exists),
    keys("strlen", 2, READ, ONE_KEY, "string", "2.2.0", "key", "The length of a value", plan::strlen),
    keys("append", 3, WRITE_FAST, ONE_KEY, "string", "2.0.0", "key value", "Appends to a value; class cas", plan::append),
    keys("setnx", 3, WRITE_FAST, ONE_KEY, "string", "1.0.0", "key value", "Sets a key that holds nothing; class cas", plan::set_nx),
    keys("getset", 3, WRITE_FAST, ONE_KEY, "string", "1.0.0", "key value", "Sets a key, answers with what it held; class cas", plan::get_set),
    keys("getdel", 2, WRITE_FAST, ONE_KEY, "string", "6.2.0", "key", "Deletes a key, answers with what it held; class cas", plan::get_del),
    keys("type", 2, READ, ONE_KEY, "generic", "1.0.0", "key", "string, or none", plan::type_of),
    keys("ttl", 2, READ, ONE_KEY, "generic", "1.0.0", "key", "-1, for nothing expires, or -2 for no key", plan::ttl),
    keys("pttl", 2, READ, ONE_KEY, "generic", "2.6.0", "key", "-1, for nothing expires, or -2 for no key", plan::ttl),
    keys("palco.get", 2, READ, ONE_KEY, "palco", OWN, "key", "A value and what orders it: the tag, or the version of class cas", plan::get_with_tag),
    keys("palco.set", 3, WRITE_FAST, ONE_KEY, "palco", OWN, "key value", "Sets a value, answers with what orders it: the tag, or the version of class cas", plan::set_with_tag),
    keys("palco.tag", 2, READ, ONE_KEY, "palco", OWN, "key", "The tag of a register's value, which orders its writes", plan::tag),
    keys("palco.getv", 2, READ, ONE_KEY, "palco", OWN, "key", "Version and value; class cas", plan::get_version),
    keys("palco.casv", 4, WRITE_FAST, ONE_KEY, "palco", OWN, "key version value", "Sets a key that is at this version; class cas", plan::compare_and_swap),
    keys("palco.delv", 3, WRITE_FAST, ONE_KEY, "palco", OWN, "key version", "Deletes a key that is at this version; class cas", plan::compare_and_delete),
    alone("scan", -2, "generic", "2.8.0", "cursor [MATCH pattern] [COUNT count] [TYPE type]", "Keys that this node holds", Look::Scan),
    alone("dbsize", 1, "server", "1.0.0", "", "The number of keys that this node holds", Look::Size),
    alone("info", -1, "server", "1.0.0", "[section...]", "Facts about this node", Look::Information),
    here("ping", -1, TALK, "connection", "1.0.0", "[message]", "Answers PONG", connection::ping),
    here("echo", 2, TALK, "connection", "1.0.0", "message", "Answers its argument", connection::echo),
    here("select", 2, TALK, "connection", "1.0.0", "index", "Selects the only database, 0", connection::select),
    here("auth", -2, GREET, "connection", "1.0.0", "[username] password", "Says the password", connection::auth),
    here("hello", -1, GREET, "connection", "6.0.0", "[protover]", "Agrees on RESP2 or RESP3", connection::hello),
    here("client", -2, TALK, "connection", "2.4.0", "subcommand [argument...]", "What the server knows of this client", connection::client),
    here("reset", 1, GREET, "connection", "6.2.0", "", "Back to how the connection began", connection::reset),
    here("quit", -1, GREET, "connection", "1.0.0", "", "Closes the connection", connection::quit),
    here("time", 1, TALK, "server", "2.6.0", "", "This node's clock", information::time),
    here("config", -2, TALK, "server", "2.0.0", "subcommand [argument...]", "The limits of the server", information::config),
    here("command", -1, TALK, "server", "2.8.13", "[subcommand] [argument...]", "The commands of the server", information::command),
];

#[expect(clippy::too_many_arguments, reason = "one row of the table above")]
const fn keys(
    name: &'static str,
    arity: i64,
    flags: &'static [&'static str],
    keys: Keys,
    group: &'static str,
    since: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&mut Vec<Act>, &Command) -> Planned,
) -> Spec {
    Spec { name, arity, flags, keys, group, since, arguments, summary, run: Run::Keys(run) }
}

#[expect(clippy::too_many_arguments, reason = "one row of the table above")]
const fn here(
    name: &'static str,
    arity: i64,
    flags: &'static [&'static str],
    group: &'static str,
    since: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&Here<'_>, &mut Client, &Command) -> Reply,
) -> Spec {
    let (keys, run) = (NO_KEYS, Run::Here(run));
    Spec { name, arity, flags, keys, group, since, arguments, summary, run }
}

const fn alone(
    name: &'static str,
    arity: i64,
    group: &'static str,
    since: &'static str,
    arguments: &'static str,
    summary: &'static str,
    look: Look,
) -> Spec {
    let (flags, keys, run) = (READ_MANY, NO_KEYS, Run::Alone(look));
    Spec { name, arity, flags, keys, group, since, arguments, summary, run }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::refused;

    #[test]
    fn every_command_is_listed_once_and_found_in_any_case() {
        for (index, spec) in COMMANDS.iter().enumerate() {
            let shout = spec.name.to_uppercase();
            let found = find(shout.as_bytes()).unwrap();
            assert!(std::ptr::eq(found, &raw const COMMANDS[index]), "{shout} is listed twice");
            assert_eq!(spec.name, spec.name.to_lowercase());
        }
    }

    #[test]
    fn what_is_offered_is_not_refused() {
        for spec in COMMANDS {
            assert_eq!(refused::refusal(spec.name.as_bytes()), None, "{}", spec.name);
        }
    }
}
