//! The commands about the connection itself.

use palco_service::services::resp::{Command, integer, words};

use super::client::{Client, Replies};
use super::gateway::Here;
use super::{Protocol, REDIS_VERSION, Reply};

/// The longest name that a client may give itself or its library: 256 bytes. A session is small.
const NAME_BYTES_MAX: usize = 256;

const NOT_KNOWN: Reply = Reply::error("NOAUTH Authentication required.");
const WRONG_PASSWORD: Reply =
    Reply::error("WRONGPASS invalid username-password pair or user is disabled.");
/// The only user.
const USER: &[u8] = b"default";

/// Refuses who has not said the password yet.
pub(super) fn refuse_unknown(client: &Client) -> Option<Reply> {
    (!client.is_known).then_some(NOT_KNOWN)
}

pub(super) fn ping(_here: &Here<'_>, _client: &mut Client, command: &Command) -> Reply {
    match (command.len(), command.shared_argument(1)) {
        (1, _) => Reply::Status("PONG"),
        (2, Some(message)) => Reply::Bulk(message),
        _ => Reply::Error(words::wrong_arity("ping")),
    }
}

pub(super) fn echo(_here: &Here<'_>, _client: &mut Client, command: &Command) -> Reply {
    Reply::bulk_or_null(command.shared_argument(1))
}

pub(super) fn quit(_here: &Here<'_>, _client: &mut Client, _command: &Command) -> Reply {
    Reply::Closing("OK")
}

pub(super) fn select(_here: &Here<'_>, _client: &mut Client, command: &Command) -> Reply {
    match command.argument(1).and_then(integer::parse).map(i32::try_from) {
        Some(Ok(0)) => Reply::OK,
        Some(Ok(_)) => Reply::error("ERR DB index is out of range"),
        Some(Err(_)) | None => Reply::NOT_AN_INTEGER,
    }
}

/// `AUTH [user] password`.
pub(super) fn auth(here: &Here<'_>, client: &mut Client, command: &Command) -> Reply {
    let (user, password) = match (command.argument(1), command.argument(2)) {
        (Some(_), None) if !here.gateway.has_password() => {
            return Reply::error(
                "ERR AUTH <password> called without any password configured for the default user. \
                 Are you sure your configuration is correct?",
            );
        }
        (Some(password), None) => (USER, password),
        (Some(user), Some(password)) if command.len() == 3 => (user, password),
        _ => return Reply::SYNTAX_ERROR,
    };
    match log_in(here, client, user, password) {
        Ok(()) => Reply::OK,
        Err(refused) => refused,
    }
}

fn log_in(here: &Here<'_>, client: &mut Client, user: &[u8], password: &[u8]) -> Result<(), Reply> {
    // The name is no secret; the password is compared even when the name is wrong.
    let is_password = here.gateway.is_password(password);
    if user != USER || !is_password {
        return Err(WRONG_PASSWORD);
    }
    client.is_known = true;
    Ok(())
}

/// `RESET`: back to the beginning.
pub(super) fn reset(here: &Here<'_>, client: &mut Client, _command: &Command) -> Reply {
    client.reset(!here.gateway.has_password());
    Reply::Speaks(client.protocol, Reply::Status("RESET").into())
}

/// `HELLO [version [AUTH user password] [SETNAME name]]`.
pub(super) fn hello(here: &Here<'_>, client: &mut Client, command: &Command) -> Reply {
    match try_hello(here, client, command) {
        Ok(()) => Reply::Speaks(client.protocol, about(client).into()),
        Err(refused) => refused,
    }
}

fn try_hello(here: &Here<'_>, client: &mut Client, command: &Command) -> Result<(), Reply> {
    let mut rest = command.rest();
    let protocol = match rest.next().map(integer::parse) {
        None => client.protocol,
        Some(Some(2)) => Protocol::Resp2,
        Some(Some(3)) => Protocol::Resp3,
        Some(Some(_)) => return Err(Reply::error("NOPROTO unsupported protocol version")),
        Some(None) => {
            return Err(Reply::error("ERR Protocol version is not an integer or out of range"));
        }
    };
    let (mut login, mut name) = (None, None);
    while let Some(option) = rest.next() {
        if option.eq_ignore_ascii_case(b"AUTH") {
            let user = rest.next().ok_or(Reply::SYNTAX_ERROR)?;
            login = Some((user, rest.next().ok_or(Reply::SYNTAX_ERROR)?));
        } else if option.eq_ignore_ascii_case(b"SETNAME") {
            name = Some(text(rest.next().ok_or(Reply::SYNTAX_ERROR)?, "Client names")?);
        } else {
            return Err(Reply::SYNTAX_ERROR);
        }
    }
    if let Some((user, password)) = login {
        log_in(here, client, user, password)?;
    }
    if !client.is_known {
        return Err(Reply::error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
             select the RESP protocol version at the same time",
        ));
    }
    client.protocol = protocol;
    client.name = name.unwrap_or_else(|| std::mem::take(&mut client.name));
    Ok(())
}

fn about(client: &Client) -> Reply {
    let pairs = [
        ("server", Reply::name("palco")),
        ("version", Reply::name(REDIS_VERSION)),
        ("proto", Reply::Integer(number(client.protocol))),
        ("id", Reply::count(client.id)),
        ("mode", Reply::name("standalone")),
        ("role", Reply::name("master")),
        ("modules", Reply::Array(Vec::new())),
    ];
    Reply::Map(pairs.into_iter().map(|(name, value)| (Reply::name(name), value)).collect())
}

