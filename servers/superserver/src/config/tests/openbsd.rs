//! inetd.conf as Debian reads it.

use crate::spec::{Action, Builtin, Control, Environment, Rate, Run, Style};

use super::*;

fn read(text: &str) -> Plan {
    plan(Dialect::Openbsd, text)
}

/// A line with one thing wrong, and what is said about it.
fn assert_refused(text: &str, words: &[&str]) {
    let plan = read(text);
    assert!(plan.services.is_empty(), "{text}: {:?}", plan.services);
    assert!(say(&errors(&plan), words), "{text}: {:?}", errors(&plan));
}

#[test]
fn lines_of_real_daemons_are_read() {
    let text = "\
tftp        dgram  udp4 wait   root   /usr/sbin/in.tftpd   in.tftpd -s /srv/tftp
rsync       stream tcp4 nowait root   /usr/bin/rsync       rsync --daemon
git         stream tcp4 nowait nobody /usr/bin/git         git daemon --inetd --export-all --base-path=/srv/git
http        stream tcp4 nowait nobody /usr/sbin/micro-httpd micro-httpd /srv/www
finger      stream tcp4 nowait nobody /usr/sbin/tcpd       /usr/sbin/in.fingerd
ftp         stream tcp4 nowait root   /usr/sbin/vsftpd     vsftpd /etc/vsftpd.conf
ssh         stream tcp4 nowait root   /usr/sbin/sshd       sshd -i -f /run/acc/sshd_config
telnet      stream tcp4 nowait root   /usr/sbin/telnetd    telnetd
auth        stream tcp4 nowait nobody /usr/sbin/ident2     ident2 -i
cvspserver  stream tcp4 nowait root   /usr/bin/cvs         cvs -f --allow-root=/srv/cvs pserver
17999       stream tcp4 nowait nobody /bin/cat             cat
17998       stream tcp4 nowait nobody /usr/bin/socat       socat STDIO EXEC:/usr/bin/tac
/run/x.sock stream unix nowait root   /bin/cat             cat
127.0.0.1:17996 stream tcp4 nowait nobody.nogroup /usr/bin/id id
";
    let plan = read(text);
    assert_eq!(errors(&plan), [] as [&str; 0]);
    assert_eq!(remarks(&plan, Severity::Warning), [] as [&str; 0]);
    let names =
        "tftp rsync git http finger ftp ssh telnet auth cvspserver 17999 17998 /run/x.sock 17996";
    assert_eq!(ids(&plan).join(" "), names);
    let tftp = &plan.services[0];
    assert_eq!((addresses(tftp), tftp.style), (vec!["udp 0.0.0.0:69".to_owned()], Style::Single));
    let finger = program(&plan.services[4]);
    assert_eq!(finger.path, Path::new("/usr/sbin/tcpd"));
    assert_eq!((finger.arg0.to_str(), finger.args.len()), (Some("/usr/sbin/in.fingerd"), 0));
    let git = program(&plan.services[2]);
    assert_eq!(git.args, ["daemon", "--inetd", "--export-all", "--base-path=/srv/git"]);
    assert_eq!(git.environment, Environment::default());
    assert_eq!(addresses(&plan.services[12]), ["unix /run/x.sock"]);
    let id = &plan.services[13];
    assert_eq!(addresses(id), ["tcp 127.0.0.1:17996"]);
    let account = program(id).account.as_ref().unwrap();
    assert_eq!((account.name.as_str(), account.user.gid), ("nobody", 65534));
    assert_eq!(id.origin, line(14));
}

#[test]
fn internal_services_are_builtins_over_tcp_and_udp() {
    let mut text = String::new();
    for name in ["echo", "discard", "daytime", "time", "chargen"] {
        text += &format!(
            "{name} stream tcp4 nowait root internal\n{name} dgram udp4 wait root internal\n"
        );
    }
    let plan = read(&text);
    assert_eq!(errors(&plan), [] as [&str; 0]);
    assert_eq!(plan.services.len(), 10);
    assert_eq!(plan.services[6].run, Run::Builtin(Builtin::Time));
    assert_eq!(&ids(&plan)[..2], ["echo/tcp4", "echo/udp4"]);
    assert!(say(&remarks(&plan, Severity::Note), &["over udp", "never answers"]));
    assert_eq!(
        one(&read("sink stream tcp4 nowait root internal\n")).run,
        Run::Builtin(Builtin::Discard)
    );
    assert_eq!(one(&read("7 stream tcp4 nowait root internal\n")).run, Run::Builtin(Builtin::Echo));
    assert_refused("ftp stream tcp nowait root internal\n", &["1 ", "`ftp`", "name a program"]);
}

