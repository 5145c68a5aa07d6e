//! Stage files: the embedded one is good, mistakes are named with line and key.

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
    for service in ServiceKind::ALL {
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
        ("echo", "ftp", "daytime"),
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
    let none = SERVER.to_owned() + "limits = { connections-max = 0 }\n";
    assert!(error(&none).contains("connections-max must be at least 1"));
}

#[test]
fn malformed_toml_shows_the_line() {
    assert!(error("[[server]\nservice = 1\n").contains("line 1"));
}
