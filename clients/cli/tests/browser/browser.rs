//! What a person does with a page: open, look, click, type.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::driver::Driver;

/// Against hanging; nothing should come near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What conditions are written with: an element by its test id, its text, the number in its text.
const WORDS: &str = r#"
    const $ = (id) => document.querySelector(`[data-testid="${id}"]`);
    const text = (id) => $(id)?.textContent ?? "";
    const number = (id) => Number(text(id).replace(/[^\d.]/g, "") || "NaN");
"#;

pub(crate) struct Browser(Driver);

impl Browser {
    /// A browser that shows this address, as wide as a desk, in light.
    pub(crate) fn at(address: &str) -> Self {
        let browser = Self(Driver::start());
        browser.looks(1280, "light");
        browser.open(address);
        browser
    }

    pub(crate) fn open(&self, address: &str) {
        self.0.post("url", &json!({ "url": address })).unwrap();
    }

    /// A view by its name in the address.
    pub(crate) fn view(&self, name: &str) {
        self.run(&format!("location.hash = {}", json!(format!("#/{name}"))));
    }

    /// How wide the window is, and whether the system is `light` or `dark`.
    pub(crate) fn looks(&self, width: u32, scheme: &str) {
        let size =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.0.devtools("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.0.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// What a script in the page returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        let script = format!("{WORDS}{script}");
        self.0.post("execute/sync", &json!({ "script": script, "args": [] })).unwrap()
    }

    /// Waits in the page until an expression is true there, and returns what it is.
    pub(crate) fn until(&self, expression: &str) -> Value {
        let script = format!(
            "{WORDS}
            const done = arguments[arguments.length - 1], end = performance.now() + 2000;
            const value = () => {{ try {{ return {expression}; }} catch {{ return null; }} }};
            (function look() {{
                const found = value();
                if (found || performance.now() > end) done(found);
                else setTimeout(look, 40);
            }})();"
        );
        let begun = Instant::now();
        loop {
            // It fails when the page is left meanwhile.
            let found = self.0.post("execute/async", &json!({ "script": script, "args": [] }));
            match found {
                Ok(Value::Null | Value::Bool(false)) => {}
                Ok(found) => return found,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{expression}: {error}"),
            }
            if begun.elapsed() > PATIENCE {
                self.screenshot("failed");
                let page = self.run("return document.body.innerText");
                let page = page.as_str().unwrap_or_default();
                panic!("never came true: {expression}\n{:?}\n{page}", self.complaints());
            }
        }
    }

    /// Clicks, as soon as it is there and nothing covers it.
    pub(crate) fn click(&self, css: &str) {
        let begun = Instant::now();
        loop {
            self.until(&format!("document.querySelector({})", json!(css)));
            let clicked = self.0.element(css, "click", &json!({}));
            let Err(error) = clicked else { return };
            assert!(begun.elapsed() < PATIENCE, "{css} cannot be clicked: {error}");
        }
    }

    /// The same by test id.
    pub(crate) fn press(&self, id: &str) {
        self.click(&format!("[data-testid=\"{id}\"]"));
    }

    /// Replaces what is in a field.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        self.0.element(css, "clear", &json!({})).unwrap();
        self.0.element(css, "value", &json!({ "text": text })).unwrap();
    }

    /// The page of an actor, by way of the table of all actors.
    pub(crate) fn open_actor(&self, path: &str) {
        self.press("nav-actors");
        self.click(&format!("[data-testid=\"actor-row\"][data-path=\"{path}\"] a.actor-link"));
        let title = format!("document.querySelector('h1.actor-title').textContent === '{path}'");
        self.until(&title);
        self.until("$('actor-handled').textContent !== '–'");
    }

    pub(crate) fn number(&self, id: &str) -> u64 {
        let expression = format!("Number.isNaN(number('{id}')) ? null : `${{number('{id}')}}`");
        self.until(&expression).as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn text(&self, id: &str) -> String {
        self.run(&format!("return text('{id}')")).as_str().unwrap().to_owned()
    }

    /// What the browser has complained about in its console since the last time.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.0.post("se/log", &json!({ "type": "browser" })).unwrap();
        let entries = log.as_array().unwrap().iter();
        let serious = entries.filter(|entry| ["SEVERE", "WARNING"].contains(&level(entry)));
        serious.map(Value::to_string).collect()
    }

    /// Kept for people: `$PALCO_SCREENSHOTS`, or `screenshots` in the target directory.
    pub(crate) fn screenshot(&self, name: &str) {
        let picture = self.0.picture();
        let directory = std::env::var_os("PALCO_SCREENSHOTS").map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots"),
            PathBuf::from,
        );
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(format!("{name}.png")), picture).unwrap();
    }
}

fn level(entry: &Value) -> &str {
    entry["level"].as_str().unwrap_or_default()
}
