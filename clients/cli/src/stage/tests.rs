//! Stage files: the embedded one is good, mistakes are named with line and key.

use palco_models::{AcceptBy, Affinity, Crew};

use super::*;

fn error(text: &str) -> String {
    format!("{:#}", StageFile::parse(text, "stage.toml").expect_err("refused"))
}

const SERVER: &str = r#"
[[server]]
service = "echo"
model = "team"
place = "thread"
listen = "127.0.0.1:7001"
"#;

#[test]
fn the_embedded_stage_is_good_and_every_service_is_on_it() {
    let stage = StageFile::embedded().unwrap();
    // Files to write are nobody's without being asked.
    for service in ServiceKind::ALL.into_iter().filter(|kind| *kind != ServiceKind::Files) {
        assert!(stage.servers.iter().any(|server| server.service == service), "{service}");
    }
    assert!(stage.servers.iter().all(|server| server.listen.ip().is_loopback()));
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
    let error = error(&SERVER.replace("place", "palce"));
    assert!(
        error.contains("line 5") && error.contains("palce") && error.contains("`place`"),
        "{error}"
    );
}

#[test]
fn an_unknown_model_place_or_service_lists_the_valid_ones() {
    for (known, unknown, valid) in [
        ("team", "prefork", "per-connection"),
        ("thread", "fibre", "`task`"),
        ("echo", "gopher", "daytime"),
    ] {
        let error = error(&SERVER.replace(known, unknown));
        assert!(error.contains(unknown) && error.contains(valid), "{error}");
    }
}

#[test]
fn settings_that_do_not_fit_say_why_and_where() {
    let iterative = SERVER.replace("team", "iterative") + "workers = 4\n";
    assert!(error(&iterative).contains("server `echo`: model `iterative` has no workers"));
    assert!(
        error(&(SERVER.to_owned() + "root = \"/\"\n")).contains("`root` belongs to service `http`")
    );
    assert!(error(&(SERVER.to_owned() + SERVER)).contains("two servers are named `echo`"));
    let twice = SERVER.to_owned() + &SERVER.replace("[[server]]", "[[server]]\nname = \"other\"");
    assert!(error(&twice).contains("127.0.0.1:7001 is taken"));
    assert!(
        error(&(SERVER.to_owned() + "drain-within = \"soon\"\n")).contains("`soon` is no duration")
    );
    let shared = SERVER.to_owned() + "state = \"shared\"\n";
    assert!(error(&shared).contains("`state` belongs to place `process`; in place `thread` all"));
    let processes = SERVER.replace("\"thread\"", "\"process\"");
    assert!(error(&(processes.clone() + "state = \"shared\"\n")).contains("has no state to share"));
    assert!(error(&(processes.clone() + "state = \"common\"\n")).contains("`shared`"));
    let limited = "process = { memory-max-bytes = 1000000000 }\n";
    assert!(error(&(SERVER.to_owned() + limited)).contains("not to `thread`"));
    let misspelt = processes.clone() + "[server.process]\nmemory-max = 1\n";
    assert!(error(&misspelt).contains("`memory-max-bytes`"));
    let recycled =
        processes.replace("team", "per-connection") + "process.recycle = { age-s = 9 }\n";
    assert!(error(&recycled).contains("`recycle` belongs to standing processes"));
    let passed = processes.replace("team", "iterative") + "process.accept-by = \"dispatcher\"\n";
    assert!(error(&passed).contains("`accept-by` belongs to model `team`"));
    let none = SERVER.to_owned() + "limits = { connections-max = 0 }\n";
    assert!(error(&none).contains("connections-max must be at least 1"));
}

#[test]
fn a_basket_is_read_and_what_does_not_fit_says_why() {
    let basket = SERVER.replace("echo", "basket");
    let stage = StageFile::parse(&basket, "stage.toml").unwrap();
    assert_eq!(stage.servers[0].basket, None);
    let said = basket.clone() + "[server.basket]\nsessions = \"server\"\nttl = \"90s\"\n";
    let stage = StageFile::parse(&said, "stage.toml").unwrap();
    let entry = stage.servers[0].basket.clone().unwrap();
    assert!(entry.has_state() && entry.ttl == Duration::from_secs(90));
    let processes = said.replace("thread", "process");
    let shared = processes.replace("listen", "state = \"shared\"\nlisten");
    assert!(StageFile::parse(&shared, "stage.toml").is_ok());
    assert!(error(&shared.replace("\"server\"", "\"client\"")).contains("no state to share"));
    assert!(error(&said.replace("90s", "0s")).contains("1s to 366days"));
    assert!(error(&said.replace("ttl", "tll")).contains("`ttl`"));
    assert!(error(&(said + "secret = \"key\"\n")).contains("nothing is signed"));
    let foreign = SERVER.to_owned() + "basket = { ttl = \"1m\" }\n";
    assert!(error(&foreign).contains("belong to service `basket`"));
}

