//! Options of hosts_options(5), read and applied.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{Group, User};
use tracing::Level;

use super::expand::{expand, unknown_letter};
use super::octets::is_space;
use super::table::Rule;
use super::{NameWanted, Request};
use crate::access::Extras;

/// The longest text of `banners` that is sent, in bytes; more is cut off.
const BANNER_BYTES_MAX: u64 = 64 * 1024;

/// The longest value after its expansions, in bytes.
const EXPANDED_BYTES_MAX: usize = 8 * 1024;

/// `nice` without a number.
const NICE_DEFAULT: i32 = 10;

const FACILITIES: [&str; 20] = [
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user",
    "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

const LEVELS: [(&str, Level); 8] = [
    ("emerg", Level::ERROR),
    ("alert", Level::ERROR),
    ("crit", Level::ERROR),
    ("err", Level::ERROR),
    ("warning", Level::WARN),
    ("notice", Level::INFO),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
];

/// The options of a rule, as far as they can be read.
#[derive(Debug, Default)]
pub(super) struct Options {
    settings: Vec<Setting>,
    /// Why the rule refuses, after these.
    pub(super) fault: Option<String>,
    /// What is to be said about them.
    pub(super) doubts: Vec<String>,
}

/// What a rule does to who matches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    Deny,
}

/// A rule that has matched.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) verdict: Verdict,
    pub(super) extras: Extras,
    /// Why it refuses, whatever the verdict.
    pub(super) fault: Option<String>,
}

#[derive(Debug)]
enum Setting {
    Verdict(Verdict),
    Spawn(String),
    Twist(String),
    Condition(String),
    SetEnvironment(String),
    Account { user: String, group: Option<String> },
    Group(String),
    Umask(u32),
    Nice(i32),
    Keepalive,
    Linger(Duration),
    Banners(PathBuf),
    Severity(Level),
    Rfc931,
}

/// Reads what follows the clients of a rule. What follows a fault is not read.
pub(super) fn parse(text: &str) -> Options {
    let mut options = Options::default();
    let fields = fields(text);
    let last = fields.len() - 1;
    for (at, field) in fields.iter().enumerate() {
        match setting(field, at == last) {
            Ok(setting) => {
                options.doubts.extend(setting.doubt());
                options.settings.push(setting);
            }
            Err(fault) => {
                options.fault = Some(fault);
                break;
            }
        }
    }
    options
}

