//! Both cookies in one jar of curl, unchanged, and a server that is killed. Behind feature `real-clients`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Stage, until};

/// Models and places, and where the table is then; a process for each connection shares it or has forgotten it.
const CELLS: [(&str, &str, &str); 5] = [
    ("iterative", "task", ""),
    ("per-connection", "task", ""),
    ("per-connection", "process", "state = \"shared\""),
    ("team", "thread", ""),
    ("team", "process", "state = \"shared\""),
];

/// Two servers and one client that shops at both.
struct Shop {
    stage: Stage,
    /// What is on the stage.
    servers: String,
    /// The jar, and the secret.
    files: TempDir,
}

impl Shop {
    fn open(model: &str, place: &str, state: &str, ttl: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let secret = files.path().join("secret");
        fs::write(&secret, "0123456789abcdef0123456789abcdef").unwrap();
        fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        let server = |name: &str, state: &str, basket: &str| {
            format!(
                "[[server]]\nname = \"{name}\"\nservice = \"basket\"\nmodel = \"{model}\"\n\
                 place = \"{place}\"\n{state}\nbasket = {{ sessions = \"{name}\", ttl = \"{ttl}\"{basket} }}\n"
            )
        };
        let secret = format!(", secret = \"{}\"", secret.display());
        let servers = server("client", "", &secret) + &server("server", state, "");
        Self { stage: Stage::up(&servers), servers, files }
    }

    /// The server process is killed, and another one started; no port stays the same.
    fn kill_and_open_again(&mut self) {
        self.stage.kill("-KILL");
        self.stage.child.wait().unwrap();
        self.stage = Stage::up(&self.servers);
    }

    /// The status and the content of what curl gets with the jar.
    fn ask(&self, server: &str, arguments: &[&str], path: &str) -> (String, Value) {
        let jar = self.files.path().join("jar");
        let jar = jar.to_str().unwrap();
        self.curl(server, &[&["-b", jar, "-c", jar], arguments].concat(), path)
    }

    fn curl(&self, server: &str, arguments: &[&str], path: &str) -> (String, Value) {
        let url = format!("http://{}{path}", self.stage.address(server));
        let output = Command::new("curl")
            .args(["-sS", "-w", "%{http_code}"])
            .args(arguments)
            .arg(&url)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "curl {arguments:?} {url}: {said}");
        let answer = String::from_utf8(output.stdout).unwrap();
        let (content, status) = answer.rsplit_once('\n').unwrap();
        (status.to_owned(), serde_json::from_str(content).unwrap())
    }

    fn items(&self, server: &str) -> Value {
        self.ask(server, &[], "/basket").1["items"].clone()
    }

    /// The value of a cookie in the jar.
    fn cookie(&self, name: &str) -> Option<String> {
        let jar = fs::read_to_string(self.files.path().join("jar")).unwrap();
        let mut cookies = jar.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let found = cookies.find(|fields| fields.get(5) == Some(&name));
        found.map(|fields| fields[6].to_owned())
    }
}

#[test]
fn after_a_kill_the_clients_basket_goes_on_and_the_servers_is_gone() {
    for (model, place, state) in CELLS {
        let cell = format!("{model} {place}");
        let mut shop = Shop::open(model, place, state, "10m");
        for server in ["client", "server"] {
            let (status, _) = shop.ask(server, &["-X", "PUT"], "/basket/tea?count=2");
            assert_eq!(status, "200", "{cell}");
            shop.ask(server, &["-X", "PUT"], "/basket/cups?count=4");
            shop.ask(server, &["-X", "DELETE"], "/basket/cups");
            assert_eq!(shop.items(server), json!({ "tea": 2 }), "{cell} {server}");
        }
        let session = shop.cookie("basket-session").unwrap();
        shop.kill_and_open_again();

        let (status, kept) = shop.ask("client", &[], "/basket");
        assert_eq!((status.as_str(), &kept["items"]), ("200", &json!({ "tea": 2 })), "{cell}");
        let (status, lost) = shop.ask("server", &[], "/basket");
        assert_eq!((status.as_str(), &lost["items"]), ("200", &json!({})), "{cell}");
        assert_eq!(lost["note"], "session expired or unknown", "{cell}");
        assert_ne!(shop.cookie("basket-session").unwrap(), session, "{cell}");

        // Both go on from there.
        for server in ["client", "server"] {
            shop.ask(server, &["-X", "PUT"], "/basket/pot?count=1");
        }
        assert_eq!(shop.items("client"), json!({ "pot": 1, "tea": 2 }), "{cell}");
        assert_eq!(shop.items("server"), json!({ "pot": 1 }), "{cell}");
    }
}

#[test]
fn a_forged_cookie_is_refused_and_leaves_the_jar() {
    let shop = Shop::open("per-connection", "task", "", "10m");
    shop.ask("client", &["-X", "PUT"], "/basket/tea?count=2");
    let good = shop.cookie("basket").unwrap();
    let jar = shop.files.path().join("jar");
    let forged = fs::read_to_string(&jar).unwrap().replace(&good, &format!("x{good}"));
    fs::write(&jar, forged).unwrap();
    let (status, problem) = shop.ask("client", &[], "/basket");
    assert_eq!(
        (status.as_str(), &problem["type"]),
        ("401", &json!("urn:palco:basket:cookie-forged"))
    );
    assert_eq!(shop.cookie("basket"), None);
    assert_eq!(shop.items("client"), json!({}));
}

#[test]
fn what_is_not_refreshed_expires_at_both_ends() {
    let shop = Shop::open("per-connection", "task", "", "1s");
    shop.ask("client", &["-X", "PUT"], "/basket/tea?count=2");
    let cookie = format!("Cookie: basket={}", shop.cookie("basket").unwrap());
    // The server, for a client that shows a cookie longer than it should.
    until("it has expired", || {
        let (status, answer) = shop.curl("client", &["-H", &cookie], "/basket");
        status == "401" && answer["type"] == "urn:palco:basket:cookie-expired"
    });
    // The client, by itself.
    let (status, answer) = shop.ask("client", &[], "/basket");
    assert_eq!((status.as_str(), &answer["items"]), ("200", &json!({})));
}
