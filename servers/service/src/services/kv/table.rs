//! Every command: its name, its arity, what `COMMAND` says about it, and the function that runs it.

use super::{Command, KvService, KvSession, Reply, connection, information, strings};

/// A function that runs a command at once.
type Function = fn(&KvService, &mut KvSession, &Command) -> Reply;

#[derive(Clone, Copy)]
pub(super) enum Run {
    Now(Function),
    /// Empties the store; the only command that takes long enough to wait for.
    Flush,
    /// Says the ticket of the next request; the only command that asks the place that it runs in.
    Ticket,
}

/// The keys among the arguments: first, last (negative from the end) and step, as `COMMAND` gives them.
#[derive(Clone, Copy)]
pub(super) struct Keys(pub(super) i64, pub(super) i64, pub(super) i64);

const NO_KEYS: Keys = Keys(0, 0, 0);
const ONE_KEY: Keys = Keys(1, 1, 1);
const ALL_KEYS: Keys = Keys(1, -1, 1);

#[derive(Clone, Copy)]
pub(super) struct Spec {
    /// In lower case.
    pub(super) name: &'static str,
    /// Number of arguments with the name; negative for at least so many.
    pub(super) arity: i64,
    pub(super) flags: &'static [&'static str],
    pub(super) keys: Keys,
    pub(super) group: &'static str,
    pub(super) summary: &'static str,
    pub(super) since: &'static str,
    pub(super) run: Run,
}

impl Spec {
    /// Whether a command may have `count` arguments, its name included.
    pub(super) fn takes(&self, count: usize) -> bool {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if self.arity >= 0 { count == self.arity } else { count >= -self.arity }
    }

    /// Whether what is stored matters to the command.
    pub(super) fn needs_store(&self) -> bool {
        let is_of_server = matches!(self.name, "dbsize" | "info" | "flushdb" | "flushall");
        is_of_server || matches!(self.group, "string" | "generic")
    }
}

/// The command of this name, in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Spec> {
    COMMANDS.iter().find(|spec| spec.name.as_bytes().eq_ignore_ascii_case(name))
}

const READ: &[&str] = &["readonly", "fast"];
const READ_MANY: &[&str] = &["readonly"];
const WRITE: &[&str] = &["write", "denyoom"];
const WRITE_FAST: &[&str] = &["write", "denyoom", "fast"];
const REMOVE: &[&str] = &["write"];
const TALK: &[&str] = &["loading", "stale", "fast"];

/// The hot path first: they are looked up in order.
#[rustfmt::skip] // one command, one line
pub(super) static COMMANDS: &[Spec] = &[
    spec("get", 2, READ, ONE_KEY, "string", "1.0.0", "The value of a key", strings::get),
    spec("set", -3, WRITE, ONE_KEY, "string", "1.0.0", "Sets the value of a key", strings::set),
    spec("incr", 2, WRITE_FAST, ONE_KEY, "string", "1.0.0", "Adds one to an integer", strings::incr),
    spec("decr", 2, WRITE_FAST, ONE_KEY, "string", "1.0.0", "Takes one from an integer", strings::decr),
    spec("incrby", 3, WRITE_FAST, ONE_KEY, "string", "1.0.0", "Adds to an integer", strings::incr_by),
    spec("mget", -2, READ, ALL_KEYS, "string", "1.0.0", "The values of keys", strings::mget),
    spec("mset", -3, WRITE, Keys(1, -1, 2), "string", "1.0.1", "Sets the values of keys", strings::mset),
    spec("del", -2, REMOVE, ALL_KEYS, "generic", "1.0.0", "Deletes keys", strings::del),
    spec("exists", -2, READ, ALL_KEYS, "generic", "1.0.0", "Counts existing keys", strings::exists),
    spec("strlen", 2, READ, ONE_KEY, "string", "2.2.0", "The length of a value", strings::strlen),
    spec("append", 3, WRITE_FAST, ONE_KEY, "string", "2.0.0", "Appends to a value", strings::append),
    spec("ping", -1, TALK, NO_KEYS, "connection", "1.0.0", "Answers PONG", connection::ping),
    spec("echo", 2, TALK, NO_KEYS, "connection", "1.0.0", "Answers its argument", connection::echo),
    spec("select", 2, TALK, NO_KEYS, "connection", "1.0.0", "Selects the only database, 0", connection::select),
    spec("hello", -1, TALK, NO_KEYS, "connection", "6.0.0", "Agrees on RESP2", connection::hello),
    spec("client", -2, TALK, NO_KEYS, "connection", "2.4.0", "What the server knows of this client", connection::client),
    spec("quit", -1, TALK, NO_KEYS, "connection", "1.0.0", "Closes the connection", connection::quit),
    spec("dbsize", 1, READ, NO_KEYS, "server", "1.0.0", "The number of keys", information::dbsize),
    spec("info", -1, TALK, NO_KEYS, "server", "1.0.0", "Facts about the server", information::info),
    spec("config", -2, TALK, NO_KEYS, "server", "2.0.0", "The limits of the server", information::config),
    spec("command", -1, READ_MANY, NO_KEYS, "server", "2.8.13", "The commands of the server", information::command),
    flush("flushdb"),
    flush("flushall"),
    TICKET,
];

#[expect(clippy::too_many_arguments, reason = "one row of the table above")]
const fn spec(
    name: &'static str,
    arity: i64,
    flags: &'static [&'static str],
    keys: Keys,
    group: &'static str,
    since: &'static str,
    summary: &'static str,
    run: Function,
) -> Spec {
    Spec { name, arity, flags, keys, group, summary, since, run: Run::Now(run) }
}

const fn flush(name: &'static str) -> Spec {
    Spec {
        name,
        arity: -1,
        flags: REMOVE,
        keys: NO_KEYS,
        group: "server",
        summary: "Removes all keys",
        since: "1.0.0",
        run: Run::Flush,
    }
}

/// No command of redis: `since` is the version of palco.
const TICKET: Spec = Spec {
    name: "palco.ticket",
    arity: 1,
    flags: TALK,
    keys: NO_KEYS,
    group: "connection",
    summary: "The ticket of the next request, for the urgent port",
    since: env!("CARGO_PKG_VERSION"),
    run: Run::Ticket,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_listed_once_and_found_in_any_case() {
        for (index, spec) in COMMANDS.iter().enumerate() {
            let shout = spec.name.to_uppercase();
            let found = find(shout.as_bytes()).unwrap();
            assert!(std::ptr::eq(found, &raw const COMMANDS[index]), "{shout} is listed twice");
            assert_eq!(spec.name, spec.name.to_lowercase());
        }
    }
}
