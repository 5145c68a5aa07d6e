//! The text: blocks of settings, and includes.

use std::path::{Path, PathBuf};

use crate::config::fault::{Fault, quoted};
use crate::config::word::{Word, check_line, plain_words};
use crate::spec::Origin;

/// A piece of a text.
pub(super) enum Item {
    Block(Block),
    Include { origin: Origin, include: Include },
    Fault { origin: Origin, service: Option<String>, fault: Fault },
}

/// What is included.
pub(super) enum Include {
    File(PathBuf),
    Directory(PathBuf),
}

/// A block.
pub(super) struct Block {
    pub(super) head: Head,
    pub(super) origin: Origin,
    pub(super) settings: Vec<Setting>,
    /// Lines of the block that are wrong: its service is off.
    pub(super) faults: Vec<(Origin, Fault)>,
}

/// What a block is for.
pub(super) enum Head {
    Service(String),
    Defaults,
}

/// `name = value value`
pub(super) struct Setting {
    pub(super) origin: Origin,
    pub(super) name: String,
    pub(super) operator: Operator,
    pub(super) values: Vec<Word>,
}

/// How values are joined with those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Set,
    Add,
    Remove,
}

/// Most settings of a block.
const SETTINGS_MAX: usize = 1024;

/// The pieces of a text.
pub(super) fn items(file: &Path, text: &[u8]) -> Vec<Item> {
    let mut parser = Parser { items: Vec::new(), block: None, is_open: false };
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let origin = Origin { file: file.to_path_buf(), line: number };
        match check_line(line).and_then(|()| plain_words(line)) {
            Ok(words) => parser.line(origin, &words),
            Err(fault) => parser.fault(origin, fault),
        }
    }
    parser.end();
    parser.items
}

struct Parser {
    items: Vec<Item>,
    block: Option<Block>,
    /// The brace of the block has been seen.
    is_open: bool,
}

impl Parser {
    fn line(&mut self, origin: Origin, words: &[Word]) {
        if self.block.is_some() && self.is_open {
            return self.inside(origin, words);
        }
        if self.block.is_some() {
            if matches!(words, [word] if word.0 == b"{") {
                self.is_open = true;
                return;
            }
            self.abandon("its `{` is missing", "put `{` on the line after its name");
        }
        self.outside(origin, words);
    }

    fn outside(&mut self, origin: Origin, words: &[Word]) {
        // A brace on the same line is taken too, though xinetd wants it on the next.
        let (words, is_open) = match words {
            [head @ .., brace] if brace.0 == b"{" && !head.is_empty() => (head, true),
            _ => (words, false),
        };
        let texts: Vec<_> = words.iter().map(|word| word.text().unwrap_or_default()).collect();
        let head = match texts.as_slice() {
            ["service", name] => Head::Service((*name).to_owned()),
            ["defaults"] => Head::Defaults,
            [word @ ("include" | "includedir"), _] if !is_open => {
                let path = words[1].path();
                let include =
                    if *word == "include" { Include::File(path) } else { Include::Directory(path) };
                self.items.push(Item::Include { origin, include });
                return;
            }
            ["}"] => return,
            _ => {
                let shown = words.first().map(Word::quoted).unwrap_or_default();
                let text = format!("{shown} begins neither a service nor an include");
                let remedy = "begin with `service NAME`, `defaults`, `include FILE` or `includedir DIRECTORY`";
                // What was meant for a block without a head is said once.
                let is_repeated =
                    matches!(self.items.last(), Some(Item::Fault { service: None, .. }));
                if !is_repeated {
                    self.items.push(Item::Fault {
                        origin,
                        service: None,
                        fault: Fault::new(text, remedy),
                    });
                }
                return;
            }
        };
        self.block = Some(Block { head, origin, settings: Vec::new(), faults: Vec::new() });
        self.is_open = is_open;
    }

    fn inside(&mut self, origin: Origin, words: &[Word]) {
        if matches!(words, [word] if word.0 == b"}") {
            self.items.extend(self.block.take().map(Item::Block));
            return;
        }
        // A block that is not closed must not swallow the next one.
        if matches!(words, [first, _] if first.0 == b"service")
            || matches!(words, [first] if first.0 == b"defaults")
        {
            self.abandon("its `}` is missing", "put `}` after its last line");
            return self.outside(origin, words);
        }
        match setting(origin.clone(), words) {
            Ok(setting) => {
                if let Some(block) = &mut self.block
                    && block.settings.len() < SETTINGS_MAX
                {
                    block.settings.push(setting);
                }
            }
            Err(fault) => self.fault(origin, fault),
        }
    }

