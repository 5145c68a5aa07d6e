//! Files, daemons and clients to be judged, made up.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Two files, a list of hosts beside them, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) allow: String,
    pub(crate) deny: String,
    pub(crate) list: String,
    pub(crate) daemon: String,
    pub(crate) server: &'static str,
    pub(crate) client: &'static str,
}

pub(crate) const CLIENTS: [&str; 8] = [
    "10.1.2.3",
    "10.1.200.3",
    "192.168.0.1",
    "255.255.255.255",
    "fd00::1:2",
    "::ffff:10.1.2.3",
    "localhost",
    "unknown",
];

pub(crate) const DAEMONS: [&str; 6] = ["in.ftpd", "in.telnetd", "d", "unknown", ".x", "22"];

/// A word that means a host, or looks as if it did.
fn host() -> impl Strategy<Value = String> {
    let fixed = select(vec![
        "ALL",
        "all",
        "LOCAL",
        "KNOWN",
        "UNKNOWN",
        "PARANOID",
        "10.",
        "10.1.",
        "10.1.2.3",
        "10.1.2.3.",
        ".3",
        ".2.3",
        "*",
        "10.*",
        "10.1.2.?",
        "?0.1*3",
        "*.*",
        "*a*",
        "un*",
        ".local",
        "localhost",
        "LOCALHOST",
        "local*",
        "@group",
        "@",
        "[fd00::1:2]",
        "[FD00:0::1:2]",
        "fd00::1:2",
        "[::]",
        "[",
        "]",
        "LIST",
        "/nowhere",
        "127.0.0.1",
        "[10.1.2.3]",
        "10.1.2.03",
        "::ffff:10.1.2.3",
    ]);
    let v4 = (
        select(vec![
            "10.1.2.0",
            "10.1.0.0",
            "10.1.2.3",
            "10.0.0.0",
            "012.1.2.0",
            "0xa.1.2.0",
            "10.1.2",
            "10.1.2.300",
            "0.0.0.0",
            "10.1..0",
            "255.255.255.255",
            "10.1.2.3x",
            "-1.1.2.0",
        ]),
        select(vec![
            "8",
            "16",
            "24",
            "31",
            "32",
            "0",
            "33",
            "-1",
            "",
            "x",
            "24x",
            "024",
            "0x18",
            "+8",
            "255.255.255.0",
            "255.0.255.0",
            "255.255.255.255",
            "0.0.0.0",
            "255.255.0",
            "255.255.255.256",
            "4294967304",
            "24.1",
            "99999999999999999999",
        ]),
    );
    let v6 = (
        select(vec![
            "[fd00::]",
            "[fd00::1:2]",
            "[::]",
            "fd00::",
            "[fd00::",
            "[::ffff:10.1.2.0]",
            "[fe00::]",
            "[x]",
        ]),
        select(vec!["8", "7", "0", "64", "128", "129", "-1", "", "x", "126", "008", "8.8"]),
    );
    prop_oneof![
        6 => fixed.prop_map(str::to_owned),
        2 => v4.prop_map(|(net, mask)| format!("{net}/{mask}")),
        1 => v6.prop_map(|(net, mask)| format!("{net}/{mask}")),
        1 => "[10.:\\[\\]/*?a@]{1,8}",
    ]
}

fn daemon() -> impl Strategy<Value = String> {
    let name = select(vec![
        "ALL",
        "in.ftpd",
        "IN.ftpd",
        "in.*",
        "in.",
        ".ftpd",
        "d",
        "?",
        "KNOWN",
        "UNKNOWN",
        "*x",
        "22",
        "0",
        "+0",
        "65536",
        "4294967296",
        "other",
        "*",
    ]);
    let at = (name.clone(), prop_oneof![host(), Just("127.".to_owned())]);
    prop_oneof![
        4 => name.prop_map(str::to_owned),
        1 => at.prop_map(|(name, host)| format!("{name}@{host}")),
    ]
}

pub(crate) fn client() -> impl Strategy<Value = String> {
    let user = select(vec!["ALL", "KNOWN", "UNKNOWN", "root", "un*", "unknown", "@x", ""]);
    prop_oneof![
        6 => host(),
        1 => (user, host()).prop_map(|(user, host)| format!("{user}@{host}")),
    ]
}

