//! The commands about the connection itself.

use super::reply::{SYNTAX_ERROR, unknown_subcommand, wrong_arity};
use super::{Command, KvService, KvSession, REDIS_VERSION, Reply};
use crate::services::resp::integer;

/// The longest name that a client may give itself or its library: 256 bytes. A session is small.
const NAME_BYTES_MAX: usize = 256;
const OK: Reply = Reply::Status("OK");

pub(super) fn ping(_kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    match (command.len(), command.shared_argument(1)) {
        (1, _) => Reply::Status("PONG"),
        (2, Some(message)) => Reply::Bulk(message),
        _ => wrong_arity("ping"),
    }
}

pub(super) fn echo(_kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    Reply::bulk_or_null(command.shared_argument(1))
}

pub(super) fn quit(_kv: &KvService, _session: &mut KvSession, _command: &Command) -> Reply {
    Reply::Closing("OK")
}

pub(super) fn select(_kv: &KvService, _session: &mut KvSession, command: &Command) -> Reply {
    match command.argument(1).and_then(integer::parse).map(i32::try_from) {
        Some(Ok(0)) => OK,
        Some(Ok(_)) => Reply::error("ERR DB index is out of range"),
        Some(Err(_)) | None => super::reply::NOT_AN_INTEGER,
    }
}

/// `HELLO [2 [SETNAME name]]`.
pub(super) fn hello(_kv: &KvService, session: &mut KvSession, command: &Command) -> Reply {
    let mut rest = command.rest();
    if let Some(version) = rest.next() {
        match integer::parse(version) {
            Some(2) => {}
            Some(_) => return Reply::error("NOPROTO unsupported protocol version"),
            None => {
                return Reply::error("ERR Protocol version is not an integer or out of range");
            }
        }
    }
    let mut name = None;
    while let Some(option) = rest.next() {
        if option.eq_ignore_ascii_case(b"AUTH") {
            return Reply::error("ERR option 'AUTH' of 'hello' is not supported");
        }
        if !option.eq_ignore_ascii_case(b"SETNAME") {
            return SYNTAX_ERROR;
        }
        match rest.next().map(|name| text(name, "Client names")) {
            Some(Ok(valid)) => name = Some(valid),
            Some(Err(refused)) => return refused,
            None => return SYNTAX_ERROR,
        }
    }
    if let Some(name) = name {
        session.name = name;
    }
    let id = i64::try_from(session.id).unwrap_or(i64::MAX);
    Reply::array(vec![
        Reply::text("server"),
        Reply::text("palco"),
        Reply::text("version"),
        Reply::text(REDIS_VERSION),
        Reply::text("proto"),
        Reply::Integer(2),
        Reply::text("id"),
        Reply::Integer(id),
        Reply::text("mode"),
        Reply::text("standalone"),
        Reply::text("role"),
        Reply::text("master"),
        Reply::text("modules"),
        Reply::array(Vec::new()),
    ])
}

/// `CLIENT ID | GETNAME | SETNAME name | SETINFO attribute value | INFO | HELP`.
pub(super) fn client(_kv: &KvService, session: &mut KvSession, command: &Command) -> Reply {
    let subcommand = command.argument(1).unwrap_or_default();
    let lower = subcommand.to_ascii_lowercase();
    let arguments: Vec<&[u8]> = command.arguments().skip(2).collect();
    let result = match (lower.as_slice(), arguments.as_slice()) {
        (b"id", []) => Ok(Reply::Integer(i64::try_from(session.id).unwrap_or(i64::MAX))),
        (b"getname", []) if session.name.is_empty() => Ok(Reply::Null),
        (b"getname", []) => Ok(Reply::text(session.name.clone())),
        (b"setname", [name]) => text(name, "Client names").map(|name| {
            session.name = name;
            OK
        }),
        (b"setinfo", [attribute, value]) => set_info(session, attribute, value),
        (b"info", []) => Ok(Reply::text(describe(session))),
        (b"help", []) => Ok(Reply::array(HELP.iter().map(|line| Reply::Status(line)).collect())),
        (b"id" | b"getname" | b"setname" | b"setinfo" | b"info" | b"help", _) => {
            Err(wrong_arity(&format!("client|{}", lower.escape_ascii())))
        }
        _ => Err(unknown_subcommand("CLIENT", subcommand)),
    };
    result.unwrap_or_else(|refused| refused)
}

const HELP: &[&str] = &[
    "CLIENT <subcommand> [<arg> ...]. Subcommands are:",
    "GETNAME",
    "    The name of this connection.",
    "ID",
    "    The number of this connection.",
    "INFO",
    "    What the server knows about this connection.",
    "SETINFO <LIB-NAME|LIB-VER> <value>",
    "    Tells the client library and its version.",
    "SETNAME <name>",
    "    Names this connection.",
];

fn set_info(session: &mut KvSession, attribute: &[u8], value: &[u8]) -> Result<Reply, Reply> {
    let (field, what) = match attribute.to_ascii_lowercase().as_slice() {
        b"lib-name" => (&mut session.library_name, "lib-name"),
        b"lib-ver" => (&mut session.library_version, "lib-ver"),
        _ => {
            let attribute = attribute[..attribute.len().min(NAME_BYTES_MAX)].escape_ascii();
            let text = format!("ERR Unrecognized option '{attribute}'");
            return Err(Reply::Error(text.into()));
        }
    };
    *field = text(value, what)?;
    Ok(OK)
}

fn describe(session: &KvSession) -> String {
    let KvSession { id, peer, name, library_name, library_version } = session;
    format!(
        "id={id} addr={peer} name={name} db=0 resp=2 lib-name={library_name} \
         lib-ver={library_version}\n"
    )
}

/// A name that one word of `CLIENT INFO` can hold.
fn text(name: &[u8], what: &str) -> Result<String, Reply> {
    let error = |text: String| Err(Reply::Error(text.into()));
    if name.len() > NAME_BYTES_MAX {
        return error(format!("ERR {what} cannot be longer than {NAME_BYTES_MAX} bytes."));
    }
    match std::str::from_utf8(name) {
        Ok(name) if name.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(name.into()),
        _ => error(format!("ERR {what} cannot contain spaces, newlines or special characters.")),
    }
}
