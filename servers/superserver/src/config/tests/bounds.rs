//! Everything is bounded, and nothing panics.

use proptest::prelude::*;

use crate::config::FILE_BYTES_MAX;
use crate::config::reading::{REMARKS_MAX, SERVICES_MAX};
use crate::spec::{Address, Run};

use super::*;

#[test]
fn services_are_bounded() {
    let mut text = String::new();
    for host in 0..SERVICES_MAX + 5 {
        text +=
            &format!("127.1.{}.{}:80 stream tcp4 nowait root internal\n", host / 256, host % 256);
    }
    let text = text.replace("internal", "/x");
    let plan = plan(Dialect::Openbsd, &text);
    assert_eq!((plan.services.len(), errors(&plan).len()), (SERVICES_MAX, 5));
    assert!(say(&errors(&plan), &["4096 services already"]));
}

#[test]
fn services_that_are_off_are_bounded_too() {
    let text = "service x\n{\n disable = yes\n}\n".repeat(SERVICES_MAX + 2);
    let plan = plan(Dialect::Xinetd, &text);
    assert_eq!((plan.services.len(), errors(&plan).len()), (0, 2));
}

#[test]
fn remarks_are_bounded() {
    let plan = plan(Dialect::Openbsd, &"x\n".repeat(REMARKS_MAX + 100));
    assert_eq!(plan.remarks.len(), REMARKS_MAX);
    assert!(plan.remarks.iter().any(|remark| remark.text.contains("not shown")));
}

#[test]
fn a_long_line_is_off_and_the_others_are_on() {
    let long = format!("http stream tcp nowait root /x {}\n", "a".repeat(17 * 1024));
    let plan = plan(Dialect::Openbsd, &format!("{long}ftp stream tcp nowait root /x\n"));
    assert_eq!(ids(&plan), ["ftp"]);
    assert!(say(&errors(&plan), &["1 ", "16384"]));
}

#[test]
fn a_large_text_is_not_read() {
    for dialect in Dialect::ALL {
        let plan = plan(dialect, &"\n".repeat(FILE_BYTES_MAX + 1));
        assert!(say(&errors(&plan), &["0 ", "67108865 bytes"]), "{dialect}");
    }
}

#[test]
fn many_addresses_of_one_port_are_read_in_time() {
    let list: Vec<_> = (0..900).map(|n| format!("127.2.{}.{}", n / 250, n % 250)).collect();
    let plan =
        plan(Dialect::Openbsd, &format!("{}:80 stream tcp nowait root /x\n", list.join(",")));
    assert!(say(&errors(&plan), &["900 addresses"]));
}

/// Pieces that texts are made of, so that chance gets past the first column.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "http",
        "echo",
        "127.0.0.1:",
        "*:",
        "[::1]:",
        "localhost:ftp",
        "stream",
        "dgram",
        "tcp",
        "udp6",
        "tcp46",
        "tcp,rcvbuf=9k",
        "unix",
        "/run/x",
        "nowait",
        "wait",
        "nowait.5",
        "nowait/1/2/3",
        "root",
        "nobody.nogroup",
        "/bin/cat",
        "internal",
        "tcpmux/+a",
        "on",
        "off",
        "socktype=",
        "=",
        "+=",
        "-=",
        ",",
        ";",
        "\"",
        "'",
        "\\",
        "#",
        "#@",
        ".include",
        "service",
        "defaults",
        "{",
        "}",
        "include",
        "includedir",
        "/etc/x.conf",
        "/etc",
        "only_from",
        "10.0.0.1",
        "cps",
        "50",
        "10",
        "flags",
        "type",
        "UNLISTED",
        "port",
        "socket_type",
        "protocol",
        "user",
        "server",
        "yes",
        "no",
        "[[service]]",
        "[defaults]",
        "name",
        "listen",
        "program",
        "[",
        "]",
        "limits",
        "rate",
        "\"1/s\"",
        "\0",
        "\u{7}",
        "é",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\n ",
        "\t",
    ];
    let piece = prop::sample::select(words.to_vec());
    prop::collection::vec((piece, prop::sample::select(vec!["", " ", " "])), 0..60).prop_map(
        |pieces| pieces.into_iter().map(|(word, blank)| format!("{word}{blank}")).collect(),
    )
}

