//! Tests of reading as a whole, in a world of its own.

mod bounds;
mod files;
mod gnu;
mod imagined;
mod openbsd;
mod other;
mod palco;
mod xinetd;

use std::path::Path;

use crate::spec::{Origin, Plan, Program, Run, ServiceSpec, Severity};

use super::{Dialect, Options, read_text};

use imagined::Imagined;

/// A text read in a dialect, in a world as [`Imagined::default`].
fn plan(dialect: Dialect, text: &str) -> Plan {
    plan_with(dialect, text, &Options::default(), &Imagined::default())
}

fn plan_with(dialect: Dialect, text: &str, options: &Options, world: &Imagined) -> Plan {
    let options = Options { dialect: Some(dialect), ..options.clone() };
    read_text(text.as_bytes(), Path::new("/etc/x.conf"), &options, world)
}

/// The one service of a text that has no errors.
fn one(plan: &Plan) -> &ServiceSpec {
    assert!(errors(plan).is_empty(), "{:?}", errors(plan));
    let [service] = plan.services.as_slice() else { panic!("{:?}", plan.services) };
    service
}

fn program(service: &ServiceSpec) -> &Program {
    match &service.run {
        Run::Program(program) => program,
        Run::Builtin(builtin) => panic!("{builtin:?}"),
    }
}

/// Errors as `line text`.
fn errors(plan: &Plan) -> Vec<String> {
    remarks(plan, Severity::Error)
}

fn remarks(plan: &Plan, severity: Severity) -> Vec<String> {
    let of = plan.remarks.iter().filter(|remark| remark.severity == severity);
    of.map(|remark| format!("{} {}; {}", remark.origin.line, remark.text, remark.remedy)).collect()
}

/// Whether one of them holds all of the words.
fn say(remarks: &[String], words: &[&str]) -> bool {
    remarks.iter().any(|remark| words.iter().all(|word| remark.contains(word)))
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.services.iter().map(|service| service.id.as_str()).collect()
}

fn addresses(service: &ServiceSpec) -> Vec<String> {
    service.endpoints.iter().map(|endpoint| endpoint.address.to_string()).collect()
}

fn line(line: u32) -> Origin {
    Origin { file: "/etc/x.conf".into(), line }
}
