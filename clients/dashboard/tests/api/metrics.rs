//! What Prometheus reads.

use std::collections::BTreeSet;

use palco_actors::SpawnOptions;

use crate::stage::{Probe, Stage};

#[test]
fn every_sample_has_its_metric_and_none_occurs_twice() {
    let stage = Stage::start();
    let answer = stage.ask("GET", "/metrics").answer();
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.text();
    let (mut metric, mut seen) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(name.starts_with("palco_"), "{line}");
            metric = name.to_owned();
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(series.split('{').next().unwrap(), metric, "{line}");
            assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
            assert!(seen.insert(series.to_owned()), "twice: {line}");
        }
    }
    for series in [
        "palco_build_info{version=\"0.0.1\"}",
        "palco_actor_messages_sent_total{actor=\"echo\"}",
        "palco_server_connections_active{server=\"kv\"}",
        "palco_server_connections_ended_total{server=\"work\",ending=\"done\"}",
        "palco_dead_letters_total",
        "palco_process_resident_memory_bytes",
        "palco_process_cpu_seconds_total",
    ] {
        assert!(seen.contains(series), "{series}:\n{text}");
    }
}

#[test]
fn actors_beyond_the_first_are_summed_up() {
    let stage = Stage::start();
    for number in 0..300 {
        let name = format!("many-{number}");
        stage.system.spawn(SpawnOptions::new().name(name.as_str()), || Probe).unwrap();
    }
    let text = stage.ask("GET", "/metrics").answer().text();
    let sent = "palco_actor_messages_sent_total{";
    assert_eq!(text.lines().filter(|line| line.starts_with(sent)).count(), 201);
    assert!(text.contains("palco_actor_messages_sent_total{actor=\"(others)\"}"));
}

/// Needs promtool, of Debian's package prometheus.
#[cfg(feature = "promtool")]
#[test]
fn promtool_has_nothing_to_object() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let stage = Stage::start();
    let text = stage.ask("GET", "/metrics").answer().text();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed: apt install prometheus");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}
