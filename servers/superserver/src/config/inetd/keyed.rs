//! NetBSD's entries of keys and values: `ftp on user = root, exec = /bin/ftpd, args = ftpd -l;`.

use crate::config::Dialect;
use crate::config::fault::{Fault, Read, quoted};
use crate::config::word::{WORDS_MAX, Word, check_line};
use crate::spec::Style;

use super::column::{Entry, service_column, socket_column};
use super::lines::{Line, Lines};
use super::protocol::Protocol;
use super::waiting::Waiting;

/// Most lines of an entry.
const LINES_MAX: usize = 128;

/// The head of an entry.
pub(super) struct Start {
    service: Word,
    is_on: bool,
    /// Where its keys begin in the line.
    keys: usize,
}

impl Start {
    /// A line whose second word is `on` or `off`.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let end = line.iter().position(u8::is_ascii_whitespace)?;
        let rest = &line[end..];
        let state = end + rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
        let keys = line[state..].iter().position(is_end).map_or(line.len(), |width| state + width);
        let is_on = match &line[state..keys] {
            b"on" => true,
            b"off" => false,
            _ => return None,
        };
        Some(Self { service: Word::from(&line[..end]), is_on, keys })
    }
}

/// A piece of an entry.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(Word),
    Equals,
    Comma,
    End,
}

/// Reads an entry to its semicolon, over as many lines as it takes. `None` if it is off.
pub(super) fn read(start: Start, line: &mut Line, lines: &mut Lines<'_>) -> Read<Option<Entry>> {
    let mut more = LINES_MAX;
    let tokens = loop {
        check_line(&line.bytes)?;
        let tokens = tokens(&line.bytes[start.keys..])?;
        if tokens.last() == Some(&Token::End) {
            break tokens;
        }
        more -= 1;
        if more == 0 || !lines.extend(line) {
            return Err(Fault::new("the entry has no end", "end it with `;`"));
        }
    };
    let keys = keys(&tokens)?;
    if start.is_on { entry(&start.service, &keys).map(Some) } else { Ok(None) }
}

fn tokens(bytes: &[u8]) -> Read<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    // Only the first `=` of a part is one; later ones are letters of an argument.
    let mut has_key = false;
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        let token = match byte {
            b'"' | b'\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match bytes.next() {
                        // The quote may go on in the next line; until then there is no end.
                        None => return Ok(tokens),
                        Some(close) if close == byte => break,
                        Some(b'\\') if byte == b'"' => word.push(bytes.next().unwrap_or(b'\\')),
                        Some(inner) => word.push(inner),
                    }
                }
                continue;
            }
            b'=' if !has_key => {
                has_key = true;
                Some(Token::Equals)
            }
            b',' => {
                has_key = false;
                Some(Token::Comma)
            }
            b';' => Some(Token::End),
            _ if byte.is_ascii_whitespace() => None,
            _ => {
                word.get_or_insert_default().push(byte);
                continue;
            }
        };
        tokens.extend(word.take().map(|word| Token::Word(Word(word))));
        let is_end = token == Some(Token::End);
        tokens.extend(token);
        if is_end {
            if bytes.any(|byte| !byte.is_ascii_whitespace()) {
                return Err(Fault::new("words follow the semicolon", "begin a new line"));
            }
            return Ok(tokens);
        }
        if tokens.len() > 4 * WORDS_MAX {
            return Err(Fault::new(format!("more than {WORDS_MAX} words"), "shorten the entry"));
        }
    }
    Ok(tokens)
}

/// A key with its values.
type Key<'t> = (&'t str, &'t [Token]);

/// `key = value value, key = value;`
fn keys(tokens: &[Token]) -> Read<Vec<Key<'_>>> {
    let body = &tokens[..tokens.len().saturating_sub(1)];
    let mut keys = Vec::new();
    if body.is_empty() {
        return Ok(keys);
    }
    for part in body.split(|token| *token == Token::Comma) {
        let [Token::Word(key), Token::Equals, values @ ..] = part else {
            return Err(Fault::new(
                "a part of the entry is no `key = value`",
                "part keys with commas",
            ));
        };
        let key = key.text()?;
        if keys.iter().any(|(other, _)| *other == key) {
            return Err(Fault::new(format!("{} is given twice", quoted(key)), "remove one"));
        }
        keys.push((key, values));
    }
    Ok(keys)
}

const KEYS: &str = "bind, socktype, acceptfilter, accept_max, protocol, sndbuf, recvbuf, wait, service_max, ip_max, user, group, exec, args, ipsec";

