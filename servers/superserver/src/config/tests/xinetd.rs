//! xinetd.conf.

use std::time::Duration;

use palco_processes::Resource;

use crate::spec::{Action, Builtin, MuxName, Run, Style};

use super::*;

/// A service that needs nothing else.
const PLAIN: &str =
    " socket_type = stream\n protocol = tcp\n wait = no\n user = nobody\n server = /bin/cat\n";

fn service(name: &str, more: &str) -> String {
    format!("service {name}\n{{\n{PLAIN}{more}\n}}\n")
}

fn read(text: &str) -> Plan {
    plan(Dialect::Xinetd, text)
}

fn assert_refused(more: &str, words: &[&str]) {
    let plan = read(&service("http", more));
    assert!(plan.services.is_empty(), "{more}");
    assert!(say(&errors(&plan), words), "{more}: {:?}", errors(&plan));
}

#[test]
fn a_service_is_read_with_all_its_attributes() {
    let more = " id = web\n server_args = -u \"a\n env = A=1 B=2=3\n passenv = PATH\n instances = 4\n per_source = 2\n cps = 25 30\n \
        max_load = 2.5\n nice = 5\n umask = 077\n rlimit_as = 8M\n rlimit_cpu = UNLIMITED\n groups = yes\n group = nogroup\n bind = four\n \
        access_times = 6:00-22:00\n only_from = 10.0.0.1\n no_access = 10.0.0.2\n banner_fail = /etc/sorry\n flags = KEEPALIVE NODELAY REUSE\n";
    let plan = read(&service("http", more));
    let service = one(&plan);
    assert_eq!(
        (service.id.as_str(), service.name.as_str(), service.origin.line),
        ("web", "http", 1)
    );
    assert_eq!(addresses(service), ["tcp 10.0.0.4:80"]);
    assert!(service.endpoints[0].listening.keepalive && service.endpoints[0].listening.nodelay);
    let limits = &service.limits;
    assert_eq!(
        (limits.instances.max, limits.per_source.unwrap().max, limits.load.unwrap().max),
        (4, 2, 250)
    );
    let rate = limits.rate.unwrap();
    assert_eq!((rate.max.count, rate.max.per), (25, Duration::from_secs(1)));
    assert_eq!(rate.action, Action::Close(Duration::from_secs(30)));
    let program = program(service);
    assert_eq!(
        (program.arg0.to_str(), program.args.join(" ".as_ref()).to_str()),
        (Some("cat"), Some("-u \"a"))
    );
    let environment = &program.environment;
    assert_eq!(environment.inherit, Some(vec!["PATH".into()]));
    assert_eq!(environment.set[1], ("B".into(), "2=3".into()));
    assert!(environment.remote_host && !environment.login);
    assert_eq!((program.nice, program.umask), (Some(5), Some(0o77)));
    let limit =
        |resource| program.limits.iter().find(|limit| limit.resource == resource).unwrap().hard;
    assert_eq!((limit(Resource::RLIMIT_AS), limit(Resource::RLIMIT_CPU)), (8 << 20, u64::MAX));
    let user = &program.account.as_ref().unwrap().user;
    assert_eq!((user.gid, user.groups.clone()), (65534, vec![65534, 7]));
    let access = &service.access;
    assert_eq!(
        (access.only_from.as_ref().unwrap().len(), access.no_access.len(), access.times.len()),
        (1, 1, 1)
    );
    assert_eq!(access.hosts.as_ref().unwrap().daemon, "cat");
    assert_eq!(service.banners.failure.as_deref(), Some(Path::new("/etc/sorry")));
}

#[test]
fn a_plain_service_is_for_both_families_without_groups() {
    let plan = read(&service("http", ""));
    let service = one(&plan);
    assert_eq!(addresses(service), ["tcp [::]:80"]);
    assert!(program(service).account.as_ref().unwrap().user.groups.is_empty());
    let notes = remarks(&plan, Severity::Note);
    assert!(say(&notes, &["`instances`"]) && say(&notes, &["`cps`"]));
    let plan = read(&self::service("http", " flags = IPv4\n"));
    assert_eq!(addresses(one(&plan)), ["tcp 0.0.0.0:80"]);
}

