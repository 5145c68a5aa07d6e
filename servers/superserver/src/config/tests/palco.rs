//! palco's own language.

use std::time::Duration;

use crate::config::{SAMPLE, explain};
use crate::spec::{Action, Builtin, Deaf, Descriptors, Run, Style};

use super::*;

fn read(text: &str) -> Plan {
    plan(Dialect::Toml, text)
}

fn service(more: &str) -> String {
    format!(
        "[[service]]\nname = \"x\"\nlisten = \"tcp 127.0.0.1:80\"\nprogram = [\"/bin/cat\"]\n{more}\n"
    )
}

fn assert_refused(more: &str, words: &[&str]) {
    let plan = read(&service(more));
    assert!(plan.services.is_empty(), "{more}");
    assert!(say(&errors(&plan), words), "{more}: {:?}", errors(&plan));
}

#[test]
fn the_sample_says_everything_and_is_right() {
    let plan = read(SAMPLE);
    assert_eq!(plan.remarks, []);
    assert_eq!(
        ids(&plan),
        ["cat", "report-nightly", "own-loop", "echo", "elsewhere", "tcpmux", "date"]
    );
    let report = &plan.services[1];
    assert_eq!(report.limits.rate.unwrap().action, Action::Close(Duration::from_secs(10)));
    assert_eq!((report.limits.instances.max, plan.services[0].limits.instances.max), (40, 100));
    let program = program(report);
    assert_eq!((program.arg0.to_str(), program.limits.len()), (Some("date"), 4));
    assert_eq!(program.confinement.memory_bytes, Some(512 << 20));
    assert_eq!(program.confinement.cpu_percent, Some(50));
    let own = self::program(&plan.services[2]);
    assert_eq!(own.descriptors, Descriptors::Listen { names: vec!["web".into()] });
    assert_eq!(plan.services[2].style, Style::Single);
    assert_eq!(plan.services[4].run, Run::Builtin(Builtin::Redirect("127.0.0.1:17999".into())));
    assert!(plan.services[6].mux.as_ref().unwrap().greets);
}

#[test]
fn every_key_of_the_sample_is_said_in_the_explanation() {
    let plan = read(SAMPLE);
    let explained = serde_json::to_string(&explain(&plan.services[1])).unwrap();
    for phrase in [
        "tcp 127.0.0.1:17998",
        "backlog 128",
        "64",
        "nobody",
        "/bin/date -u",
        "LANG, TZ",
        "REPORT",
        "niceness 5",
        "umask 022",
        "40 at once; more wait",
        "4 at once for one client; more are closed",
        "100 starts within 1s; then it does not listen for 10s",
        "a load of 4.50",
        "only from 127.0.0.1, ::1",
        "not from 192.0.2.1",
        "6:00-22:00",
        "hosts.allow",
        "gains no privileges",
        "reads below /usr",
        "writes below nothing",
        "makes no connections",
        "50 % of a processor",
        "RLIMIT_NOFILE 256",
        "K ends it",
    ] {
        assert!(explained.contains(phrase), "{phrase}: {explained}");
    }
}

#[test]
fn addresses_are_short_or_exact() {
    let of = |listen: &str| {
        let plan = read(&format!(
            "[[service]]\nname = \"x\"\nlisten = {listen}\nprogram = [\"/bin/cat\"]\n"
        ));
        addresses(one(&plan)).join(", ")
    };
    assert_eq!(of("\"127.0.0.1:80\""), "tcp 127.0.0.1:80");
    assert_eq!(of("\"tcp [::]:80\""), "tcp [::]:80 (IPv6 only)");
    assert_eq!(of("\"tcp46 [::]:80\""), "tcp [::]:80");
    assert_eq!(of("\"http\""), "tcp 0.0.0.0:80, tcp [::]:80 (IPv6 only)");
    assert_eq!(of("\"udp6 tftp\""), "udp [::]:69 (IPv6 only)");
    assert_eq!(of("\"four:http\""), "tcp 10.0.0.4:80");
    assert_eq!(
        of("[\"unix /run/a\", \"unix-seqpacket /run/b\"]"),
        "unix /run/a, unix-seqpacket /run/b"
    );
    assert_eq!(of("\"/run/a b\""), "unix /run/a b");
    assert_eq!(of("\"tcp 127.0.0.1:0\""), "tcp 127.0.0.1:0");
}

