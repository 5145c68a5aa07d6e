//! xinetd.conf: a block for each service, one for defaults, and files that are included.

mod attributes;
mod flags;
mod limits;
mod run;
mod service;
mod text;
mod value;

use std::path::Path;

use crate::spec::Origin;

use super::fault::Fault;
use super::reading::{Reading, SERVICES_MAX};

use attributes::{Attributes, Defaults, Faults};
use text::{Block, Head, Include, Item, items};

/// Reads a whole text. Defaults are for all services, wherever they are written.
pub(super) fn read(reading: &mut Reading<'_>, text: &[u8]) {
    let mut blocks = Blocks::default();
    blocks.read(reading, text);
    let defaults = Defaults::read(reading, blocks.defaults.as_ref());
    for block in &blocks.services {
        serve(reading, block, &defaults);
    }
}

/// What is gathered before it is known what the defaults are.
#[derive(Default)]
struct Blocks {
    defaults: Option<Block>,
    services: Vec<Block>,
}

impl Blocks {
    fn read(&mut self, reading: &mut Reading<'_>, text: &[u8]) {
        for item in items(reading.file(), text) {
            match item {
                Item::Block(block) => self.add(reading, block),
                Item::Include { origin, include } => self.include(reading, &origin, &include),
                Item::Fault { origin, service, fault } => {
                    reading.refuse(&origin, service.as_deref(), fault);
                }
            }
        }
    }

    fn add(&mut self, reading: &mut Reading<'_>, block: Block) {
        match &block.head {
            // Those that are off count too: what is kept until the defaults are known is bounded.
            Head::Service(name) if self.services.len() >= SERVICES_MAX => {
                let text = format!("there are {SERVICES_MAX} services already");
                let fault = Fault::new(text, "remove those that are off");
                reading.refuse(&block.origin, Some(name), fault);
            }
            Head::Service(_) => self.services.push(block),
            Head::Defaults => match &self.defaults {
                None => self.defaults = Some(block),
                Some(first) => {
                    let text = format!("{} has defaults already: these are left out", first.origin);
                    reading.warn(&block.origin, None, Fault::new(text, "put them together"));
                }
            },
        }
    }

    fn include(&mut self, reading: &mut Reading<'_>, origin: &Origin, include: &Include) {
        let paths = match include {
            Include::File(path) => Ok(vec![reading.beside(path)]),
            Include::Directory(path) => {
                let directory = reading.beside(path);
                reading.names(&directory, is_included)
            }
        };
        let paths = match paths {
            Ok(paths) => paths,
            Err(fault) => return reading.refuse(origin, None, fault),
        };
        for path in paths {
            self.read_file(reading, origin, &path);
        }
    }

    fn read_file(&mut self, reading: &mut Reading<'_>, origin: &Origin, path: &Path) {
        match reading.enter(path) {
            Ok(bytes) => {
                self.read(reading, &bytes);
                reading.leave();
            }
            Err(fault) => reading.refuse(origin, None, fault),
        }
    }
}

/// `includedir` leaves out what editors and packages leave behind.
fn is_included(name: &[u8]) -> bool {
    !name.contains(&b'.') && !name.ends_with(b"~")
}

/// Puts a service into the plan, unless it is off or something about it is wrong.
fn serve(reading: &mut Reading<'_>, block: &Block, defaults: &Defaults) {
    let Head::Service(name) = &block.head else { return };
    let mut faults = Faults::default();
    let attributes = Attributes::of(reading, block, defaults, &mut faults);
    // What is off need not be right: its program may not even be installed.
    if attributes.is_off(defaults, name) {
        return;
    }
    let built = service::build(reading, &attributes, name, block, &mut faults);
    match built {
        Some((spec, protocol)) if faults.is_empty() => {
            service::explain(reading, &attributes, &spec);
            reading.serve(spec, protocol);
        }
        Some(_) | None => {
            for (origin, fault) in faults.take() {
                reading.refuse(&origin, Some(name), fault);
            }
        }
    }
}
