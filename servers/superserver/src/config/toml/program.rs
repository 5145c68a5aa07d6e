//! The program of a service.

use std::ffi::OsString;
use std::path::PathBuf;

use palco_processes::{Enclosure, Resource};
use toml::Spanned;

use crate::config::fault::{Fault, Read, quoted};
use crate::config::program::{absolute, account, check, user_and_group};
use crate::config::units::{nice, umask};
use crate::config::world::World;
use crate::spec;

use crate::spec::{Program, ResourceLimit, Urgent};

use super::model::{Confinement, Descriptors, Environment, Inherit, Scalar, Service, Shared};
use super::service::{At, at};
use super::value::{bytes, percent, resource};

/// Builds the program, with everything but the names of its descriptors.
pub(super) fn build(world: &dyn World, service: &Service, shared: &Shared) -> At<Program> {
    let words = service.program.as_ref().ok_or_else(|| {
        (
            None,
            Fault::new(
                "it has nothing to serve with",
                "add `program = […]`, `builtin = …` or `redirect = …`",
            ),
        )
    })?;
    let (path, args) = at(words, |words| {
        let [path, args @ ..] = words.as_slice() else {
            return Err(Fault::new(
                "`program` is empty",
                "write it as [\"/path/of/program\", \"argument\"]",
            ));
        };
        for word in words {
            no_nul(word)?;
        }
        let path = PathBuf::from(path);
        check(world, &path)?;
        Ok((path, args.iter().map(OsString::from).collect()))
    })?;
    let base = path.file_name().unwrap_or(path.as_os_str()).to_os_string();
    let arg0 = service.arg0.as_ref();
    if let Some(arg0) = arg0 {
        no_nul(arg0).map_err(|fault| (None, fault))?;
    }
    let mut program = Program::new(path, arg0.map_or(base, OsString::from));
    program.args = args;
    if let Some(user) = &shared.user {
        program.account = at(user, |word| {
            let (user, group) = user_and_group(world, word);
            account(world, user, group)
        })?;
    }
    if let Some(directory) = &shared.directory {
        program.directory = at(directory, |path| directory_path(path))?;
    }
    program.environment = environment(&shared.environment).map_err(|fault| (None, fault))?;
    program.descriptors = match shared.descriptors {
        Some(Descriptors::Inetd) | None => spec::Descriptors::Inetd,
        Some(Descriptors::Ucspi) => spec::Descriptors::Ucspi,
        Some(Descriptors::Listen) => spec::Descriptors::Listen { names: Vec::new() },
    };
    program.new_session = shared.new_session.unwrap_or(true);
    program.umask = shared.umask.as_ref().map(|word| at(word, |word| umask(word))).transpose()?;
    program.nice = shared
        .nice
        .map(|number| nice(&number.to_string()))
        .transpose()
        .map_err(|fault| (None, fault))?;
    program.urgent = match shared.urgent {
        None => Urgent::UnlessUsed,
        Some(true) => Urgent::On,
        Some(false) => Urgent::Off,
    };
    program.limits = shared.rlimits.iter().map(limit).collect::<At<_>>()?;
    program.confinement = confinement(&shared.confinement)?;
    Ok(program)
}

fn no_nul(word: &str) -> Read<()> {
    if word.contains('\0') {
        return Err(Fault::new(format!("{} holds a NUL", quoted(word)), "remove it"));
    }
    Ok(())
}

/// An absolute path.
pub(super) fn directory_path(path: &str) -> Read<PathBuf> {
    no_nul(path)?;
    let path = PathBuf::from(path);
    absolute(&path).map(|()| path)
}

fn environment(environment: &Environment) -> Read<spec::Environment> {
    let ours = spec::Environment::default();
    let name = |name: &String| {
        no_nul(name)?;
        if name.is_empty() || name.contains('=') {
            let text = format!("{} is no name of a variable", quoted(name));
            return Err(Fault::new(text, "write its name alone"));
        }
        Ok(OsString::from(name))
    };
    let inherit = match &environment.inherit {
        None => ours.inherit,
        Some(Inherit::All(super::model::All::All)) => None,
        Some(Inherit::Names(names)) => Some(names.iter().map(name).collect::<Read<_>>()?),
    };
    let set = environment.set.iter().flatten();
    let set = set
        .map(|(key, value)| no_nul(value).and_then(|()| Ok((name(key)?, OsString::from(value)))));
    Ok(spec::Environment {
        inherit,
        login: environment.login.unwrap_or(ours.login),
        set: set.collect::<Read<_>>()?,
        ucspi: environment.ucspi.unwrap_or(ours.ucspi),
        remote_host: environment.remote_host.unwrap_or(ours.remote_host),
    })
}

/// The resources, by the names of getrlimit(2) without their prefix, or in words.
const RESOURCES: [(&str, Resource); 11] = [
    ("address-space", Resource::RLIMIT_AS),
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("file-size", Resource::RLIMIT_FSIZE),
    ("locked-memory", Resource::RLIMIT_MEMLOCK),
    ("open-files", Resource::RLIMIT_NOFILE),
    ("processes", Resource::RLIMIT_NPROC),
    ("queued-signals", Resource::RLIMIT_SIGPENDING),
    ("resident", Resource::RLIMIT_RSS),
    ("stack", Resource::RLIMIT_STACK),
];

fn limit((name, value): (&String, &Spanned<Scalar>)) -> At<ResourceLimit> {
    at(value, |value| {
        let found = RESOURCES.iter().find(|(known, _)| known == name);
        let (_, resource_kind) = found.ok_or_else(|| {
            let names = RESOURCES.map(|(name, _)| name).join(", ");
            Fault::new(
                format!("there is no resource {}", quoted(name)),
                format!("resources are: {names}"),
            )
        })?;
        let (soft, hard) = resource(value)?;
        Ok(ResourceLimit { resource: *resource_kind, soft, hard })
    })
}

fn confinement(confinement: &Confinement) -> At<Enclosure> {
    let paths = |paths: &Option<Vec<Spanned<String>>>| -> At<Option<Vec<PathBuf>>> {
        let read = |paths: &Vec<Spanned<String>>| {
            paths.iter().map(|path| at(path, |path| directory_path(path))).collect()
        };
        paths.as_ref().map(read).transpose()
    };
    let size =
        |size: &Option<Spanned<Scalar>>| size.as_ref().map(|size| at(size, bytes)).transpose();
    let ours = Enclosure::default();
    Ok(Enclosure {
        program: None,
        no_new_privileges: confinement.no_new_privileges.unwrap_or(ours.no_new_privileges),
        read: paths(&confinement.read)?,
        write: paths(&confinement.write)?,
        no_administration: confinement.no_administration.unwrap_or(ours.no_administration),
        no_network: confinement.no_network.unwrap_or(ours.no_network),
        private_tmp_bytes: size(&confinement.private_tmp)?,
        memory_bytes: size(&confinement.memory)?,
        processes: positive("processes", confinement.processes)?,
        cpu_percent: confinement.cpu.as_ref().map(|cpu| at(cpu, |cpu| percent(cpu))).transpose()?,
    })
}

fn positive(name: &str, number: Option<u64>) -> At<Option<u64>> {
    if number == Some(0) {
        return Err((
            None,
            Fault::new(format!("`{name}` is 0"), "write a number above 0, or leave it out"),
        ));
    }
    Ok(number)
}
