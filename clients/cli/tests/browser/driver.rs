//! chromedriver in a process of its own, with one browser. WebDriver is JSON over HTTP: <https://www.w3.org/TR/webdriver2/>.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Against hanging; nothing should come near it.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
const CLOSED_WITHIN: Duration = Duration::from_secs(10);

/// Both end when this is dropped, also by a panic.
pub(crate) struct Driver {
    chromedriver: Child,
    port: u16,
    session: String,
    browser_pid: Option<u64>,
    /// What the browser leaves behind.
    _directory: TempDir,
}

/// How often a chromedriver may fail to listen: the port that it takes for IPv4 may be somebody's for IPv6.
const TRIES_MAX: usize = 10;

/// A chromedriver, and the port it listens on.
fn listening(directory: &Path) -> (Child, u16) {
    for _ in 0..TRIES_MAX {
        let mut chromedriver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is not there: apt install chromium chromium-driver");
        let lines = BufReader::new(chromedriver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| port_in(&line));
        match port {
            Some(port) => return (chromedriver, port),
            None => drop(chromedriver.wait()),
        }
    }
    panic!("chromedriver did not say its port in {TRIES_MAX} tries");
}

impl Driver {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (chromedriver, port) = listening(directory.path());
        let mut driver = Self {
            chromedriver,
            port,
            session: String::new(),
            browser_pid: None,
            _directory: directory,
        };
        let session = driver.call("POST", "/session", &capabilities(), ANSWER_WITHIN);
        let session = session.expect("the browser did not start");
        session["sessionId"].as_str().unwrap().clone_into(&mut driver.session);
        driver.browser_pid = session["capabilities"]["goog:processID"].as_u64();
        driver
    }

    /// A command of this session.
    pub(crate) fn post(&self, command: &str, body: &Value) -> Result<Value> {
        self.call("POST", &format!("/session/{}/{command}", self.session), body, ANSWER_WITHIN)
    }

    /// A command to the first element that fits.
    pub(crate) fn element(&self, css: &str, command: &str, body: &Value) -> Result<Value> {
        let found = self.post("element", &json!({ "using": "css selector", "value": css }))?;
        let id = found.as_object().and_then(|found| found.values().next()?.as_str());
        let id = id.ok_or_else(|| Error::other(format!("{css}: {found}")))?;
        self.post(&format!("element/{id}/{command}"), body)
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).unwrap()
    }

    /// What is seen, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let answer = self.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
        from_base64(answer["data"].as_str().unwrap())
    }

    fn call(&self, method: &str, path: &str, body: &Value, within: Duration) -> Result<Value> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(within))?;
        let (body, port) = (body.to_string(), self.port);
        let length = body.len();
        stream.write_all(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .as_bytes(),
        )?;
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(("content-length", value)) = line.to_lowercase().split_once(':') {
                length = value.trim().parse().map_err(Error::other)?;
            }
            line.clear();
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let value = answer["value"].clone();
        let failed = value.get("error").is_some() && value.get("stacktrace").is_some();
        if failed { Err(Error::other(value["message"].to_string())) } else { Ok(value) }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        let closed = self.call("DELETE", &path, &Value::Null, CLOSED_WITHIN);
        if let (Err(_), Some(pid)) = (closed, self.browser_pid) {
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
    }
}

fn port_in(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}

fn capabilities() -> Value {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--force-device-scale-factor=1",
        "--hide-scrollbars",
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    } } })
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let group = |four: &[u8]| {
        let bits = four.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
