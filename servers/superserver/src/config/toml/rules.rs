//! Limits, banners and who may.

use toml::Spanned;

use crate::access;
use crate::config::fault::Fault;
use crate::config::reading::Reading;
use crate::config::units::hundredths;
use crate::spec;
use crate::spec::{Action, Control, Run, ServiceSpec};

use super::model::{Access, Banners, HostsAccess, Limits, WhenFull};
use super::program::directory_path;
use super::service::{At, at};
use super::value::{action, duration, rate};

pub(super) fn limits(limits: &Limits, when_full: &WhenFull) -> At<spec::Limits> {
    let mut read = spec::Limits::default();
    let action = |word: &Option<Spanned<String>>| -> At<Action> {
        word.as_ref().map_or(Ok(Action::Defer), |word| at(word, |word| action(word)))
    };
    let count = |name: &str, count: Option<u32>| -> At<Option<u32>> {
        if count == Some(0) {
            return Err((
                None,
                Fault::new(
                    format!("`{name}` is 0"),
                    "write a number above 0, or `enabled = false`",
                ),
            ));
        }
        Ok(count)
    };
    let rate = |word: &Option<Spanned<String>>| {
        word.as_ref().map(|word| at(word, |word| rate(word))).transpose()
    };
    let time = |word: &Option<Spanned<String>>| {
        word.as_ref().map(|word| at(word, |word| duration(word))).transpose()
    };
    read.instances = Control {
        max: count("instances", limits.instances)?.unwrap_or(read.instances.max),
        action: action(&when_full.instances)?,
    };
    let per_source = action(&when_full.per_source)?;
    read.per_source =
        count("per-source", limits.per_source)?.map(|max| Control { max, action: per_source });
    let of_rate = action(&when_full.rate)?;
    read.rate = rate(&limits.rate)?.map(|max| Control { max, action: of_rate });
    let of_rate_per_source = action(&when_full.rate_per_source)?;
    read.rate_per_source =
        rate(&limits.rate_per_source)?.map(|max| Control { max, action: of_rate_per_source });
    let of_load = action(&when_full.load)?;
    let load = limits.load.map(|load| {
        hundredths(load).filter(|load| *load > 0).ok_or_else(|| {
            (None, Fault::new("`load` is no load", "write a number above 0, as 2.5"))
        })
    });
    read.load = load.transpose()?.map(|max| Control { max, action: of_load });
    read.idle = time(&limits.idle)?;
    read.end_within = time(&limits.end_within)?.unwrap_or(read.end_within);
    Ok(read)
}

pub(super) fn banners(banners: &Banners) -> At<spec::Banners> {
    let path = |path: &Option<Spanned<String>>| {
        path.as_ref().map(|path| at(path, |path| directory_path(path))).transpose()
    };
    Ok(spec::Banners {
        always: path(&banners.always)?,
        success: path(&banners.success)?,
        failure: path(&banners.failure)?,
    })
}

pub(super) fn access_rules(
    reading: &Reading<'_>,
    rules: &Access,
    spec: &ServiceSpec,
) -> At<access::Rules> {
    let path = |path: &Option<Spanned<String>>| {
        path.as_ref().map(|path| at(path, |path| directory_path(path))).transpose()
    };
    let mut hosts = match &rules.hosts_access {
        None | Some(HostsAccess::Asked(false)) => None,
        Some(HostsAccess::As(name)) => Some(reading.options.hosts(name.as_str())),
        Some(HostsAccess::Asked(true)) => Some(reading.options.hosts(match &spec.run {
            Run::Builtin(_) => spec.name.clone(),
            Run::Program(program) => {
                program.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
        })),
    };
    let (allow, deny) = (path(&rules.hosts_allow)?, path(&rules.hosts_deny)?);
    if let Some(hosts) = &mut hosts {
        hosts.allow = allow.unwrap_or_else(|| hosts.allow.clone());
        hosts.deny = deny.unwrap_or_else(|| hosts.deny.clone());
    }
    Ok(access::Rules {
        only_from: rules.only_from.as_ref().map(|words| parse_all(words)).transpose()?,
        no_access: parse_all(rules.no_access.as_deref().unwrap_or_default())?,
        times: parse_all(rules.times.as_deref().unwrap_or_default())?,
        hosts,
    })
}

fn parse_all<T: std::str::FromStr<Err = String>>(words: &[Spanned<String>]) -> At<Vec<T>> {
    let parse = |word: &Spanned<String>| {
        at(word, |word| {
            word.parse()
                .map_err(|error: String| Fault::new(error, "write it as xinetd.conf(5) does"))
        })
    };
    words.iter().map(parse).collect()
}