#[test]
fn settings_of_processes_are_read() {
    let text = SERVER.replace("\"thread\"", "\"process\"").replace("echo", "kv");
    let text = text
        + "state = \"shared\"\n[server.process]\nmemory-max-bytes = 500000000\nstart = \"zygote\"\n\
           recycle = { rss-bytes = 100000000, age-s = 3600 }\naccept-by = \"dispatcher\"\n";
    let stage = StageFile::parse(&text, "stage.toml").unwrap();
    let server = &stage.servers[0];
    assert_eq!(server.state, Some(State::Shared));
    let process = server.settings().process.unwrap();
    assert_eq!(process.accept_by, AcceptBy::Dispatcher);
    assert_eq!(process.memory_max_bytes, Some(500_000_000));
    assert_eq!((process.recycle.rss_bytes, process.recycle.age_s), (Some(100_000_000), Some(3600)));
}

#[test]
fn a_crew_is_read_and_what_does_not_fit_says_why() {
    let stage = StageFile::parse(SERVER, "stage.toml").unwrap();
    assert_eq!(stage.servers[0].settings().crew, Crew::default());
    let said = SERVER.to_owned()
        + "[server.crew]\nspare-min = 2\nspare-max = 4\nworkers-max = 64\nrequests-max = 1000\n\
           requests-jitter = 50\naccept-by = \"own-sockets\"\naffinity = [[0], [0]]\n";
    let stage = StageFile::parse(&said, "stage.toml").unwrap();
    let crew = stage.servers[0].settings().crew;
    let spares = (crew.spare_min, crew.spare_max, crew.workers_max);
    assert_eq!(spares, (Some(2), Some(4), Some(64)));
    assert_eq!((crew.requests_max, crew.requests_jitter), (Some(1000), Some(50)));
    assert_eq!(crew.accept_by, Some(AcceptBy::OwnSockets));
    assert_eq!(crew.affinity, Affinity::Sets(vec![vec![0], vec![0]]));
    assert!(error(&said.replace("spare-max = 4", "spare-max = 2")).contains("spare-max"));
    assert!(error(&said.replace("spare-min", "spares-min")).contains("`spares-min`"));
    assert!(error(&said.replace("[[0], [0]]", "\"everywhere\"")).contains("`spread`"));
    assert!(error(&said.replace("thread", "task")).contains("never busy"));
}

#[test]
fn malformed_toml_shows_the_line() {
    assert!(error("[[server]\nservice = 1\n").contains("line 1"));
}

#[test]
fn time_limits_are_the_same_on_the_command_line_and_in_a_file() {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        limits: DeadlineArgs,
    }
    let said = [
        ("header-within", "1s"),
        ("header-max", "2s"),
        ("body-within", "3s"),
        ("idle-within", "4s"),
        ("handler-within", "5s"),
        ("send-within", "6s"),
        ("worker-within", "7s"),
        ("shed-above", "80ms"),
    ];
    let keys = said.map(|(key, value)| format!("{key} = \"{value}\"\n")).concat();
    let text = SERVER.replace("thread", "process")
        + &format!("[server.deadlines]\n{keys}min-rate = 500\n");
    let file = StageFile::parse(&text, "stage.toml").unwrap();
    let words = said.iter().flat_map(|(key, value)| [format!("--{key}"), (*value).to_owned()]);
    let words = words.chain(["--min-rate".to_owned(), "500".to_owned()]);
    let line =
        <Line as clap::Parser>::try_parse_from(["serve".to_owned()].into_iter().chain(words));
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let expected = palco_models::Deadlines {
        header: seconds(1),
        header_max: seconds(2),
        body: seconds(3),
        idle: seconds(4),
        handler: seconds(5),
        send: seconds(6),
        worker: seconds(7),
        min_rate: Some(500),
    };
    let shedding = palco_models::Shedding { above: Duration::from_millis(80) };
    let settings = file.servers[0].settings();
    assert_eq!((settings.deadlines, settings.limits.shedding), (expected, Some(shedding)));
    let limits = line.unwrap_or_else(|error| panic!("{error}")).limits;
    assert_eq!((limits.deadlines(), limits.shedding()), (expected, Some(shedding)));
    let zero = error(&text.replace("4s", "0s"));
    assert!(zero.contains("server `echo`: `idle-within` of zero"), "{zero}");
}
