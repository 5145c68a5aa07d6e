//! The attributes of a service, with what the defaults say.

use std::collections::HashMap;

use crate::config::fault::{Fault, Read, quoted};
use crate::config::reading::Reading;
use crate::config::word::Word;
use crate::spec::Origin;

use super::text::{Block, Head, Operator, Setting};

/// How an attribute is joined, and whether defaults may have it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// Set once, by a service.
    Own,
    /// Set once, by a service or by the defaults.
    Shared,
    /// A set, of a service or of the defaults.
    Set,
    /// A set of a service.
    OwnSet,
    /// A set of the defaults.
    DefaultsSet,
}

/// All attributes of xinetd.conf(5).
fn nature(name: &str) -> Option<Nature> {
    Some(match name {
        "id" | "type" | "flags" | "disable" | "socket_type" | "protocol" | "wait" | "user"
        | "group" | "nice" | "server" | "server_args" | "libwrap" | "access_times"
        | "rpc_version" | "rpc_number" | "port" | "redirect" | "rlimit_as" | "rlimit_files"
        | "rlimit_cpu" | "rlimit_data" | "rlimit_rss" | "rlimit_stack" | "deny_time" => Nature::Own,
        "log_type" | "bind" | "interface" | "per_source" | "umask" | "instances" | "banner"
        | "banner_success" | "banner_fail" | "groups" | "cps" | "max_load" | "mdns" => {
            Nature::Shared
        }
        "only_from" | "no_access" | "log_on_success" | "log_on_failure" | "passenv" => Nature::Set,
        "env" => Nature::OwnSet,
        "enabled" | "disabled" => Nature::DefaultsSet,
        _ => return None,
    })
}

/// What is wrong with a service, line by line.
#[derive(Default)]
pub(super) struct Faults(Vec<(Origin, Fault)>);

impl Faults {
    pub(super) fn add(&mut self, origin: &Origin, fault: Fault) {
        self.0.push((origin.clone(), fault));
    }

    /// The value, or what is wrong with it is kept.
    pub(super) fn ok<T>(&mut self, origin: &Origin, read: Read<T>) -> Option<T> {
        read.map_err(|fault| self.add(origin, fault)).ok()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(self) -> Vec<(Origin, Fault)> {
        self.0
    }
}

/// An attribute with its values and its place.
#[derive(Clone)]
pub(super) struct Attribute {
    pub(super) origin: Origin,
    pub(super) values: Vec<Word>,
}

/// What the defaults say.
#[derive(Default)]
pub(super) struct Defaults {
    attributes: HashMap<String, Attribute>,
}

impl Defaults {
    pub(super) fn read(reading: &mut Reading<'_>, block: Option<&Block>) -> Self {
        let mut defaults = Self::default();
        let Some(block) = block else { return defaults };
        for (origin, fault) in &block.faults {
            reading.refuse(origin, None, fault.clone());
        }
        for setting in &block.settings {
            let name = canonical(&setting.name);
            match nature(name) {
                Some(Nature::Shared) => {
                    defaults.attributes.entry(name.to_owned()).or_insert_with(|| setting.into());
                }
                // In defaults, `=` adds too.
                Some(Nature::Set | Nature::DefaultsSet) => {
                    let operator = match setting.operator {
                        Operator::Set | Operator::Add => Operator::Add,
                        Operator::Remove => Operator::Remove,
                    };
                    join(&mut defaults.attributes, name, setting, operator);
                }
                Some(Nature::Own | Nature::OwnSet) => {
                    let text = format!("{} is left out: defaults do not have it", quoted(name));
                    reading.warn(
                        &setting.origin,
                        None,
                        Fault::new(text, "write it in the services"),
                    );
                }
                None => reading.warn(&setting.origin, None, unknown(name)),
            }
        }
        defaults
    }

