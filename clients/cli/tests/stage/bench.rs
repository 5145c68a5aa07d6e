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