#[test]
fn defaults_are_for_all_and_lists_are_joined() {
    let only = |defaults: &str, own: &str| {
        let plan = read(&format!("{}defaults\n{{\n{defaults}\n}}\n", service("http", own)));
        let words = one(&plan).access.only_from.clone();
        words.map(|words| words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    let given = "only_from = 10.0.0.1\nonly_from = 10.0.0.2\ninstances = 3";
    assert_eq!(only(given, "").as_deref(), Some("10.0.0.1 10.0.0.2"));
    assert_eq!(only(given, "only_from += 10.0.0.3").as_deref(), Some("10.0.0.1 10.0.0.2 10.0.0.3"));
    assert_eq!(only(given, "only_from = 10.0.0.3").as_deref(), Some("10.0.0.3"));
    assert_eq!(only(given, "only_from -= 10.0.0.1").as_deref(), Some("10.0.0.2"));
    assert_eq!(only(given, "only_from =").as_deref(), Some(""));
    assert_eq!(
        only("instances = 3", "only_from = 10.0.0.1\nonly_from = 10.0.0.2").as_deref(),
        Some("10.0.0.2")
    );
    assert_eq!(only("", ""), None);
    let plan =
        read(&format!("defaults\n{{\n instances = 3\n env = A=1\n}}\n{}", service("http", "")));
    assert_eq!(one(&plan).limits.instances.max, 3);
    assert!(program(one(&plan)).environment.set.is_empty());
    assert!(say(&remarks(&plan, Severity::Warning), &["4 ", "`env`"]));
}

#[test]
fn services_are_switched_on_and_off() {
    let on = |defaults: &str, own: &str| {
        let text = format!(
            "defaults\n{{\n{defaults}\n}}\n{}{}",
            service("http", own),
            service("ftp", "id = f")
        );
        ids(&read(&text)).join(" ")
    };
    assert_eq!(on("", "disable = no"), "http f");
    assert_eq!(on("", "disable = yes\nserver = /missing"), "f");
    assert_eq!(on("disabled = f", ""), "http");
    assert_eq!(on("disabled = ftp", ""), "http f");
    assert_eq!(on("enabled = f", ""), "f");
    assert_eq!(on("enabled = f http\ndisabled = f", ""), "http");
    assert_eq!(on("", "flags = DISABLE"), "f");
}

#[test]
fn files_are_included_in_the_order_of_their_bytes() {
    let (a, b) = (service("http", ""), service("ftp", ""));
    let bad = "service ssh\n{\n";
    let world = Imagined::with(&[
        ("/etc/xinetd.d/b", &b),
        ("/etc/xinetd.d/B", bad),
        ("/etc/xinetd.d/a", &a),
        ("/etc/xinetd.d/a~", "x"),
        ("/etc/xinetd.d/a.rpmsave", "x"),
        ("/etc/loop", "include /etc/loop\n"),
    ]);
    let read = |text| plan_with(Dialect::Xinetd, text, &Options::default(), &world);
    let plan = read("includedir /etc/xinetd.d\n");
    assert_eq!(ids(&plan), ["http", "ftp"]);
    let files: Vec<_> = plan.files.iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(files, ["/etc/x.conf", "/etc/xinetd.d/B", "/etc/xinetd.d/a", "/etc/xinetd.d/b"]);
    assert_eq!(errors(&plan).len(), 1);
    assert!(say(&errors(&read("include /etc/loop\n")), &["includes itself"]));
    assert!(say(&errors(&read("includedir /nowhere\n")), &["cannot be read"]));
}

#[test]
fn includes_end_at_a_depth() {
    let files: Vec<_> =
        (0..40).map(|n| (format!("/etc/f{n}"), format!("include /etc/f{}\n", n + 1))).collect();
    let borrowed: Vec<_> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let plan =
        plan_with(Dialect::Xinetd, "include f0\n", &Options::default(), &Imagined::with(&borrowed));
    assert_eq!(plan.files.len(), 16);
    assert!(say(&errors(&plan), &["16 files deep"]));
}

#[test]
fn types_are_builtins_muxes_redirections() {
    let read = |name: &str, text: &str| {
        read(&format!(
            "service {name}\n{{\n socket_type = stream\n wait = no\n user = root\n{text}\n}}\n"
        ))
    };
    assert_eq!(one(&read("echo", "type = INTERNAL")).run, Run::Builtin(Builtin::Echo));
    assert!(say(&errors(&read("http", "type = INTERNAL")), &["`http`"]));
    let plan = read("x", "type = TCPMUXPLUS UNLISTED\nserver = /x");
    assert_eq!(one(&plan).mux, Some(MuxName { name: "x".into(), greets: true }));
    let plan = read("http", "redirect = ::1 81");
    assert_eq!(one(&plan).run, Run::Builtin(Builtin::Redirect("[::1]:81".into())));
    assert_eq!(one(&plan).access.hosts.as_ref().unwrap().daemon, "http");
    assert!(say(&errors(&read("http", "redirect = ::1 0")), &["host and a port"]));
    let udp = "service echo\n{\n type = INTERNAL\n socket_type = dgram\n wait = no\n id = e\n}\n";
    assert_eq!(one(&self::read(udp)).style, Style::Single);
}

#[test]
fn names_in_arguments_are_those_of_tcpd() {
    let plan = read(&service("http", "flags = NAMEINARGS NOLIBWRAP\nserver_args = /x/httpd -l"));
    let program = program(one(&plan));
    assert_eq!((program.arg0.to_str(), program.args.len()), (Some("/x/httpd"), 1));
    assert_eq!(one(&plan).access.hosts, None);
    assert_refused("flags = NAMEINARGS", &["NAMEINARGS"]);
}

#[test]
fn unlisted_services_have_ports() {
    let plan = read(&service("mine", "type = UNLISTED\nport = 4000"));
    assert_eq!(addresses(one(&plan)), ["tcp [::]:4000"]);
    assert_eq!(addresses(one(&read(&service("http", "port = 80")))), ["tcp [::]:80"]);
    assert_refused("port = 81", &["port 80", "UNLISTED"]);
    assert!(say(&errors(&read(&service("mine", ""))), &["no service `mine`", "UNLISTED"]));
}

#[test]
fn two_services_may_have_one_id() {
    let text =
        format!("{}{}", service("http", "bind = 127.0.0.1"), service("http", "bind = 127.0.0.2"));
    assert_eq!(ids(&read(&text)), ["http/tcp", "http/tcp/2"]);
    let text = format!("{}{}", service("http", ""), service("http", "id = x\nbind = 127.0.0.2"));
    let plan = read(&text);
    assert_eq!(ids(&plan), ["http"]);
    assert!(say(&errors(&plan), &["taken by /etc/x.conf:1"]));
}

#[test]
fn mistakes_put_their_own_service_off() {
    let table: [(&str, &[&str]); 18] = [
        ("colour = red", &["8 ", "`colour`"]),
        ("cps = 5", &["8 ", "two numbers"]),
        ("instances = 0", &["above 0"]),
        ("instances += 3", &["no list"]),
        ("groups = perhaps", &["neither yes nor no"]),
        ("umask = 9", &["umask"]),
        ("nice = 99", &["niceness"]),
        ("rlimit_as = 8G", &["no limit"]),
        ("only_from = 10.0.0.300", &["10.0.0.300"]),
        ("access_times = noon", &["noon"]),
        ("flags = NOSUCH", &["`NOSUCH`"]),
        ("flags = SENSOR", &["sensors"]),
        ("type = RPC", &["rpcbind"]),
        ("type = NOSUCH", &["`NOSUCH`"]),
        ("env = =1", &["no variable"]),
        ("port=80", &["no operator"]),
        ("bind = nowhere", &["no host"]),
        ("enabled = x", &["defaults"]),
    ];
    for (more, words) in table {
        assert_refused(more, words);
        let text = format!("{}{}{}", service("ftp", ""), service("http", more), service("ssh", ""));
        assert_eq!(ids(&read(&text)), ["ftp", "ssh"], "{more}");
    }
    let without =
        |line: &str| errors(&read(&format!("service http\n{{\n{}\n}}\n", PLAIN.replace(line, ""))));
    assert!(say(&without(" user = nobody\n"), &["1 `user` is missing"]));
    assert!(say(&without(" server = /bin/cat\n"), &["`server` is missing"]));
    assert!(say(&without(" wait = no\n"), &["`wait` is missing"]));
    assert!(say(&without(" socket_type = stream\n"), &["`socket_type` is missing"]));
}

#[test]
fn what_is_not_done_is_said() {
    let warnings = |more| remarks(&read(&service("http", more)), Severity::Warning);
    assert!(say(&warnings("flags = INTERCEPT IDONLY LABELED"), &["IDONLY"]));
    assert!(say(&warnings("deny_time = FOREVER"), &["deny_time"]));
    assert!(say(&warnings("mdns = yes"), &["mdns"]));
    assert!(say(&warnings("server = /bin/dog"), &["`server` is set already"]));
    let notes = remarks(
        &read(&service("http", "log_type = SYSLOG daemon info\ninstances = 3")),
        Severity::Note,
    );
    assert!(say(&notes, &["log_type"]) && say(&notes, &["xinetd closes"]));
}
