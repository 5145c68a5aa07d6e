//! A reading under way: what every language shares while it fills a plan.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::spec::{Builtin, Endpoint, Origin, Plan, Remark, Run, ServiceSpec, Severity};

use super::fault::{Fault, Read, quoted};
use super::taken::Taken;
use super::world::World;
use super::{Dialect, FILE_BYTES_MAX, Options};

/// Most services of a plan.
pub(super) const SERVICES_MAX: usize = 4096;
/// Most remarks of a plan.
pub(super) const REMARKS_MAX: usize = 10_000;
/// Most files of a plan.
pub(super) const FILES_MAX: usize = 256;
/// Most files that include each other.
const DEPTH_MAX: usize = 16;
/// Most addresses of one service.
const ENDPOINTS_MAX: usize = 64;

/// A plan that is being read.
pub(super) struct Reading<'a> {
    pub(super) options: &'a Options,
    pub(super) world: &'a dyn World,
    pub(super) dialect: Dialect,
    plan: Plan,
    /// Of each service, the protocol that tells it from others of its name.
    protocols: Vec<String>,
    /// Explanations that are given once.
    said: HashSet<&'static str>,
    taken: Taken,
    /// Files that are being read, the outermost first.
    open: Vec<PathBuf>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        path: &Path,
        dialect: Dialect,
        options: &'a Options,
        world: &'a dyn World,
    ) -> Self {
        Self {
            options,
            world,
            dialect,
            plan: Plan { files: vec![path.to_path_buf()], ..Plan::default() },
            protocols: Vec::new(),
            said: HashSet::new(),
            taken: Taken::default(),
            open: vec![path.to_path_buf()],
        }
    }

    /// The file that is being read.
    pub(super) fn file(&self) -> &Path {
        self.open.last().expect("the first file is never closed")
    }

    /// A line of the file that is being read.
    pub(super) fn line(&self, line: u32) -> Origin {
        Origin { file: self.file().to_path_buf(), line }
    }

    /// Says something, while there is room for it.
    fn say(&mut self, severity: Severity, origin: &Origin, service: Option<&str>, fault: Fault) {
        let Fault { mut text, mut remedy } = fault;
        if self.plan.remarks.len() + 1 == REMARKS_MAX {
            text = format!("this is remark {REMARKS_MAX}; there are more, which are not shown");
            remedy = "begin with the first ones".into();
        } else if self.plan.remarks.len() >= REMARKS_MAX {
            return;
        }
        let service = service.map(|name| quoted(name).trim_matches('`').to_owned());
        let origin = origin.clone();
        self.plan.remarks.push(Remark { severity, origin, service, text, remedy });
    }

    /// A service is off.
    pub(super) fn refuse(&mut self, origin: &Origin, service: Option<&str>, fault: Fault) {
        self.say(Severity::Error, origin, service, fault);
    }

    /// A service is on, but not as written.
    pub(super) fn warn(&mut self, origin: &Origin, service: Option<&str>, fault: Fault) {
        self.say(Severity::Warning, origin, service, fault);
    }

    /// A warning whose kind is given once for all files.
    pub(super) fn warn_once(&mut self, topic: &'static str, origin: &Origin, fault: Fault) {
        if self.said.insert(topic) {
            self.say(Severity::Warning, origin, None, fault);
        }
    }

    /// What a line means here that it would not mean elsewhere; once for each topic.
    pub(super) fn explain(&mut self, topic: &'static str, origin: &Origin, text: &str) {
        if self.said.insert(topic) {
            self.say(Severity::Note, origin, None, Fault::new(text, ""));
        }
    }

    /// Puts a service into the plan, unless it is one too many or its address is taken.
    ///
    /// `protocol` tells it from others of its name.
    pub(super) fn serve(&mut self, mut service: ServiceSpec, protocol: &str) {
        let (origin, name) = (service.origin.clone(), service.id.clone());
        service.endpoints = self.without_absent_v6(&origin, service.endpoints);
        if let Err(fault) = self.admit(&service) {
            self.refuse(&origin, Some(&name), fault);
            return;
        }
        for endpoint in &service.endpoints {
            self.taken.take(endpoint, &origin);
        }
        self.plan.services.push(service);
        self.protocols.push(protocol.to_owned());
    }

    fn admit(&self, service: &ServiceSpec) -> Read<()> {
        if self.plan.services.len() >= SERVICES_MAX {
            let text = format!("there are {SERVICES_MAX} services already");
            return Err(Fault::new(text, "run the others in a superserver of their own"));
        }
        if service.endpoints.len() > ENDPOINTS_MAX {
            let text = format!(
                "it has {} addresses, {ENDPOINTS_MAX} are the most",
                service.endpoints.len()
            );
            return Err(Fault::new(text, "listen on the wildcard address"));
        }
        if service.endpoints.is_empty() && service.mux.is_none() {
            return Err(Fault::new("it listens nowhere", "name an address or a port"));
        }
        let mut own = Taken::default();
        for endpoint in &service.endpoints {
            if let Some(holder) = self.taken.holder(endpoint) {
                let text = format!("{} is taken by {holder}", endpoint.address);
                return Err(Fault::new(text, "give one of them another port, or remove it"));
            }
            if own.holder(endpoint).is_some() {
                let text =
                    format!("{} is taken by another address of the same service", endpoint.address);
                return Err(Fault::new(text, "name only the wider of them"));
            }
            own.take(endpoint, &service.origin);
        }
        let Some(mux) = &service.mux else { return Ok(()) };
        let is_same = |other: &&ServiceSpec| {
            other.mux.as_ref().is_some_and(|other| other.name.eq_ignore_ascii_case(&mux.name))
        };
        match self.plan.services.iter().find(is_same) {
            None => Ok(()),
            Some(first) => {
                let text = format!("{} has that name of tcpmux already", first.origin);
                Err(Fault::new(text, "give it another name"))
            }
        }
    }

    /// On a machine without IPv6, its wildcard is left out or becomes that of IPv4.
    fn without_absent_v6(&mut self, origin: &Origin, endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
        if self.world.has_ipv6() {
            return endpoints;
        }
        let is_v6 = |endpoint: &Endpoint| endpoint.address.socket().is_some_and(|s| s.is_ipv6());
        if endpoints.iter().any(is_v6) {
            self.explain(
                "no-ipv6",
                origin,
                "this machine has no IPv6: only IPv4 addresses are used",
            );
        }
        endpoints.into_iter().filter_map(super::address::without_v6).collect()
    }

    /// Goes into an included file; [`Reading::leave`] when it is read.
    pub(super) fn enter(&mut self, path: &Path) -> Read<Vec<u8>> {
        let shown = quoted(&path.to_string_lossy());
        if self.open.iter().any(|open| open == path) {
            let text = format!("{shown} includes itself");
            return Err(Fault::new(text, "remove one of the includes"));
        }
        if self.open.len() >= DEPTH_MAX {
            let text = format!("{shown} is included more than {DEPTH_MAX} files deep");
            return Err(Fault::new(text, "include it from a file further up"));
        }
        if self.plan.files.len() >= FILES_MAX {
            let text = format!("{shown} is more than {FILES_MAX} files");
            return Err(Fault::new(text, "put several services into one file"));
        }
        let bytes = self.world.bytes(path, FILE_BYTES_MAX).map_err(|error| {
            Fault::new(format!("{shown} cannot be read: {error}"), "name a file that can be read")
        })?;
        self.plan.files.push(path.to_path_buf());
        self.open.push(path.to_path_buf());
        Ok(bytes)
    }

    /// An included file is read.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// A path as it is meant in the file that is being read.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        self.file().parent().unwrap_or_else(|| Path::new("")).join(path)
    }

    /// The names in a directory that `wanted` takes, in the order of their bytes.
    pub(super) fn names(
        &self,
        directory: &Path,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Read<Vec<PathBuf>> {
        let mut names = self.world.names(directory).map_err(|error| {
            let shown = quoted(&directory.to_string_lossy());
            Fault::new(
                format!("{shown} cannot be read: {error}"),
                "name a directory that can be read",
            )
        })?;
        names.retain(|name| wanted(OsStr::as_bytes(name)));
        names.sort();
        Ok(names.iter().map(|name| directory.join(name)).collect())
    }

    /// A name for tcpmux is of no use without tcpmux.
    fn warn_of_lonely_names(&mut self) {
        let is_tcpmux = |service: &ServiceSpec| service.run == Run::Builtin(Builtin::Tcpmux);
        let named = self.plan.services.iter().find(|service| service.mux.is_some());
        let Some(named) = named.filter(|_| !self.plan.services.iter().any(is_tcpmux)) else {
            return;
        };
        let (origin, id) = (named.origin.clone(), named.id.clone());
        let text = "there is no tcpmux that would start it";
        self.warn(&origin, Some(&id), Fault::new(text, "add the service tcpmux"));
    }

    /// The plan: ids are unique, remarks in the order of the text.
    pub(super) fn finish(mut self) -> Plan {
        self.warn_of_lonely_names();
        make_unique(&mut self.plan.services, &self.protocols);
        let order: HashMap<_, _> = self.plan.files.iter().zip(0_usize..).collect();
        let place = |remark: &Remark| {
            (order.get(&remark.origin.file).copied().unwrap_or(usize::MAX), remark.origin.line)
        };
        self.plan.remarks.sort_by_key(place);
        self.plan
    }
}

/// Makes ids unique: `echo` stays unless there are several; then they are `echo/tcp`, `echo/udp`, `echo/udp/2`.
fn make_unique(services: &mut [ServiceSpec], protocols: &[String]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for service in &*services {
        *count.entry(service.id.clone()).or_default() += 1;
    }
    let is_alone = |id: &str| count.get(id) == Some(&1);
    let mut used: HashSet<String> =
        services.iter().filter(|service| is_alone(&service.id)).map(|s| s.id.clone()).collect();
    let mut next: HashMap<String, usize> = HashMap::new();
    for (service, protocol) in services.iter_mut().zip(protocols) {
        if is_alone(&service.id) {
            continue;
        }
        let base = format!("{}/{protocol}", service.id);
        let number = next.entry(base.clone()).or_insert(1);
        let mut id = base.clone();
        while !used.insert(id.clone()) {
            *number += 1;
            id = format!("{base}/{number}");
        }
        service.id = id;
    }
}
