//! A file as rules, line by line.

use std::io;
use std::path::Path;

use super::option::{self, Options};
use super::pattern::{at_sign, fits, split_at};
use super::{UNKNOWN, octets};

/// The longest line that is read, with what continues it, its newline and one byte more.
const LINE_BYTES_MAX: usize = 2048;

/// What separates the words of a list.
const SEPARATORS: [char; 5] = [',', ' ', '\t', '\r', '\n'];

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rules: Vec<Rule>,
    /// Why nothing after these rules counts.
    pub(super) broken: Option<Fault>,
}

#[derive(Debug)]
pub(super) struct Rule {
    /// Its first line.
    pub(super) line: u32,
    /// As it is written, on one line.
    pub(super) text: String,
    pub(super) daemons: Vec<String>,
    pub(super) clients: Vec<String>,
    pub(super) options: Options,
}

/// What is wrong where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u32,
    pub(super) text: String,
}

impl Table {
    /// Reads a file, and reports what is wrong with it.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Self {
        let (table, faults) = Self::read(text);
        for Fault { line, text } in &faults {
            tracing::warn!(file = %path.display(), line, "{text}");
        }
        table
    }

    /// Of a file that is there and cannot be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let text = format!("it cannot be read: {error}");
        tracing::warn!(file = %path.display(), "{text}");
        Self { rules: Vec::new(), broken: Some(Fault { line: 0, text }) }
    }

    /// The table, and what is to be said about it.
    fn read(text: &[u8]) -> (Self, Vec<Fault>) {
        let (mut table, mut faults) = (Self::default(), Vec::new());
        let lines = Lines { rest: text, number: 0 };
        for (line, logical) in lines {
            let mut fault = |text: String| faults.push(Fault { line, text });
            let Ok(bytes) = logical else {
                let text =
                    "the line is too long or has no newline at its end: the file ends before it";
                fault(text.into());
                table.broken = Some(Fault { line, text: text.into() });
                break;
            };
            let written = String::from_utf8_lossy(&bytes);
            if written.starts_with('#') || written.trim_matches([' ', '\t', '\r', '\n']).is_empty()
            {
                continue;
            }
            let Some((daemons, rest)) = split_at(&written, ':') else {
                fault("there is no colon after the daemons: the line is passed over".into());
                continue;
            };
            let (clients, options) = match split_at(rest, ':') {
                Some((clients, options)) => (clients, Some(options)),
                None => (rest, None),
            };
            let (daemons, clients) = (words(daemons), words(clients));
            let users = clients.iter().filter_map(|word| user_doubt(word));
            let hosts = clients.iter().chain(&daemons).filter_map(|word| host_doubt(word));
            faults.extend(users.chain(hosts).map(|text| Fault { line, text }));
            let options = options.map(option::parse).unwrap_or_default();
            let doubts = options.doubts.iter().chain(&options.fault).cloned();
            faults.extend(doubts.map(|text| Fault { line, text }));
            let text = written.trim().replace('\n', " ");
            table.rules.push(Rule { line, text, daemons, clients, options });
        }
        (table, faults)
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(SEPARATORS).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What is to be said about the user of `user@host`.
fn user_doubt(word: &str) -> Option<String> {
    let (user, _) = at_sign(word)?;
    (!fits(user, UNKNOWN)).then(|| {
        format!("`{word}` matches nobody: every user is unknown, for RFC 931 is not spoken")
    })
}

/// What is to be said about the host of a word.
fn host_doubt(word: &str) -> Option<String> {
    let host = at_sign(word).map_or(word, |(_, host)| host);
    if host.starts_with('@') {
        return Some(format!("`{word}` matches nobody: there are no netgroups"));
    }
    let (net, mask) = (!host.starts_with('/')).then(|| split_at(host, '/')).flatten()?;
    (!octets::is_net(net, mask)).then(|| {
        format!("`{word}` matches nobody: it is no net and mask like `10.0.0.0/8` or `[fd00::]/8`")
    })
}

/// The lines of a file, joined where a backslash is before the newline.
struct Lines<'a> {
    rest: &'a [u8],
    number: u32,
}

/// It has no newline within its bounds.
struct Endless;

impl Iterator for Lines<'_> {
    /// The number of the first line of it.
    type Item = (u32, Result<Vec<u8>, Endless>);

    /// As fgets(3) into one buffer and strlen(3) find them: what follows a NUL in a line is lost, its newline too.
    fn next(&mut self) -> Option<Self::Item> {
        let first = self.number + 1;
        let mut line = Vec::new();
        loop {
            let room = LINE_BYTES_MAX - line.len() - 1;
            let newline = self.rest.iter().take(room).position(|b| *b == b'\n');
            let taken = newline.map_or(room.min(self.rest.len()), |at| at + 1);
            if taken == 0 {
                return (!line.is_empty()).then_some((first, Err(Endless)));
            }
            let (piece, rest) = self.rest.split_at(taken);
            self.rest = rest;
            let piece = piece.split(|b| *b == 0).next().unwrap_or_default();
            match piece {
                [joined @ .., b'\\', b'\n'] => {
                    self.number += 1;
                    line.extend_from_slice(joined);
                }
                [.., b'\n'] => {
                    self.number += 1;
                    line.extend_from_slice(piece);
                    return Some((first, Ok(line)));
                }
                cut => line.extend_from_slice(cut),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(file: &[u8]) -> Vec<(u32, String)> {
        let (table, _) = Table::read(file);
        table.rules.into_iter().map(|rule| (rule.line, rule.text)).collect()
    }

    #[test]
    fn lines_are_joined_counted_and_passed_over() {
        let file = b"#a: b \\\nc\n\n \t\nd: \\\n  e\nno colon\nf: [::1] g\n";
        let expected = [(5, "d:   e".to_owned()), (8, "f: [::1] g".to_owned())];
        assert_eq!(texts(file), expected);
        assert_eq!(texts(b"a: b\0c\nd\n"), [(1, "a: bd".to_owned())]);
    }

    #[test]
    fn a_line_without_an_end_ends_the_file() {
        let fitting = format!("a: b\nd: {}\ne: f\n", "x".repeat(LINE_BYTES_MAX - 5));
        assert_eq!(Table::read(fitting.as_bytes()).0.rules.len(), 3);
        let long = format!("a: b\nd: {}\ne: f\n", "x".repeat(LINE_BYTES_MAX - 4));
        for file in [long.as_str(), "a: b\nc: d", "a: b\nc: d\\\n", "a: b\nc\\"] {
            let (table, faults) = Table::read(file.as_bytes());
            assert_eq!(table.rules.len(), 1, "{file}");
            assert_eq!(table.broken.map(|fault| fault.line), Some(2), "{file}");
            assert_eq!(faults.len(), 1);
        }
    }

    #[test]
    fn what_can_never_match_is_reported_with_its_line() {
        let file = b"ALL: ALL ALL@h un*@h\nALL: 10.0.0.0/99\nALL: @group\nALL: KNOWN@h\nd@10.0.0.0/8: /list [::1]/64\nd\nd: e: f\nd: root@h\n";
        let (_, faults) = Table::read(file);
        let lines: Vec<u32> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 3, 4, 6, 7, 8], "{faults:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(file in proptest::collection::vec(any::<u8>(), 0..4096)) {
            Table::read(&file);
        }

        #[test]
        fn anything_like_rules_is_read(file in r"([aA.1/@:\\\[\]*%=# \n]|EXCEPT|ALL|spawn|twist|umask|user){0,200}") {
            let (table, faults) = Table::read(file.as_bytes());
            prop_assert!(table.rules.len() + faults.len() <= 400);
        }
    }
}