#[test]
fn tcp_alone_is_two_sockets() {
    let plan = read("http stream tcp nowait root /x x\n");
    assert_eq!(addresses(one(&plan)), ["tcp 0.0.0.0:80", "tcp [::]:80 (IPv6 only)"]);
    assert!(say(&remarks(&plan, Severity::Note), &["two sockets", "IPv4 only"]));
    let table =
        [("tcp4", "tcp 0.0.0.0:80"), ("tcp6", "tcp [::]:80 (IPv6 only)"), ("tcp46", "tcp [::]:80")];
    for (protocol, expected) in table {
        assert_eq!(
            addresses(one(&read(&format!("http stream {protocol} nowait root /x\n")))),
            [expected]
        );
    }
}

#[test]
fn without_ipv6_its_wildcard_is_left_out() {
    let world = Imagined { has_ipv6: false, ..Imagined::default() };
    let read = |protocol: &str| {
        let text = format!("http stream {protocol} nowait root /x\n");
        plan_with(Dialect::Openbsd, &text, &Options::default(), &world)
    };
    assert_eq!(addresses(one(&read("tcp"))), ["tcp 0.0.0.0:80"]);
    assert_eq!(addresses(one(&read("tcp46"))), ["tcp 0.0.0.0:80"]);
    assert!(say(&errors(&read("tcp6")), &["listens nowhere"]));
}

#[test]
fn addresses_before_the_service_and_for_all_lines_after() {
    let of = |text: &str| {
        let plan = read(text);
        assert_eq!(errors(&plan), [] as [&str; 0]);
        addresses(plan.services.last().unwrap()).join(" ")
    };
    assert_eq!(
        of("127.0.0.1,127.0.0.2:80 stream tcp nowait root /x\n"),
        "tcp 127.0.0.1:80 tcp 127.0.0.2:80"
    );
    assert_eq!(of("[::1]:80 stream tcp nowait root /x\n"), "tcp [::1]:80");
    assert_eq!(of("::1:80 stream tcp6 nowait root /x\n"), "tcp [::1]:80");
    assert_eq!(of("four:\n80 stream tcp nowait root /x\n"), "tcp 10.0.0.4:80");
    assert_eq!(of("four:\n*:80 stream tcp4 nowait root /x\n"), "tcp 0.0.0.0:80");
    assert_eq!(of("four:\n*:\n80 stream tcp4 nowait root /x\n"), "tcp 0.0.0.0:80");
    assert_eq!(of("localhost:80 stream tcp nowait root /x\n"), "tcp 127.0.0.1:80 tcp [::1]:80");
    assert_eq!(of("localhost:80 stream tcp4 nowait root /x\n"), "tcp 127.0.0.1:80");
    assert_refused("four:80 stream tcp6 nowait root /x\n", &["IPv4", "IPv6 only"]);
    assert_refused("nowhere:80 stream tcp6 nowait root /x\n", &["no host `nowhere`"]);
}

#[test]
fn a_number_after_the_dot_is_a_rate_that_lets_wait() {
    let plan = read("http stream tcp nowait.5 root /x\n");
    let per = std::time::Duration::from_secs(60);
    let expected = Control { max: Rate { count: 5, per }, action: Action::Defer };
    assert_eq!(one(&plan).limits.rate, Some(expected));
    assert!(say(&remarks(&plan, Severity::Note), &["one fewer"]));
    let plan = read("http stream tcp nowait root /x\n");
    assert_eq!(one(&plan).limits.rate, None);
    assert!(say(&remarks(&plan, Severity::Note), &["256"]));
    let plan = read("http stream tcp nowait.x root /x\n");
    assert_eq!(one(&plan).limits.rate, None);
    assert!(say(&remarks(&plan, Severity::Warning), &["`x`", "no limit"]));
}

