//! Limits: of instances, of starts, of resources.

use std::time::Duration;

use palco_processes::Resource;

use crate::config::fault::{Fault, Read};
use crate::spec::{Action, Control, Limits, Rate, ResourceLimit};

use super::attributes::{Attribute, Attributes, Faults};
use super::value::{count, load, size};

/// Limits of the service. `instances` and `per_source` let wait; `cps` refuses for as long as it says.
pub(super) fn of_service(attributes: &Attributes, faults: &mut Faults) -> Limits {
    let mut limits = Limits::default();
    if let Some(instances) = attributes.read_word("instances", faults, count) {
        limits.instances = Control::defer(instances.unwrap_or(u32::MAX));
    }
    limits.per_source =
        attributes.read_word("per_source", faults, count).flatten().map(Control::defer);
    limits.rate = attributes.read("cps", faults, cps);
    limits.load = attributes.read_word("max_load", faults, load).flatten().map(Control::defer);
    limits
}

/// `cps = starts-per-second seconds-of-pause`
fn cps(attribute: &Attribute) -> Read<Control<Rate>> {
    let fault = || {
        let text = "`cps` takes two numbers: starts per second, and seconds of pause";
        Fault::new(text, "write them as `50 10`")
    };
    let numbers: Vec<u32> = attribute
        .texts()?
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| fault())?;
    let [count, pause] = numbers[..] else { return Err(fault()) };
    if count == 0 {
        return Err(fault());
    }
    let action = match pause {
        0 => Action::Defer,
        seconds => Action::Close(Duration::from_secs(seconds.into())),
    };
    Ok(Control { max: Rate { count, per: Duration::from_secs(1) }, action })
}

/// Limits of resources of the program.
pub(super) fn of_resources(attributes: &Attributes, faults: &mut Faults) -> Vec<ResourceLimit> {
    let resources = [
        ("rlimit_as", Resource::RLIMIT_AS),
        ("rlimit_files", Resource::RLIMIT_NOFILE),
        ("rlimit_cpu", Resource::RLIMIT_CPU),
        ("rlimit_data", Resource::RLIMIT_DATA),
        ("rlimit_rss", Resource::RLIMIT_RSS),
        ("rlimit_stack", Resource::RLIMIT_STACK),
    ];
    let limit = |(name, resource)| {
        let limit = attributes.read_word(name, faults, size)?;
        Some(ResourceLimit { resource, soft: limit, hard: limit })
    };
    resources.into_iter().filter_map(limit).collect()
}