fn number(protocol: Protocol) -> i64 {
    match protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    }
}

const NOT_OFFERED: &[&str] = &[
    "caching",
    "getredir",
    "kill",
    "no-touch",
    "pause",
    "tracking",
    "trackinginfo",
    "unblock",
    "unpause",
];

/// `CLIENT ID | INFO | LIST | GETNAME | SETNAME name | SETINFO attribute value | REPLY how | NO-EVICT how | HELP`.
pub(super) fn client(_here: &Here<'_>, client: &mut Client, command: &Command) -> Reply {
    let subcommand = command.argument(1).unwrap_or_default();
    let lower = subcommand.to_ascii_lowercase();
    let arguments: Vec<&[u8]> = command.arguments().skip(2).collect();
    let result = match (lower.as_slice(), arguments.as_slice()) {
        (b"id", []) => Ok(Reply::count(client.id)),
        (b"getname", []) if client.name.is_empty() => Ok(Reply::Null),
        (b"getname", []) => Ok(Reply::text(client.name.clone())),
        (b"setname", [name]) => text(name, "Client names").map(|name| {
            client.name = name;
            Reply::OK
        }),
        (b"setinfo", [attribute, value]) => set_info(client, attribute, value),
        (b"info" | b"list", []) => Ok(Reply::Verbatim(describe(client).into())),
        (b"reply", [how]) => set_replies(client, how),
        // Nobody is evicted.
        (b"no-evict", [how]) if is_one_of(how, &["on", "off"]) => Ok(Reply::OK),
        (b"no-evict", [_]) => Err(Reply::SYNTAX_ERROR),
        (b"help", []) => Ok(Reply::Array(HELP.iter().map(|line| Reply::Status(line)).collect())),
        (
            b"id" | b"getname" | b"setname" | b"setinfo" | b"info" | b"list" | b"reply"
            | b"no-evict" | b"help",
            _,
        ) => Err(Reply::Error(words::wrong_arity(&format!("client|{}", lower.escape_ascii())))),
        _ if is_one_of(subcommand, NOT_OFFERED) => Err(Reply::refusal(format!(
            "ERR 'CLIENT {}' is not offered: connections cannot see or touch each other",
            subcommand.to_ascii_uppercase().escape_ascii()
        ))),
        _ => Err(Reply::Error(words::unknown_subcommand("CLIENT", subcommand))),
    };
    result.unwrap_or_else(|refused| refused)
}

const HELP: &[&str] = &[
    "CLIENT <subcommand> [<arg> ...]. Subcommands are:",
    "GETNAME",
    "    The name of this connection.",
    "ID",
    "    The number of this connection.",
    "INFO | LIST",
    "    What the server knows about this connection.",
    "NO-EVICT <ON|OFF>",
    "    No connection is evicted; changes nothing.",
    "REPLY <ON|OFF|SKIP>",
    "    Whether commands of this connection are answered.",
    "SETINFO <LIB-NAME|LIB-VER> <value>",
    "    Tells the client library and its version.",
    "SETNAME <name>",
    "    Names this connection.",
];

fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()))
}

fn set_replies(client: &mut Client, how: &[u8]) -> Result<Reply, Reply> {
    client.replies = match (how.to_ascii_lowercase().as_slice(), client.replies) {
        (b"on", _) => Replies::On,
        // Who wants none at all has nothing to leave out.
        (b"off", _) | (b"skip", Replies::Off) => Replies::Off,
        (b"skip", _) => Replies::Skip,
        _ => return Err(Reply::SYNTAX_ERROR),
    };
    Ok(if client.replies == Replies::On { Reply::OK } else { Reply::Nothing })
}

fn set_info(client: &mut Client, attribute: &[u8], value: &[u8]) -> Result<Reply, Reply> {
    let (field, what) = match attribute.to_ascii_lowercase().as_slice() {
        b"lib-name" => (&mut client.library_name, "lib-name"),
        b"lib-ver" => (&mut client.library_version, "lib-ver"),
        _ => {
            let attribute = attribute[..attribute.len().min(NAME_BYTES_MAX)].escape_ascii();
            return Err(Reply::refusal(format!("ERR Unrecognized option '{attribute}'")));
        }
    };
    *field = text(value, what)?;
    Ok(Reply::OK)
}

fn describe(client: &Client) -> String {
    let Client { id, peer, name, library_name, library_version, protocol, .. } = client;
    let version = number(*protocol);
    format!(
        "id={id} addr={peer} name={name} db=0 resp={version} lib-name={library_name} \
         lib-ver={library_version} user=default\n"
    )
}

/// A name that one word of `CLIENT INFO` can hold.
fn text(name: &[u8], what: &str) -> Result<String, Reply> {
    if name.len() > NAME_BYTES_MAX {
        let text = format!("ERR {what} cannot be longer than {NAME_BYTES_MAX} bytes.");
        return Err(Reply::refusal(text));
    }
    match std::str::from_utf8(name) {
        Ok(name) if name.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(name.into()),
        _ => Err(Reply::refusal(format!(
            "ERR {what} cannot contain spaces, newlines or special characters."
        ))),
    }
}