#[test]
fn buffers_are_set_on_the_listening_socket() {
    let plan = read("http stream tcp4,sndbuf=64k,rcvbuf=1m nowait root /x\n");
    let listening = &one(&plan).endpoints[0].listening;
    assert_eq!((listening.send_buffer, listening.receive_buffer), (Some(65536), Some(1 << 20)));
}

#[test]
fn options_are_those_of_the_command_line() {
    let options = Options {
        libwrap: true,
        keep_environment: true,
        default_rate: Some(9),
        default_backlog: Some(3),
        environment: true,
        ..Options::default()
    };
    let text = "finger stream tcp4 nowait nobody /usr/sbin/tcpd in.fingerd -w\nssh stream tcp4 nowait root /usr/sbin/sshd /opt/sshd -i\necho stream tcp4 nowait root internal\n";
    let plan = plan_with(Dialect::Openbsd, text, &options, &Imagined::default());
    let [finger, ssh, echo] = plan.services.as_slice() else { panic!("{plan:?}") };
    let run = program(finger);
    assert_eq!(
        (run.path.to_str(), run.arg0.to_str()),
        (Some("/usr/sbin/in.fingerd"), Some("in.fingerd"))
    );
    assert_eq!(run.args, ["-w"]);
    let environment = &run.environment;
    assert_eq!(
        (environment.inherit.is_none(), environment.login, environment.ucspi),
        (true, false, true)
    );
    let daemon =
        |service: &ServiceSpec| service.access.hosts.as_ref().map(|hosts| hosts.daemon.clone());
    assert_eq!(daemon(finger).as_deref(), Some("in.fingerd"));
    assert_eq!(daemon(ssh).as_deref(), Some("sshd"));
    assert_eq!(daemon(echo), None);
    assert_eq!(ssh.limits.rate.unwrap().max.count, 9);
    assert_eq!(ssh.endpoints[0].listening.backlog, Some(3));
}

#[test]
fn a_line_that_begins_with_a_blank_continues_the_one_before() {
    let plan = read(
        "http stream tcp4 nowait root /x x a\n b\n\t# c\n\n# d\nftp stream tcp4 nowait root /x\n",
    );
    assert_eq!(program(&plan.services[0]).args, ["a", "b"]);
    assert_eq!(ids(&plan), ["http", "ftp"]);
    let plan = read("http stream tcp4 nowait root /x x\n ftp stream tcp4 nowait root /x x\n");
    assert_eq!(program(one(&plan)).args.len(), 7);
    assert!(say(
        &remarks(&plan, Severity::Warning),
        &["2 ", "continues line 1", "remove the blank"]
    ));
}

#[test]
fn what_looks_like_something_else_is_explained() {
    let notes = |text| remarks(&read(text), Severity::Note);
    assert!(say(&notes("http stream tcp4 nowait root /x x \"a b\"\n"), &["quotes are letters"]));
    assert!(say(&notes("http stream tcp4 nowait root /x x # b\n"), &["`#` begins a comment"]));
    assert!(say(&notes("http stream tcp4 nowait root /x x\r\n"), &["carriage return"]));
    assert!(say(&notes("echo dgram udp4 nowait root /x\n"), &["datagrams with `nowait`"]));
    let crlf = read("http stream tcp4 nowait root /x x a\r\n");
    assert_eq!(program(one(&crlf)).args, ["a"]);
}

#[test]
fn a_program_without_arguments_is_called_by_its_name() {
    assert_eq!(program(one(&read("http stream tcp4 nowait root /usr/bin/x\n"))).arg0, "x");
}