/// Parts between colons; a colon after a backslash is part of its part.
fn fields(text: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => field.push(rest.next_if_eq(&':').unwrap_or('\\')),
            ':' => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

/// `keyword`, `keyword value` or `keyword = value`.
fn setting(field: &str, is_last: bool) -> Result<Setting, String> {
    let (key, value) = key_and_value(chopped(field));
    let named = key.to_ascii_lowercase();
    let none = || match value {
        None => Ok(()),
        Some(_) => Err(format!("option `{key}` takes no value")),
    };
    let some = || value.ok_or_else(|| format!("option `{key}` needs a value"));
    let bad = |value: &str| format!("option `{key}`: `{value}` is none of its values");
    let last = || if is_last { Ok(()) } else { Err(format!("option `{key}` must be the last")) };
    Ok(match named.as_str() {
        "" => return Err("there is a colon without an option".into()),
        "allow" | "deny" => {
            none()?;
            last()?;
            Setting::Verdict(if named == "allow" { Verdict::Allow } else { Verdict::Deny })
        }
        "spawn" => Setting::Spawn(some()?.into()),
        "aclexec" => Setting::Condition(some()?.into()),
        "twist" => {
            let command = some()?;
            last()?;
            Setting::Twist(command.into())
        }
        "setenv" => Setting::SetEnvironment(some()?.into()),
        "user" => match some()?.split_once('.') {
            Some((user, group)) => {
                Setting::Account { user: user.into(), group: Some(group.into()) }
            }
            None => Setting::Account { user: some()?.into(), group: None },
        },
        "group" => Setting::Group(some()?.into()),
        "umask" => {
            let mask = scan(some()?, 8).and_then(|mask| u32::try_from(mask).ok());
            Setting::Umask(
                mask.filter(|mask| *mask <= 0o777)
                    .ok_or_else(|| bad(some().unwrap_or_default()))?,
            )
        }
        "nice" => match value {
            Some(value) => {
                let nice = scan(value, 10).ok_or_else(|| bad(value))?;
                let most = i64::from(i16::MAX);
                Setting::Nice(nice.clamp(-most, most) as i32)
            }
            None => Setting::Nice(NICE_DEFAULT),
        },
        "keepalive" => {
            none()?;
            Setting::Keepalive
        }
        "linger" => {
            let value = some()?;
            let seconds = scan(value, 10).and_then(|seconds| u64::try_from(seconds).ok());
            Setting::Linger(Duration::from_secs(seconds.ok_or_else(|| bad(value))?))
        }
        "rfc931" => match value.map(|value| (value, scan(value, 10))) {
            Some((_, Some(1..))) | None => Setting::Rfc931,
            Some((value, _)) => return Err(bad(value)),
        },
        "banners" => Setting::Banners(some()?.into()),
        "severity" => {
            let value = some()?;
            Setting::Severity(severity(value).ok_or_else(|| bad(value))?)
        }
        _ => return Err(format!("there is no option `{key}`")),
    })
}

/// Without white space around it.
fn chopped(text: &str) -> &str {
    text.trim_matches(|c: char| u8::try_from(c).is_ok_and(is_space))
}

fn key_and_value(field: &str) -> (&str, Option<&str>) {
    const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
    let Some(end) = field.find(|c| c == '=' || BLANKS.contains(&c)) else { return (field, None) };
    let (key, value) = field.split_at(end);
    let value = value.trim_start_matches(BLANKS);
    let value = value.strip_prefix('=').unwrap_or(value).trim_start_matches(BLANKS);
    (key, (!value.is_empty()).then_some(value))
}

/// A whole number as scanf(3) reads one when nothing may follow; at most as large as it can be.
fn scan(text: &str, radix: u32) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    is_number.then(|| sign * i64::from_str_radix(digits, radix).unwrap_or(i64::MAX))
}

/// `facility.level` or `level`.
fn severity(value: &str) -> Option<Level> {
    let level = match value.split_once('.') {
        Some((facility, level)) => {
            FACILITIES.iter().find(|known| known.eq_ignore_ascii_case(facility))?;
            level
        }
        None => value,
    };
    LEVELS.iter().find(|(known, _)| known.eq_ignore_ascii_case(level)).map(|(_, level)| *level)
}

impl Setting {
    fn doubt(&self) -> Option<String> {
        match self {
            Self::Spawn(value)
            | Self::Twist(value)
            | Self::Condition(value)
            | Self::SetEnvironment(value) => {
                unknown_letter(value).map(|c| format!("`%{c}` stands for nothing"))
            }
            Self::Rfc931 => Some("option `rfc931` does nothing: users are not looked up".into()),
            Self::Verdict(_)
            | Self::Account { .. }
            | Self::Group(_)
            | Self::Umask(_)
            | Self::Nice(_)
            | Self::Keepalive
            | Self::Linger(_)
            | Self::Banners(_)
            | Self::Severity(_) => None,
        }
    }
}

/// What a rule that matches does; `verdict` is its file's.
pub(super) fn apply(
    rule: &Rule,
    verdict: Verdict,
    request: &Request<'_>,
) -> Result<Applied, NameWanted> {
    let mut applied = Applied { verdict, extras: Extras::default(), fault: None };
    for setting in &rule.options.settings {
        if let Err(fault) = applied.add(setting, request)? {
            applied.fault = Some(fault);
            return Ok(applied);
        }
    }
    applied.fault.clone_from(&rule.options.fault);
    Ok(applied)
}