/// A list of words; some of them say EXCEPT.
fn list(word: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let word =
        prop_oneof![5 => word, 1 => select(vec!["EXCEPT", "except"]).prop_map(str::to_owned)];
    vec((word, select(vec![" ", ", ", ",", "\t", " \\\n ", "\\\n"])), 0..5)
        .prop_map(|words| words.into_iter().map(|(word, separator)| word + separator).collect())
}

/// Nothing that would leave the process another, as `user` and `group` of accounts that there are: libwrap changes to them
/// even when it only predicts.
pub(crate) fn option() -> impl Strategy<Value = String> {
    select(vec![
        "allow",
        "deny",
        "ALLOW",
        "Deny ",
        "allow x",
        "allow=",
        "spawn /bin/true %a %c",
        "spawn",
        "spawn = %h",
        "spawn a\\:b",
        "spawn %z %",
        "twist /bin/true",
        "twist",
        "aclexec /bin/false",
        "aclexec",
        "setenv A b c",
        "setenv A",
        "setenv",
        "setenv A=b",
        "setenv=A b",
        "setenv %z",
        "setenv %a b",
        "nice",
        "nice 5",
        "nice -5",
        "nice x",
        "nice =5",
        "nice 5x",
        "umask 022",
        "umask 9",
        "umask 1000",
        "umask +7",
        "umask -1",
        "umask",
        "linger 5",
        "linger -1",
        "linger 5 6",
        "linger",
        "keepalive",
        "keepalive 1",
        "keepalive=",
        "severity mail.info",
        "severity info",
        "severity LOCAL7.Err",
        "severity warn",
        "severity local7",
        "severity mail.",
        "severity",
        "severity x.info",
        "banners /",
        "banners /nowhere",
        "banners",
        "rfc931",
        "rfc931 3",
        "rfc931 0",
        "rfc931 x",
        "user no-such-user",
        "user",
        "group no-such-group",
        "other",
        "",
        " ",
        "allow\\:",
        "\\",
        "=",
        "= x",
    ])
    .prop_map(str::to_owned)
}

fn rule() -> impl Strategy<Value = String> {
    let options = prop_oneof![
        3 => Just(Vec::new()),
        2 => vec(option(), 1..4),
    ];
    let colon = select(vec![":", ": ", " : ", " :\\\n"]);
    (list(daemon()), list(client()), options, colon).prop_map(
        |(daemons, clients, options, colon)| {
            let options: String =
                options.into_iter().map(|option| format!("{colon}{option}")).collect();
            format!("{daemons}{colon}{clients}{options}\n")
        },
    )
}

fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        12 => rule(),
        1 => select(vec!["\n", "# ALL: ALL\n", " # ALL: ALL\n", "no colon\n", " \t\r\n", "#\\\n", "\\\n", ":\n", "\0\n", "a\0b\n", "\x0c\n"])
            .prop_map(str::to_owned),
        1 => "[ALd:\\[\\]@ ,.*\\\\\n]{0,24}",
    ];
    let end = prop_oneof![
        12 => Just(String::new()),
        1 => Just("ALL: ALL".to_owned()),
        1 => (2030..2060_usize).prop_map(|long| format!("d: {}\nALL: ALL\n", "x".repeat(long - 4))),
    ];
    (vec(line, 0..5), end).prop_map(|(lines, end)| lines.concat() + &end)
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let list = vec((host(), select(vec![" ", "\n", "\t", ","])), 0..4);
    let list = list.prop_map(|words| {
        let words = words.into_iter().filter(|(word, _)| !word.contains("LIST"));
        words.map(|(word, separator)| word + separator).collect()
    });
    let closed = Just("ALL: ALL\n".to_owned());
    let deny = prop_oneof![2 => file(), 1 => closed];
    let who = (select(&DAEMONS[..]), select(vec!["", "", "@127.0.0.1"]), select(&CLIENTS[..]));
    (file(), deny, list, who).prop_map(|(allow, deny, list, (daemon, server, client))| Case {
        allow,
        deny,
        list,
        daemon: daemon.into(),
        server,
        client,
    })
}