fn assert_sound(bytes: &[u8], dialect: Option<Dialect>) {
    let options = Options { dialect, libwrap: bytes.len().is_multiple_of(2), ..Options::default() };
    let world = Imagined::with(&[
        ("/etc/x.conf", "include /etc/x.conf\n"),
        ("/etc/a", "service http\n{\n}\n"),
    ]);
    let plan = read_text(bytes, Path::new("/etc/x.conf"), &options, &world);
    assert_plan_is_sound(&plan);
}

/// What holds for every plan.
fn assert_plan_is_sound(plan: &Plan) {
    assert!(plan.services.len() <= SERVICES_MAX && plan.remarks.len() <= REMARKS_MAX);
    let mut ids: Vec<_> = plan.services.iter().map(|service| &service.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), plan.services.len());
    let mut addresses: Vec<&Address> = plan
        .services
        .iter()
        .flat_map(|service| &service.endpoints)
        .map(|endpoint| &endpoint.address)
        .collect();
    let count = addresses.len();
    addresses.sort();
    addresses.dedup();
    let free = |address: &&&Address| address.socket().is_some_and(|socket| socket.port() == 0);
    assert!(addresses.len() == count || addresses.iter().any(|address| free(&address)));
    for service in &plan.services {
        assert!(service.endpoints.is_empty() == service.mux.is_some());
        assert!(service.limits.instances.max > 0 && service.rpc.is_none());
        if let Run::Program(program) = &service.run {
            assert!(program.path.is_absolute());
        }
        assert!(!serde_json::to_string(&crate::config::explain(service)).unwrap().is_empty());
    }
    for remark in &plan.remarks {
        assert!(remark.text.len() < 2000 && !remark.text.contains('\n'), "{remark:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400), dialect in prop::sample::select(Dialect::ALL.to_vec())) {
        assert_sound(&bytes, Some(dialect));
        assert_sound(&bytes, None);
    }

    #[test]
    fn any_pieces_are_read(text in pieces(), dialect in prop::sample::select(Dialect::ALL.to_vec())) {
        assert_sound(text.as_bytes(), Some(dialect));
        assert_sound(text.as_bytes(), None);
    }

    #[test]
    fn a_line_that_is_written_is_read_back(
        port in 1_u16..,
        is_udp in any::<bool>(),
        is_waiting in any::<bool>(),
        per_minute in prop::option::of(1_u32..100_000),
        group in prop::option::of(prop::sample::select(vec!["nogroup", "www"])),
        args in prop::collection::vec("[a-zA-Z0-9/=.:_-]{1,12}", 1..6),
        dialect in prop::sample::select(vec![Dialect::Openbsd, Dialect::Gnu, Dialect::Netbsd]),
    ) {
        let (socket, protocol) = if is_udp { ("dgram", "udp4") } else { ("stream", "tcp4") };
        let wait = if is_waiting || is_udp { "wait" } else { "nowait" };
        let rate = per_minute.map(|count| format!(".{count}")).unwrap_or_default();
        let suffix = group.map(|group| format!(":{group}")).unwrap_or_default();
        let text = format!("127.0.0.1:{port} {socket} {protocol} {wait}{rate} nobody{suffix} /usr/bin/x {}\n", args.join(" "));
        let plan = plan(dialect, &text);
        let service = one(&plan);
        prop_assert_eq!(addresses(service), [format!("{} 127.0.0.1:{port}", &protocol[..3])]);
        prop_assert_eq!(service.style.inetd_word(), wait);
        prop_assert_eq!(service.limits.rate.map(|rate| rate.max.count), per_minute);
        let program = program(service);
        prop_assert_eq!(program.arg0.to_str(), Some(args[0].as_str()));
        let expected: Vec<_> = args[1..].iter().map(std::ffi::OsString::from).collect();
        prop_assert_eq!(&program.args, &expected);
        let gid = match group { Some("www") => 33, _ => 65534 };
        prop_assert_eq!(program.account.as_ref().map(|account| account.user.gid), Some(gid));
    }
}