/// Done, or why the rule refuses.
type Done = Result<(), String>;

impl Applied {
    fn add(&mut self, setting: &Setting, request: &Request<'_>) -> Result<Done, NameWanted> {
        let expanded = |value: &str| {
            Ok(match expand(value, request)? {
                long if long.len() > EXPANDED_BYTES_MAX => {
                    Err(format!("`{value}` expands to more than {EXPANDED_BYTES_MAX} bytes"))
                }
                value => Ok(chopped(&value).to_owned()),
            })
        };
        let extras = &mut self.extras;
        Ok(match setting {
            Setting::Verdict(verdict) => {
                self.verdict = *verdict;
                Ok(())
            }
            Setting::Spawn(command) => expanded(command)?.map(|command| extras.spawn.push(command)),
            Setting::Condition(command) => {
                expanded(command)?.map(|command| extras.conditions.push(command))
            }
            Setting::Twist(command) => {
                expanded(command)?.map(|command| extras.twist = Some(command))
            }
            Setting::SetEnvironment(value) => expanded(value)?.and_then(|value| {
                extras.environment.push(variable(&value)?);
                Ok(())
            }),
            Setting::Account { user, group } => account(user, group.as_deref()).map(|()| {
                extras.user = Some(user.clone());
                extras.group = group.clone().or(extras.group.take());
            }),
            Setting::Group(group) => {
                group_exists(group).map(|()| extras.group = Some(group.clone()))
            }
            Setting::Umask(mask) => {
                extras.umask = Some(*mask);
                Ok(())
            }
            Setting::Nice(nice) => {
                extras.nice = Some(extras.nice.unwrap_or(0).saturating_add(*nice));
                Ok(())
            }
            Setting::Keepalive => {
                extras.keepalive = true;
                Ok(())
            }
            Setting::Linger(time) => {
                extras.linger = Some(*time);
                Ok(())
            }
            Setting::Banners(directory) => {
                let file = directory.join(request.daemon);
                extras.banner = banner(&file, request)?;
                extras.banners = Some(file);
                Ok(())
            }
            Setting::Severity(level) => {
                extras.severity = Some(*level);
                Ok(())
            }
            Setting::Rfc931 => Ok(()),
        })
    }
}

/// `name value`.
fn variable(text: &str) -> Result<(OsString, OsString), String> {
    let (name, value) = text.split_once([' ', '\t', '\r', '\n']).unwrap_or((text, ""));
    if name.is_empty() || name.contains('=') || text.contains('\0') {
        return Err(format!("`{text}` is no name and value of a variable"));
    }
    Ok((name.into(), chopped(value).into()))
}

fn account(user: &str, group: Option<&str>) -> Done {
    // As the accounts are when the rule is applied.
    match User::from_name(user) {
        Ok(Some(_)) => group.map_or(Ok(()), group_exists),
        Ok(None) => Err(format!("there is no user `{user}`")),
        Err(error) => Err(format!("user `{user}` cannot be looked up: {error}")),
    }
}

fn group_exists(group: &str) -> Done {
    match Group::from_name(group) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(format!("there is no group `{group}`")),
        Err(error) => Err(format!("group `{group}` cannot be looked up: {error}")),
    }
}

/// The text of a banner with its expansions, for a terminal at the other end.
fn banner(file: &Path, request: &Request<'_>) -> Result<Vec<u8>, NameWanted> {
    let mut text = Vec::new();
    let read = if file.is_file() {
        File::open(file).and_then(|file| file.take(BANNER_BYTES_MAX).read_to_end(&mut text))
    } else {
        // A daemon without a banner is usual.
        Ok(0)
    };
    if let Err(error) = read
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(file = %file.display(), %error, "a banner cannot be read; nothing is sent");
    }
    let text = String::from_utf8_lossy(&text);
    Ok(expand(&text, request)?.replace('\n', "\r\n").into_bytes())
}