    fn lists(&self, attribute: &str, id: &str) -> Option<bool> {
        let attribute = self.attributes.get(attribute)?;
        Some(attribute.values.iter().any(|word| word.0 == id.as_bytes()))
    }
}

/// What holds for a service.
pub(super) struct Attributes {
    all: HashMap<String, Attribute>,
    /// Where its block begins.
    pub(super) origin: Origin,
}

impl Attributes {
    pub(super) fn of(
        reading: &mut Reading<'_>,
        block: &Block,
        defaults: &Defaults,
        faults: &mut Faults,
    ) -> Self {
        let mut own: HashMap<String, Attribute> = HashMap::new();
        for (origin, fault) in &block.faults {
            faults.add(origin, fault.clone());
        }
        for setting in &block.settings {
            let name = canonical(&setting.name);
            match nature(name) {
                Some(Nature::Own | Nature::Shared) => {
                    if setting.operator != Operator::Set {
                        let text = format!("{} is no list", quoted(name));
                        faults.add(&setting.origin, Fault::new(text, "write `=`"));
                    } else if own.contains_key(name) {
                        let text = format!("{} is set already: the first one holds", quoted(name));
                        let service = match &block.head {
                            Head::Service(name) => Some(name.as_str()),
                            Head::Defaults => None,
                        };
                        reading.warn(&setting.origin, service, Fault::new(text, "remove one"));
                    } else {
                        own.insert(name.to_owned(), setting.into());
                    }
                }
                Some(Nature::Set | Nature::OwnSet) => {
                    // `+=` and `-=` begin with what the defaults say, `=` begins anew.
                    if let (Operator::Add | Operator::Remove, Some(default), false) =
                        (setting.operator, defaults.attributes.get(name), own.contains_key(name))
                    {
                        own.insert(name.to_owned(), default.clone());
                    }
                    if setting.operator == Operator::Remove && name == "env" {
                        faults.add(
                            &setting.origin,
                            Fault::new("`env` knows no `-=`", "remove the line"),
                        );
                    }
                    join(&mut own, name, setting, setting.operator);
                }
                Some(Nature::DefaultsSet) => {
                    let text = format!("{} belongs into the defaults", quoted(name));
                    faults.add(&setting.origin, Fault::new(text, "write `disable = yes` here"));
                }
                None => faults.add(&setting.origin, unknown(name)),
            }
        }
        let mut all = defaults.attributes.clone();
        all.retain(|name, _| nature(name) != Some(Nature::DefaultsSet));
        all.extend(own);
        Self { all, origin: block.origin.clone() }
    }

    /// Whether the service is not to be served, by its own words or by the defaults.
    pub(super) fn is_off(&self, defaults: &Defaults, name: &str) -> bool {
        let id = self.get("id").and_then(|id| id.values.first()?.text().ok()).unwrap_or(name);
        let has = |attribute: &str, wanted: &[u8]| {
            self.get(attribute)
                .is_some_and(|found| found.values.iter().any(|word| word.0 == wanted))
        };
        has("disable", b"yes")
            || has("flags", b"DISABLE")
            || defaults.lists("enabled", id) == Some(false)
            || defaults.lists("disabled", id) == Some(true)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Attribute> {
        self.all.get(name)
    }

    /// Reads an attribute, if it is there.
    pub(super) fn read<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        read: impl FnOnce(&Attribute) -> Read<T>,
    ) -> Option<T> {
        let attribute = self.get(name)?;
        faults.ok(&attribute.origin, read(attribute))
    }

    /// Reads an attribute of one word, if it is there.
    pub(super) fn read_word<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Option<T> {
        self.read(name, faults, |attribute| read(attribute.word(name)?.text()?))
    }

    /// Reads an attribute of one word that has to be there.
    pub(super) fn require<T>(
        &self,
        name: &str,
        faults: &mut Faults,
        read: impl FnOnce(&str) -> Read<T>,
    ) -> Option<T> {
        if self.get(name).is_none() {
            let fault = Fault::new(format!("`{name}` is missing"), format!("write `{name} = …`"));
            faults.add(&self.origin, fault);
        }
        self.read_word(name, faults, read)
    }
}

impl Attribute {
    /// Its one value.
    pub(super) fn word(&self, name: &str) -> Read<&Word> {
        match self.values.as_slice() {
            [word] => Ok(word),
            values => {
                let text = format!("`{name}` has {} values", values.len());
                Err(Fault::new(text, "write one"))
            }
        }
    }

    /// All of its values, as text.
    pub(super) fn texts(&self) -> Read<Vec<&str>> {
        self.values.iter().map(Word::text).collect()
    }
}

impl From<&Setting> for Attribute {
    fn from(setting: &Setting) -> Self {
        Self { origin: setting.origin.clone(), values: setting.values.clone() }
    }
}

fn join(all: &mut HashMap<String, Attribute>, name: &str, setting: &Setting, operator: Operator) {
    let attribute = all
        .entry(name.to_owned())
        .or_insert_with(|| Attribute { origin: setting.origin.clone(), values: Vec::new() });
    attribute.origin = setting.origin.clone();
    match operator {
        Operator::Set => attribute.values.clone_from(&setting.values),
        Operator::Add => attribute.values.extend_from_slice(&setting.values),
        Operator::Remove => attribute.values.retain(|value| !setting.values.contains(value)),
    }
}

/// `interface` is another name of `bind`.
fn canonical(name: &str) -> &str {
    if name == "interface" { "bind" } else { name }
}

fn unknown(name: &str) -> Fault {
    let text = format!("there is no attribute {}", quoted(name));
    Fault::new(text, "remove it, or correct it after xinetd.conf(5)")
}
