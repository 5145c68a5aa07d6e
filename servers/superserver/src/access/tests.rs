//! Whom rules let through, and with what.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;

fn caller(peer: &str) -> Caller {
    let socket = |ip: &str, port| Some(SocketAddr::new(ip.parse().unwrap(), port));
    Caller { peer: socket(peer, 50_000), local: socket("127.0.0.1", 21) }
}

/// Names of 10.x addresses only.
fn names() -> Names {
    Names::looked_up_by(|address| match address {
        IpAddr::V4(v4) if v4.octets()[..2] == [10, 0] => Name::Known("c.example.org".into()),
        IpAddr::V4(v4) if v4.octets()[..2] == [10, 66] => Name::Paranoid,
        IpAddr::V4(_) | IpAddr::V6(_) => Name::Unknown,
    })
}

/// Names that nothing may ask for.
fn no_names() -> Names {
    Names::looked_up_by(|address| panic!("{address} is looked up"))
}

fn sources(words: &str) -> Vec<Source> {
    words.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

fn reason(judgement: Judgement) -> Option<String> {
    match judgement {
        Judgement::Granted(_) => None,
        Judgement::Refused { reason, .. } => Some(reason),
    }
}

fn granted(judgement: Judgement) -> Extras {
    match judgement {
        Judgement::Granted(extras) => extras,
        Judgement::Refused { reason, .. } => panic!("{reason}"),
    }
}

/// Files of hosts_access in a directory of their own.
struct Tables {
    directory: tempfile::TempDir,
    rules: Rules,
}

impl Tables {
    fn new(allow: &str, deny: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [allow_file, deny_file] =
            ["hosts.allow", "hosts.deny"].map(|name| directory.path().join(name));
        fs::write(&allow_file, allow).unwrap();
        fs::write(&deny_file, deny).unwrap();
        let hosts = Hosts { daemon: "in.ftpd".into(), allow: allow_file, deny: deny_file };
        Self { directory, rules: Rules { hosts: Some(hosts), ..Rules::default() } }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    async fn judge(&self, peer: &str) -> Judgement {
        self.rules.judge(&caller(peer), &names()).await
    }
}

#[tokio::test]
async fn without_a_rule_everybody_may() {
    assert!(Rules::default().is_open());
    let nobody = Caller { peer: None, local: None };
    assert_eq!(
        Rules::default().judge(&nobody, &no_names()).await,
        Judgement::Granted(Extras::default())
    );
    let rules = Rules { only_from: Some(Vec::new()), ..Rules::default() };
    assert!(!rules.is_open());
    assert!(reason(rules.judge(&nobody, &no_names()).await).is_some());
    assert!(reason(rules.judge(&caller("10.0.0.1"), &no_names()).await).is_some());
}

#[tokio::test]
async fn of_only_from_and_no_access_the_better_match_wins() {
    let rules = Rules {
        only_from: Some(sources("128.138.209.0 128.138.7.7 .example.org")),
        no_access: sources("128.138.209.10 128.138.7.0 10.0.9.9 128.138.8.0"),
        ..Rules::default()
    };
    for (peer, may) in [
        ("128.138.209.1", true),
        ("128.138.209.10", false),
        ("::ffff:128.138.209.10", false),
        ("128.138.7.7", true),
        ("128.138.7.8", false),
        ("10.0.0.1", true),
        ("10.0.9.9", false),
        ("10.66.0.1", false),
        ("9.9.9.9", false),
    ] {
        let judgement = rules.judge(&caller(peer), &names()).await;
        assert_eq!(reason(judgement.clone()).is_none(), may, "{peer}: {judgement:?}");
    }
    let same = Rules {
        only_from: Some(sources("10.0.0.1")),
        no_access: sources("10.0.0.1/32"),
        ..Rules::default()
    };
    let reason = reason(same.judge(&caller("10.0.0.1"), &no_names()).await).unwrap();
    assert!(reason.contains("no_access: 10.0.0.1/32"), "{reason}");
}

#[tokio::test]
async fn outside_of_its_times_a_service_refuses() {
    let times = ["9:00-17:30", "22:00-1:00"].map(|word| word.parse().unwrap()).to_vec();
    let rules = Rules { times, ..Rules::default() };
    for (minute, may) in
        [(540, true), (1050, true), (1051, false), (1439, true), (0, true), (61, false)]
    {
        let judgement = rules.judge_at(&caller("10.0.0.1"), &no_names(), minute).await;
        assert_eq!(reason(judgement).is_none(), may, "{minute}");
    }
    let reason = reason(rules.judge_at(&caller("10.0.0.1"), &no_names(), 125).await).unwrap();
    assert_eq!(reason, "it is 2:05, and access_times are 9:00-17:30 22:00-1:00");
}

#[tokio::test]
async fn a_refusal_says_which_line_refuses() {
    let tables = Tables::new("in.ftpd: 10.0.0.0/8\n", "# nobody else\nALL: ALL\n");
    assert!(granted(tables.judge("10.1.2.3").await).is_empty());
    let refusal = reason(tables.judge("11.1.2.3").await).unwrap();
    assert_eq!(refusal, format!("{}/hosts.deny:2: `ALL: ALL`", tables.path().display()));
    let tables = Tables::new("ALL: ALL: umask 999\n", "");
    let refusal = reason(tables.judge("10.1.2.3").await).unwrap();
    assert!(refusal.contains("hosts.allow:1: option `umask`"), "{refusal}");
}

#[tokio::test]
async fn an_edit_acts_at_once() {
    let tables = Tables::new("", "ALL: ALL\n");
    let names = no_names();
    assert!(reason(tables.rules.judge(&caller("10.0.0.1"), &names).await).is_some());
    fs::write(tables.path().join("hosts.allow"), "ALL: 10.\n").unwrap();
    assert!(reason(tables.rules.judge(&caller("10.0.0.1"), &names).await).is_none());
    fs::remove_file(tables.path().join("hosts.deny")).unwrap();
    fs::remove_file(tables.path().join("hosts.allow")).unwrap();
    assert!(reason(tables.rules.judge(&caller("10.0.0.1"), &names).await).is_none());
}

#[tokio::test]
async fn a_name_is_looked_up_only_if_a_rule_needs_it() {
    let words = "9.9.9.9 1.2. [::1] 3.0.0.0/8 10.0.0.1";
    let tables =
        Tables::new(&format!("other: LOCAL\nALL: {words}: spawn x %a %d %r\n"), "ALL: ALL\n");
    assert!(reason(tables.rules.judge(&caller("10.0.0.1"), &no_names()).await).is_none());
    assert!(reason(tables.rules.judge(&caller("10.0.0.2"), &no_names()).await).is_some());
    let tables = Tables::new("ALL: .example.org\n", "ALL: PARANOID: deny\nALL: KNOWN: deny\n");
    assert!(reason(tables.judge("10.0.0.1").await).is_none());
    assert!(
        reason(tables.judge("10.66.0.1").await)
            .unwrap()
            .ends_with("hosts.deny:1: `ALL: PARANOID: deny`")
    );
    assert!(reason(tables.judge("11.0.0.1").await).is_none());
}

#[tokio::test]
async fn options_add_to_the_start() {
    let me = nix::unistd::User::from_uid(nix::unistd::getuid()).unwrap().unwrap().name;
    let tables = Tables::new(
        &format!(
            "in.ftpd: ALL: setenv WHO = %c \\:%h : spawn (echo %d-%n) & : spawn b: aclexec test %a : nice : nice 2 : umask 027 : \\\n \
             keepalive : linger 7 : user {me} : severity mail.warning : banners {{}} : twist /bin/echo %% %s %u %R\n"
        ),
        "",
    );
    let allow = tables.path().join("hosts.allow");
    let text = fs::read_to_string(&allow).unwrap();
    fs::write(&allow, text.replace("{}", &tables.path().display().to_string())).unwrap();
    fs::write(tables.path().join("in.ftpd"), "Hello %h,\n100%% yours\n").unwrap();
    let extras = granted(tables.judge("10.0.0.1").await);
    let expected = Extras {
        environment: vec![("WHO".into(), "= c.example.org :c.example.org".into())],
        user: Some(me),
        group: None,
        nice: Some(12),
        umask: Some(0o27),
        keepalive: true,
        linger: Some(Duration::from_secs(7)),
        conditions: vec!["test 10.0.0.1".into()],
        spawn: vec!["(echo in.ftpd-c.example.org) &".into(), "b".into()],
        twist: Some("/bin/echo % in.ftpd@127.0.0.1 unknown 21".into()),
        banners: Some(tables.path().join("in.ftpd")),
        banner: b"Hello c.example.org,\r\n100% yours\r\n".to_vec(),
        severity: Some(tracing::Level::WARN),
    };
    assert_eq!(extras, expected);
    assert!(!extras.is_empty());
}

#[tokio::test]
async fn what_the_network_says_means_nothing_to_a_shell() {
    let tables = Tables::new("ALL: ALL: spawn echo %n\n", "");
    let names = Names::looked_up_by(|_| Name::Known("x;rm -rf $HOME`é'\n".into()));
    let extras = granted(tables.rules.judge(&caller("10.0.0.1"), &names).await);
    assert_eq!(extras.spawn, ["echo x_rm_-rf__HOME____"]);
}

#[tokio::test]
async fn a_rule_that_refuses_can_twist() {
    let tables = Tables::new("", "ALL: ALL: spawn log: twist /bin/echo 421 no\n");
    let Judgement::Refused { extras, .. } = tables.judge("10.0.0.1").await else { panic!() };
    assert_eq!(extras.twist.as_deref(), Some("/bin/echo 421 no"));
    assert_eq!(extras.spawn, ["log"]);
}

#[tokio::test]
async fn lists_in_files_end_even_if_they_list_themselves() {
    let tables = Tables::new("ALL: ALL EXCEPT {list}\n", "ALL: ALL\n");
    let (allow, list) = (tables.path().join("hosts.allow"), tables.path().join("list"));
    fs::write(&allow, format!("ALL: {}\n", list.display())).unwrap();
    fs::write(&list, format!("1.2.3.4\n{}\n::1 c.example.org", list.display())).unwrap();
    assert!(reason(tables.judge("1.2.3.4").await).is_none());
    assert!(reason(tables.judge("1.2.3.5").await).is_some());
    assert!(reason(tables.judge("::1").await).is_none());
    assert!(reason(tables.judge("10.0.0.1").await).is_none());
}

#[tokio::test]
async fn a_caller_without_an_address_is_unknown() {
    let tables = Tables::new("in.ftpd: UNKNOWN\n", "ALL: ALL\n");
    let unknown = Caller { peer: None, local: None };
    assert!(reason(tables.rules.judge(&unknown, &no_names()).await).is_none());
    assert!(reason(tables.judge("10.0.0.1").await).is_some());
}