#[test]
fn mistakes_put_their_own_service_off() {
    let table: [(&str, &[&str]); 22] = [
        ("http stream tcp nowait nosuch /x\n", &["no user `nosuch`", "useradd"]),
        ("http stream tcp nowait root:nosuch /x\n", &["no group `nosuch`"]),
        ("http stream tcp nowait root /missing\n", &["no program `/missing`"]),
        ("http stream tcp nowait root /bin\n", &["is a directory"]),
        ("http stream tcp nowait root /etc/passwd\n", &["cannot be executed"]),
        ("http stream tcp nowait root bin/cat cat\n", &["no absolute path"]),
        ("http stream tcp nowait root\n", &["5 columns", "add the program"]),
        ("http stream udp nowait root /x\n", &["`udp`", "`dgram`"]),
        ("http dgram tcp wait root /x\n", &["`tcp`", "`stream`"]),
        ("http raw tcp wait root /x\n", &["`raw`"]),
        ("http STREAM tcp wait root /x\n", &["no type of socket"]),
        ("http stream tcp waits root /x\n", &["neither `wait` nor `nowait`"]),
        ("http stream tcp nowait/7/2 root /x\n", &["FreeBSD's", "freebsd"]),
        ("http stream tcp nowait:7 root /x\n", &["NetBSD's"]),
        ("http stream tcp6only nowait root /x\n", &["GNU inetd's"]),
        ("http stream tcp nowait root/daemon /x\n", &["login class", "write `root`"]),
        ("nosuch stream tcp nowait root /x\n", &["no service `nosuch`", "/etc/services"]),
        ("tftp stream tcp nowait root /x\n", &["no service `tftp` for tcp"]),
        ("65536 stream tcp nowait root /x\n", &["`65536` is no port"]),
        ("rusersd/2-3 dgram rpc/udp wait root /x\n", &["rpcbind"]),
        ("http stream tcp nowait root /x \0\n", &["NUL"]),
        ("http stream tcp nowait root /x \x07\n", &["control character"]),
    ];
    for (text, words) in table {
        assert_refused(text, words);
        let others =
            format!("ftp stream tcp nowait root /x\n{text}ssh stream tcp nowait root /x\n");
        let plan = read(&others);
        assert_eq!(ids(&plan), ["ftp", "ssh"], "{text}");
        assert!(say(&errors(&plan), &["2 ", words[0]]), "{:?}", errors(&plan));
    }
}

#[test]
fn the_second_of_the_same_address_is_off_and_the_first_is_named() {
    let plan = read(
        "http stream tcp nowait root /x\n80 stream tcp4 nowait root /x\nhttp stream tcp6 nowait root /x\n",
    );
    assert_eq!(ids(&plan), ["http"]);
    let errors = errors(&plan);
    assert!(say(&errors, &["2 ", "taken by /etc/x.conf:1"]), "{errors:?}");
    assert!(say(&errors, &["3 ", "taken by /etc/x.conf:1"]), "{errors:?}");
    let plan = read("80 stream tcp46 nowait root /x\n80 stream tcp4 nowait root /x\n");
    assert!(say(&errors_of(&plan), &["2 ", "taken by"]));
    let plan = read("four:80 stream tcp nowait root /x\n127.0.0.1:80 stream tcp nowait root /x\n");
    assert_eq!(ids(&plan), ["80/tcp", "80/tcp/2"]);
}

fn errors_of(plan: &Plan) -> Vec<String> {
    errors(plan)
}

#[test]
fn only_root_starts_programs_as_somebody_else() {
    let world = Imagined { identity: (1000, 1000), ..Imagined::default() };
    let read = |user: &str| {
        let text = format!("http stream tcp4 nowait {user} /x\n");
        plan_with(Dialect::Openbsd, &text, &Options::default(), &world)
    };
    assert_eq!(program(one(&read("palco"))).account, None);
    assert!(say(&errors(&read("nobody")), &["only root", "`nobody`", "1000"]));
    assert!(say(&errors(&read("palco:nogroup")), &["only root", "`nogroup`"]));
}

#[test]
fn a_user_may_have_a_dot_in_its_name() {
    let name = |user: &str| {
        let plan = read(&format!("http stream tcp4 nowait {user} /x\n"));
        let account = program(one(&plan)).account.clone().unwrap();
        (account.name, account.user.gid)
    };
    assert_eq!(name("www.data"), ("www.data".into(), 33));
    assert_eq!(name("www.data:nogroup"), ("www.data".into(), 65534));
    assert_eq!(name("nobody.www"), ("nobody".into(), 33));
}

#[test]
fn the_dialect_is_said_when_nobody_chose_it() {
    let read = |text: &str| {
        let world = Imagined::default();
        read_text(text.as_bytes(), Path::new("inetd.conf"), &Options::default(), &world)
    };
    let says = |plan: &Plan| say(&remarks(plan, Severity::Note), &["0 read as openbsd-inetd"]);
    assert!(says(&read("http stream tcp nowait root /x\n")));
    assert!(!says(&read("http stream tcp4 nowait root /x\n")));
    assert!(!says(&plan(Dialect::Openbsd, "http stream tcp nowait root /x\n")));
}
