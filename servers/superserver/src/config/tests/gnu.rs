//! inetd.conf as GNU inetutils reads it.

use crate::spec::{Builtin, MuxName, Run};

use super::*;

fn read(text: &str) -> Plan {
    plan(Dialect::Gnu, text)
}

#[test]
fn protocols_mean_what_they_mean_to_gnu() {
    let table = [
        ("tcp", "tcp 0.0.0.0:80"),
        ("tcp4", "tcp 0.0.0.0:80"),
        ("tcp6", "tcp [::]:80"),
        ("tcp6only", "tcp [::]:80 (IPv6 only)"),
        ("tcp46", "tcp 0.0.0.0:80"),
    ];
    for (protocol, expected) in table {
        let plan = read(&format!("http stream {protocol} nowait root /x\n"));
        assert_eq!(addresses(one(&plan)), [expected], "{protocol}");
    }
    let notes = remarks(&read("http stream tcp6 nowait root /x\n"), Severity::Note);
    assert!(say(&notes, &["IPv6 and IPv4", "tcp6only"]));
}

#[test]
fn tcpmux_starts_programs_by_name() {
    let text = "tcpmux stream tcp nowait root internal\ntcpmux/+date stream tcp nowait nobody /bin/date date\ntcpmux/time stream tcp nowait nobody /bin/date\n";
    let plan = read(text);
    assert_eq!(errors(&plan), [] as [&str; 0]);
    assert_eq!(plan.services[0].run, Run::Builtin(Builtin::Tcpmux));
    let mux = |name: &str, greets| Some(MuxName { name: name.into(), greets });
    assert_eq!(plan.services[1].mux, mux("date", true));
    assert_eq!(plan.services[2].mux, mux("time", false));
    assert!(plan.services[1].endpoints.is_empty());
    let twice = read("tcpmux/+a stream tcp nowait root /x\ntcpmux/A stream tcp nowait root /x\n");
    assert!(say(&errors(&twice), &["2 ", "x.conf:1"]));
    assert!(say(&remarks(&twice, Severity::Warning), &["no tcpmux"]));
    assert!(say(&errors(&read("tcpmux/a stream tcp wait root /x\n")), &["stream tcp nowait"]));
    assert!(say(&errors(&read("tcpmux/a dgram udp wait root /x\n")), &["stream tcp nowait"]));
}

#[test]
fn quotes_hold_words_together_and_blanks_begin_nothing() {
    let plan =
        read("  http stream tcp nowait root /x x \"a b\" 'c d'\n ftp stream tcp nowait root /x\n");
    assert_eq!(ids(&plan), ["http", "ftp"]);
    assert_eq!(program(&plan.services[0]).args, ["a b", "c d"]);
    assert!(say(&errors(&read("http stream tcp nowait root /x 'a\n")), &["quote"]));
}

#[test]
fn the_environment_is_inherited_and_addresses_are_told_on_request() {
    let text = "http stream tcp nowait root /x\n";
    let environment = |plan: &Plan| program(one(plan)).environment.clone();
    let plain = environment(&read(text));
    assert_eq!((plain.inherit, plain.login, plain.ucspi), (None, false, false));
    let options = Options { environment: true, ..Options::default() };
    assert!(environment(&plan_with(Dialect::Gnu, text, &options, &Imagined::default())).ucspi);
}

#[test]
fn what_gnu_does_otherwise_is_explained() {
    let notes = |text| remarks(&read(text), Severity::Note);
    assert!(say(&notes("time stream tcp nowait root internal\n"), &["four bytes", "eight"]));
    assert!(say(&notes("http stream tcp nowait root /x\n"), &["40"]));
    assert!(say(
        &notes("http stream tcp nowait root /x\n"),
        &["`tcp` and `udp` alone are IPv4 only"]
    ));
}