fn entry(service: &Word, keys: &[Key<'_>]) -> Read<Entry> {
    if let Some((key, _)) =
        keys.iter().find(|(key, _)| !KEYS.split(", ").any(|known| known == *key))
    {
        let text = format!("there is no key {}", quoted(key));
        return Err(Fault::new(text, format!("keys are: {KEYS}")));
    }
    let dialect = Dialect::Netbsd;
    if one(keys, "ipsec")?.is_some_and(|policy| !policy.0.is_empty()) {
        let text = "palco sets no IPsec policy";
        return Err(Fault::new(text, "remove the key, and set the policy with `ip xfrm`"));
    }
    let mut socket = required(keys, "socktype")?.to_owned();
    if let Some(number) = text(keys, "accept_max")? {
        socket = format!("{socket},{number}");
    }
    let (socket, mut accept_filter, accept_max) = socket_column(&socket, dialect)?;
    if let Some(filter) = text(keys, "acceptfilter")? {
        accept_filter = Some(filter.to_owned());
    }
    let mut protocol = required(keys, "protocol")?.to_owned();
    for (key, setting) in [("sndbuf", "sndbuf"), ("recvbuf", "rcvbuf")] {
        if let Some(size) = text(keys, key)? {
            protocol = format!("{protocol},{setting}={size}");
        }
    }
    let protocol = Protocol::read(&protocol, dialect)?;
    let mut waiting = Waiting::new(match text(keys, "wait")? {
        Some("yes") => Style::Single,
        Some("no") | None => Style::PerConnection,
        Some(other) => {
            let text = format!("`wait` is {}", quoted(other));
            return Err(Fault::new(text, "write `wait = yes` or `wait = no`"));
        }
    });
    waiting.instances = accept_max;
    waiting.per_minute = count(keys, "service_max")?;
    waiting.per_minute_and_source = count(keys, "ip_max")?;
    let (mut hosts, service) = service_column(service, &protocol, dialect)?;
    if let Some(bind) = text(keys, "bind")? {
        hosts = Some(vec![bind.to_owned()]);
    }
    let program = one(keys, "exec")?.cloned().unwrap_or_else(|| Word(b"internal".to_vec()));
    let user = match (text(keys, "user")?, text(keys, "group")?) {
        (Some(user), Some(group)) => format!("{user}:{group}"),
        (Some(user), None) => user.to_owned(),
        (None, _) if program.0 == b"internal" => "root".to_owned(),
        (None, _) => return Err(Fault::new("it has no key `user`", "write `user = nobody`")),
    };
    let args = values(keys, "args").unwrap_or_default();
    let args = args.iter().map(|token| match token {
        Token::Word(word) => Ok(word.clone()),
        Token::Equals | Token::Comma | Token::End => {
            Err(Fault::new("`args` holds more than words", "put them in quotes"))
        }
    });
    let args = args.collect::<Read<Vec<_>>>()?;
    Ok(Entry { hosts, service, socket, protocol, waiting, user, program, args, accept_filter })
}

fn values<'t>(keys: &[Key<'t>], name: &str) -> Option<&'t [Token]> {
    keys.iter().find(|(key, _)| *key == name).map(|(_, values)| *values)
}

/// The one value of a key.
fn one<'t>(keys: &[Key<'t>], name: &str) -> Read<Option<&'t Word>> {
    match values(keys, name) {
        None | Some([]) => Ok(None),
        Some([Token::Word(word)]) => Ok(Some(word)),
        Some(_) => Err(Fault::new(
            format!("`{name}` has several values"),
            "put them in quotes, or remove all but one",
        )),
    }
}

fn text<'t>(keys: &[Key<'t>], name: &str) -> Read<Option<&'t str>> {
    one(keys, name)?.map(Word::text).transpose()
}

fn required<'t>(keys: &[Key<'t>], name: &str) -> Read<&'t str> {
    text(keys, name)?.ok_or_else(|| {
        Fault::new(format!("it has no key `{name}`"), format!("write `{name} = value`"))
    })
}

fn count(keys: &[Key<'_>], name: &str) -> Read<Option<u32>> {
    let Some(word) = text(keys, name)? else { return Ok(None) };
    word.parse().ok().filter(|count| *count > 0).map(Some).ok_or_else(|| {
        Fault::new(format!("`{name}` is {}", quoted(word)), "write a number above 0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_entry(text: &str) -> Read<Option<Entry>> {
        let mut lines = Lines::new(text.as_bytes(), Dialect::Netbsd);
        let mut line = lines.next().unwrap();
        read(Start::of(&line.bytes).unwrap(), &mut line, &mut lines)
    }

    #[test]
    fn an_entry_is_read_over_lines_comments_and_quotes() {
        let text = "127.0.0.1:http on\nsocktype = stream, # no comment here\n";
        assert!(read_entry(text).is_err());
        let text = "127.0.0.1:http on\nsocktype=stream, protocol = tcp,\n# comment\n  wait = no, service_max = 40, \
            ip_max=3, accept_max = 9, recvbuf = 64k,\nuser = nobody, group = nogroup, exec = /bin/httpd, args = httpd \"-c ; x\" k=v;\n";
        let entry = read_entry(text).unwrap().unwrap();
        assert_eq!(entry.hosts, Some(vec!["127.0.0.1".to_owned()]));
        assert_eq!(
            (entry.waiting.per_minute, entry.waiting.per_minute_and_source),
            (Some(40), Some(3))
        );
        assert_eq!(
            (entry.waiting.instances, entry.protocol.receive_buffer),
            (Some(9), Some(65536))
        );
        assert_eq!(entry.user, "nobody:nogroup");
        let args: Vec<_> = entry.args.iter().map(|word| word.text().unwrap()).collect();
        assert_eq!(args, ["httpd", "-c ; x", "k=v"]);
    }

    #[test]
    fn an_entry_that_is_off_is_read_but_not_served() {
        assert_eq!(read_entry("echo off;"), Ok(None));
        assert!(read_entry("echo off x;").is_err());
        assert!(read_entry("echo off").is_err());
    }

    #[test]
    fn mistakes_are_named() {
        let fault = |keys: &str| read_entry(&format!("echo on {keys};")).unwrap_err();
        assert!(fault("colour = red").text.contains("`colour`"));
        assert!(fault("protocol = tcp").text.contains("socktype"));
        assert!(fault("socktype = stream, protocol = tcp, protocol = tcp").text.contains("twice"));
        assert!(
            fault("socktype = stream, protocol = tcp, wait = perhaps").text.contains("perhaps")
        );
        assert!(fault("socktype = stream, protocol = tcp, ip_max = 0").remedy.contains("above 0"));
        assert!(fault("socktype = stream, protocol = tcp, exec = /x").text.contains("user"));
    }
}
