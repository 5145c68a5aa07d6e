//! inetd.conf as FreeBSD and NetBSD read it.

use crate::spec::Style;

use super::*;

#[test]
fn freebsd_limits_children_and_clients() {
    let plan = plan(
        Dialect::Freebsd,
        "http stream tcp46/ttcp nowait/10/60/2 nobody:nogroup/daemon /x x\n",
    );
    let service = one(&plan);
    assert_eq!(addresses(service), ["tcp [::]:80"]);
    assert_eq!((service.limits.instances.max, service.limits.per_source.unwrap().max), (10, 2));
    assert_eq!(service.limits.rate_per_source.unwrap().max.count, 60);
    let warnings = remarks(&plan, Severity::Warning);
    assert!(say(&warnings, &["`daemon`", "login class"]) && say(&warnings, &["T/TCP"]));
    assert!(say(&remarks(&plan, Severity::Note), &["clients beyond a limit"]));
}

#[test]
fn freebsd_names_what_is_of_another_dialect() {
    let errors = |text: &str| errors(&plan(Dialect::Freebsd, text));
    assert!(say(&errors("http stream tcp nowait.7 root /x\n"), &["Debian's", "openbsd"]));
    assert!(say(&errors("127.0.0.1:http stream tcp nowait root /x\n"), &["Debian's"]));
    assert!(say(&errors("auth stream tcp nowait root internal\n"), &["`auth`"]));
}

#[test]
fn netbsd_has_columns_and_keys() {
    let text = "\
127.0.0.1:http stream,9:httpready tcp nowait:40 nobody:nogroup /x x \"a b\"
ftp on
    socktype = stream, protocol = tcp, wait = no,
    service_max = 7, user = nobody,
    exec = /y, args = y -l 'c d';
telnet off;
echo on socktype = dgram, protocol = udp, wait = yes, user = root;
";
    let plan = plan(Dialect::Netbsd, text);
    assert_eq!(errors(&plan), [] as [&str; 0]);
    assert_eq!(ids(&plan), ["http", "ftp", "echo"]);
    assert_eq!(plan.services[0].limits.rate.unwrap().max.count, 40);
    assert_eq!(plan.services[0].limits.instances.max, 9);
    assert_eq!(program(&plan.services[0]).args, ["a b"]);
    assert_eq!(program(&plan.services[1]).args, ["-l", "c d"]);
    assert_eq!(plan.services[1].limits.rate.unwrap().max.count, 7);
    assert_eq!(plan.services[2].style, Style::Single);
    assert!(say(&remarks(&plan, Severity::Warning), &["httpready"]));
}

#[test]
fn netbsd_includes_files_by_pattern() {
    let world = Imagined::with(&[
        ("/etc/inetd.d/b.conf", "ftp stream tcp nowait root /x\n"),
        ("/etc/inetd.d/a.conf", "http stream tcp nowait root /x\nbad\n"),
        ("/etc/inetd.d/c.txt", "ssh stream tcp nowait root /x\n"),
        ("/etc/loop", ".include loop\n.include \"/etc/x.conf\"\n"),
    ]);
    let read = |text| plan_with(Dialect::Netbsd, text, &Options::default(), &world);
    let plan = read("127.0.0.1:\n.include \"inetd.d/*.conf\"\n");
    assert_eq!(ids(&plan), ["http", "ftp"]);
    assert_eq!(addresses(&plan.services[0]), ["tcp 0.0.0.0:80"]);
    let files: Vec<_> = plan.files.iter().map(|file| file.to_str().unwrap()).collect();
    assert_eq!(files, ["/etc/x.conf", "/etc/inetd.d/a.conf", "/etc/inetd.d/b.conf"]);
    let error = plan.remarks.iter().find(|remark| remark.severity == Severity::Error).unwrap();
    assert_eq!(error.origin, Origin { file: "/etc/inetd.d/a.conf".into(), line: 2 });
    assert_eq!(errors(&read(".include loop\n")).len(), 2);
    assert!(say(&errors(&read(".include missing\n")), &["1 ", "cannot be read"]));
    assert!(say(&errors(&read(".include a b\n")), &["one path"]));
}

#[test]
fn netbsd_policies_are_not_set() {
    let plan = plan(
        Dialect::Netbsd,
        "#@ in ipsec esp/transport//require\nhttp stream tcp nowait root /x\n#@\n",
    );
    assert_eq!(ids(&plan), ["http"]);
    assert!(say(&remarks(&plan, Severity::Warning), &["1 ", "IPsec"]));
}