    /// A line is wrong: the service it is in is off.
    fn fault(&mut self, origin: Origin, fault: Fault) {
        match &mut self.block {
            Some(block) => block.faults.push((origin, fault)),
            None => self.items.push(Item::Fault { origin, service: None, fault }),
        }
    }

    fn abandon(&mut self, text: &str, remedy: &str) {
        let Some(block) = self.block.take() else { return };
        let service = match block.head {
            Head::Service(name) => Some(name),
            Head::Defaults => None,
        };
        self.items.push(Item::Fault {
            origin: block.origin,
            service,
            fault: Fault::new(text, remedy),
        });
    }

    fn end(&mut self) {
        let text = if self.is_open { "its `}` is missing" } else { "its `{` is missing" };
        self.abandon(text, "put it there");
    }
}

fn setting(origin: Origin, words: &[Word]) -> Result<Setting, Fault> {
    let missing = |word: &Word| {
        let text = format!("{} has no operator after it", word.quoted());
        Fault::new(text, "write `name = value`, with a blank on both sides of `=`, `+=` or `-=`")
    };
    let [name, rest @ ..] = words else {
        return Err(Fault::new("the line is empty", ""));
    };
    let [operator, values @ ..] = rest else { return Err(missing(name)) };
    // The operator may stick to the first value, as xinetd lets it.
    let (operator, stuck) = match operator.0.as_slice() {
        [b'=', value @ ..] => (Operator::Set, value),
        [b'+', b'=', value @ ..] => (Operator::Add, value),
        [b'-', b'=', value @ ..] => (Operator::Remove, value),
        _ => return Err(missing(name)),
    };
    let stuck = (!stuck.is_empty()).then(|| Word::from(stuck));
    let name = name.text()?.to_owned();
    if name.contains('=') {
        return Err(Fault::new(format!("{} needs a blank before `=`", quoted(&name)), "add it"));
    }
    let values = stuck.into_iter().chain(values.iter().cloned()).collect();
    Ok(Setting { origin, name, operator, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One word for each piece.
    fn shown(text: &str) -> Vec<String> {
        let item = |item: Item| match item {
            Item::Block(block) => {
                let name = match block.head {
                    Head::Service(name) => name,
                    Head::Defaults => "defaults".into(),
                };
                format!("{name} {}+{}", block.settings.len(), block.faults.len())
            }
            Item::Include { include: Include::File(path), .. } => {
                format!("file {}", path.display())
            }
            Item::Include { include: Include::Directory(path), .. } => {
                format!("directory {}", path.display())
            }
            Item::Fault { origin, service, .. } => {
                format!("fault {} {}", origin.line, service.unwrap_or_default())
            }
        };
        items(Path::new("x"), text.as_bytes()).into_iter().map(item).collect()
    }

    #[test]
    fn blocks_and_includes_are_told_apart() {
        let text = "# c\ndefaults\n{\n a = 1\r\n}\nservice x\n\n{\n a = 1\n # c\n b += 2 3\n}\ninclude /a\nincludedir b\n";
        assert_eq!(shown(text), ["defaults 1+0", "x 2+0", "file /a", "directory b"]);
        assert_eq!(shown("service x {\n}\n"), ["x 0+0"]);
    }

    #[test]
    fn a_mistake_in_a_block_is_its_own() {
        assert_eq!(shown("service x\n{\n port=1\n a\n}\nservice y\n{\n}\n"), ["x 0+2", "y 0+0"]);
        assert_eq!(shown("service x\n{\n a = 1\nservice y\n{\n}\n"), ["fault 1 x", "y 0+0"]);
        assert_eq!(shown("service x\nservice y\n{\n}\n"), ["fault 1 x", "y 0+0"]);
        assert_eq!(shown("service x\n{\n"), ["fault 1 x"]);
        assert_eq!(shown("a = 1\nb = 2\nservice y\n{\n}\n"), ["fault 1 ", "y 0+0"]);
    }

    #[test]
    fn values_may_stick_to_the_operator_but_names_may_not() {
        let words = |text: &str| plain_words(text.as_bytes()).unwrap();
        let origin = || Origin { file: "x".into(), line: 1 };
        let read = |text| setting(origin(), &words(text));
        let setting = read("a +=b c").unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!((setting.operator, setting.values.len()), (Operator::Add, 2));
        assert!(read("a= b").is_err());
        assert!(read("a=b = c").is_err());
    }
}