#[test]
fn a_mistake_in_a_service_is_its_own_and_has_its_line() {
    let table: [(&str, &[&str]); 26] = [
        ("colour = 1", &["5 ", "colour"]),
        ("nice = \"x\"", &["5 "]),
        ("nice = 20", &["niceness"]),
        ("user = \"nosuch\"", &["5 ", "no user `nosuch`"]),
        ("user = \"root:nosuch\"", &["5 ", "no group"]),
        ("umask = \"8\"", &["5 ", "umask"]),
        ("builtin = \"echo\"", &["more than one"]),
        ("mux = \"y\"", &["both"]),
        ("limits.rate = \"x\"", &["5 ", "no rate"]),
        ("limits.instances = 0", &["`instances` is 0"]),
        ("limits.load = -1.0", &["`load`"]),
        ("limits.idle = \"soon\"", &["5 ", "no time"]),
        ("when-full.rate = \"close\"", &["5 ", "no action"]),
        ("rlimits.files = 3", &["5 ", "open-files"]),
        ("rlimits.core = \"2:1\"", &["5 ", "hard"]),
        ("access.only-from = [\"10.0.0.300\"]", &["5 ", "10.0.0.300"]),
        ("access.times = [\"noon\"]", &["5 ", "noon"]),
        ("confinement.read = [\"usr\"]", &["5 ", "no absolute path"]),
        ("confinement.memory = \"much\"", &["5 ", "no size"]),
        ("confinement.cpu = \"5\"", &["5 ", "share"]),
        ("environment.inherit = \"some\"", &["5 ", "all"]),
        ("environment.set = { \"A=\" = \"1\" }", &["no name of a variable"]),
        ("descriptors = \"other\"", &["5 ", "other"]),
        ("fd-names = [\"a\"]", &["5 ", "fd-names"]),
        ("socket.send-buffer = \"4 GiB\"", &["5 ", "2 GiB"]),
        ("id = \"a b\"", &["5 ", "no name"]),
    ];
    for (more, words) in table {
        assert_refused(more, words);
        let other = "[[service]]\nname = \"y\"\nlisten = \"81\"\nbuiltin = \"echo\"\n";
        assert_eq!(ids(&read(&format!("{}{other}", service(more)))), ["y"], "{more}");
    }
}

#[test]
fn connections_and_datagrams_are_not_mixed() {
    let of = |text: &str| errors(&read(&format!("[[service]]\nname = \"x\"\n{text}\n")));
    assert!(say(
        &of("listen = [\"81\", \"udp 81\"]\nbuiltin = \"echo\""),
        &["connections and for datagrams"]
    ));
    assert!(say(&of("listen = \"udp 81\"\nprogram = [\"/x\"]\nwait = false"), &["datagrams"]));
    assert!(say(&of("listen = \"udp 81\"\nredirect = \"four:80\""), &["connections only"]));
    assert!(say(&of("listen = \"81\"\nbuiltin = \"echo\"\nwait = true"), &["accepts itself"]));
    assert!(say(&of("listen = \"81\"\nredirect = \"four\""), &["host and port"]));
    assert!(say(&of("builtin = \"echo\""), &["listens nowhere"]));
    assert!(say(&of("listen = \"81\""), &["nothing to serve"]));
    assert!(say(&of("listen = \"ipx 81\"\nbuiltin = \"echo\""), &["3 ", "no protocol"]));
}

#[test]
fn urgent_data_is_left_to_whom_it_is_said() {
    let of = |more: &str| one(&read(&service(more))).deaf();
    assert_eq!(of(""), None);
    assert_eq!(of("urgent = false"), Some(Deaf::SwitchedOff));
    assert_eq!(of("arg0 = \"in.ftpd\""), Some(Deaf::UsedByProgram));
    assert_eq!(of("arg0 = \"in.ftpd\"\nurgent = true"), None);
    assert_eq!(of("wait = true"), Some(Deaf::AcceptsItself));
    let by_default = format!("[defaults]\nurgent = false\n{}", service(""));
    assert_eq!(one(&read(&by_default)).deaf(), Some(Deaf::SwitchedOff));
    assert_refused(
        "wait = true\nurgent = true",
        &["6 ", "no effect", "accepts its clients itself"],
    );
    let other =
        |text: &str| one(&read(&format!("[[service]]\nname = \"x\"\n{text}\n"))).deaf().unwrap();
    assert_eq!(other("listen = \"81\"\nbuiltin = \"echo\""), Deaf::Builtin);
    assert_eq!(other("listen = \"/run/x\"\nprogram = [\"/bin/cat\"]"), Deaf::NoTcp);
    let mux = read("[[service]]\nname = \"x\"\nmux = \"x\"\nprogram = [\"/bin/cat\"]\n");
    assert_eq!(one(&mux).deaf(), None);
}

#[test]
fn a_text_that_is_no_toml_says_where() {
    let plan = read(&format!("{}\n[[service]\n", service("")));
    assert!(plan.services.is_empty());
    assert!(errors(&plan)[0].starts_with("7 "), "{:?}", errors(&plan));
    assert!(say(&errors(&read("[service]\nname = \"x\"\n")), &["1 ", "[[service]]"]));
    let plan = read(&format!("{}[other]\nx = 1\n", service("")));
    assert!(say(&errors(&plan), &["`other`"]));
    assert_eq!(ids(&plan), ["x"]);
    let plan = read(&format!("[defaults]\nusr = \"x\"\n{}", service("")));
    assert!(say(&errors(&plan), &["2 ", "defaults", "usr"]) && plan.services.is_empty());
}

#[test]
fn what_is_not_enabled_need_not_be_right() {
    let plan = read("[[service]]\nname = \"x\"\nenabled = false\nprogram = [\"/missing\"]\n");
    assert!(plan.services.is_empty() && plan.remarks.is_empty());
}
