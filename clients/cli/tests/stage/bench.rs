//! `palco bench`, where it starts palco itself.

use serde_json::Value;

use crate::support::palco;

#[test]
fn palco_is_measured_as_a_superserver_and_serves_every_connection() {
    // The other superservers of this machine are not asked for: only those in /usr/sbin are found.
    let mut bench = palco();
    bench.args(["bench", "spawn", "--only", "superservers", "--quick", "--json"]);
    let output = bench.env_remove("PALCO_DAEMONS").env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["tables"], Value::Array(Vec::new()));
    let tables = report["superservers"]["tables"].as_array().unwrap();
    assert!(tables.len() >= 2, "{tables:?}");
    for table in tables {
        for name in ["palco inetd", "palco inetd, 256 MiB touched"] {
            let mut rows = table["rows"].as_array().unwrap().iter();
            let row = rows.find(|row| row["name"] == name).unwrap();
            assert_eq!((&row["refused"], &row["failure"]), (&Value::Null, &Value::Null));
            for load in ["sequential", "concurrent"] {
                assert!(row[load]["ops"].as_u64().unwrap() > 0, "{row}");
                assert!(row[load]["cpu_ns"].as_f64().unwrap() > 0.0, "{row}");
            }
        }
    }
}

#[test]
fn palco_s_registers_are_measured_in_every_cell_and_while_members_go() {
    let state = tempfile::tempdir().unwrap();
    let page = state.path().join("page.html");
    let mut bench = palco();
    bench.args(["bench", "registers", "--clients", "2", "--rounds", "1", "--for", "600ms"]);
    bench.args(["--peers", "none", "--gaps", "--bulk", "1MiB", "--json", "--html"]).arg(&page);
    let output = bench.env("XDG_STATE_HOME", state.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tables = report["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 4, "get and set, one by one and pipelined");
    for table in tables {
        let rows = table["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 2, "durable and in memory: {table}");
        for row in rows {
            assert_eq!(row["refused"], Value::Null, "{row}");
            assert!(row["figures"]["ops"].as_u64().unwrap() > 0, "{row}");
            assert!(row["figures"]["per_cpu_second"]["median"].as_f64().unwrap() > 0.0, "{row}");
        }
    }
    let gaps = report["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 3);
    for row in gaps {
        assert_eq!(row["refused"], Value::Null, "{row}");
        assert!(row["during"]["ops"].as_u64().unwrap() > 0, "{row}");
    }
    let verdicts: Vec<_> = report["targets"].as_array().unwrap().iter().collect();
    assert!(verdicts.iter().any(|target| target["verdict"] == "unknown"), "nobody to compare with");
    assert!(std::fs::read_to_string(page).unwrap().contains("palco × 3, durable"));
    assert!(state.path().join("palco/reports/registers.json").exists());
}

#[test]
fn stateless_and_stateful_are_measured_in_every_part() {
    let state = tempfile::tempdir().unwrap();
    let page = state.path().join("page.html");
    let mut bench = palco();
    bench.args(["bench", "state", "--rounds", "1", "--for", "200ms", "--kills", "2"]);
    bench.args(["--peers", "none", "--terms", "100ms,1s", "--json", "--html"]).arg(&page);
    let output = bench.env("XDG_STATE_HOME", state.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = |part: &str| report[part].as_array().unwrap().iter();
    let parts = ["ahead", "memory", "recovery", "stale", "terms"].map(rows);
    let costs = rows("tables").flat_map(|table| table["rows"].as_array().unwrap());
    for row in parts.into_iter().flatten().chain(costs) {
        assert_eq!(row["refused"], Value::Null, "{row}");
    }
    let trips = |task: &str, side: &str, way: &str| {
        let table = rows("tables").find(|table| table["task"] == task).unwrap();
        let mut rows = table["rows"].as_array().unwrap().iter();
        let row = rows.find(|row| row["side"] == side && row["way"] == way).unwrap();
        row["figures"]["round_trips"]["median"].as_f64().unwrap()
    };
    for task in ["sequential", "random"] {
        assert_eq!(trips(task, "http", "request"), 1.0);
        assert_eq!(trips(task, "http", "connection"), 2.0);
        for side in ["volatile", "journalled", "leases"] {
            assert_eq!(trips(task, side, "open-read-close"), 3.0);
            assert_eq!(trips(task, side, "handle"), 1.0);
            assert_eq!(trips(task, side, "pipelined"), 1.0 / 16.0);
        }
    }
    assert_eq!(trips("write", "http", "append"), 1.0);
    assert_eq!(trips("write", "journalled", "write-sync"), 2.0);
    let hits = |readers: &str| {
        let row = rows("ahead").find(|row| row["readers"] == readers).unwrap();
        row["reads_ahead"].as_f64().unwrap() / row["reads"].as_f64().unwrap()
    };
    assert!(hits("sequential") > 0.9 && hits("random") < 0.1, "{}", report["ahead"]);
    for row in rows("memory") {
        let (handles, bytes) = (row["handles"].as_u64(), row["state_bytes"].as_f64().unwrap());
        assert_eq!(bytes > 0.0, handles != Some(0), "{row}");
    }
    for row in rows("recovery") {
        assert_eq!(row["kills"], 2, "{row}");
    }
    let leased = rows("stale").find(|row| row["belief"] == "leases").unwrap();
    let figures = &leased["figures"];
    assert!(figures["reads"].as_u64() > Some(0) && figures["writes"].as_u64() > Some(0));
    assert_eq!(figures["old"], 0, "no read under a lease is older than a confirmed write");
    let messages: Vec<_> =
        rows("terms").map(|row| row["figures"]["messages_per_read"].as_f64().unwrap()).collect();
    assert!(messages.len() == 3 && messages.is_sorted_by(|a, b| a > b), "{messages:?}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("palco sftp, journalled") && page.contains("<svg"));
    assert!(state.path().join("palco/reports/state.json").exists());
}

#[test]
fn servers_are_measured_under_every_kind_of_work() {
    let state = tempfile::tempdir().unwrap();
    let page = state.path().join("page.html");
    let mut bench = palco();
    bench.args(["bench", "servers", "--rounds", "1", "--for", "50ms", "--peers", "none", "--json"]);
    bench.args(["--servers", "per-connection × thread,replaced", "--html"]).arg(&page);
    let output = bench.env("XDG_STATE_HOME", state.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tables = report["tables"].as_array().unwrap();
    let row = |workload: &str, dialect: &str, contestant: &str| {
        let is_it = |table: &&Value| table["workload"] == workload && table["dialect"] == dialect;
        let mut rows = tables.iter().find(is_it).unwrap()["rows"].as_array().unwrap().iter();
        rows.find(|row| row["contestant"] == contestant).unwrap().clone()
    };
    let first = |row: &Value, measure: &str| row["measured"][measure][0].as_f64().unwrap();
    let (threads, team) = ("palco per-connection × thread", "palco team × process, replaced");
    for workload in ["short", "ping-pong", "cpu", "block"] {
        let row = row(workload, "plain", threads);
        assert!(first(&row, "cpu") > 0.0 && first(&row, "p99") > 0.0, "{row}");
        assert!(first(&row, "answered") > 0.0 && row["refused"].is_null(), "{row}");
    }
    assert!(first(&row("idle", "plain", threads), "memory-per-connection") > 1.0);
    assert!(first(&row("large", "http", "palco http per-connection × thread"), "cpu") > 0.0);
    // Its four workers are all held; a thread for each connection is not.
    assert_eq!(first(&row("slowloris", "plain", team), "answered"), 0.0);
    assert!(first(&row("slowloris", "plain", threads), "answered") > 0.0);
    assert_eq!(first(&row("crash", "plain", threads), "lost"), 1.0, "one process serves all");
    assert_eq!(first(&row("crash", "plain", team), "lost"), 0.0);
    assert!(first(&row("crash", "plain", team), "recovery") > 0.0);
    let leak = |contestant| {
        let row = row("leak", "plain", contestant);
        // Of 200 requests that leak a MiB each.
        (200.0 * first(&row, "answered"), first(&row, "growth"))
    };
    let (leaked, grown) = leak(threads);
    assert!(leaked > 0.0 && grown > leaked * 0.9, "{grown} MiB of {leaked}");
    let (leaked, grown) = leak(team);
    assert!(leaked > 0.0 && grown < 100.0, "workers are replaced: {grown} MiB of {leaked}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(threads) && page.contains("<svg"));
    assert!(state.path().join("palco/reports/servers.json").exists());
}
