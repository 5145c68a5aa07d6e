//! Load on two architectures at once, to compare them.

use std::process::Command;

use super::browser::Browser;
use super::stage::{SERVERS, Stage};

#[test]
fn two_servers_under_load_show_their_throughput_and_latency_until_it_is_stopped() {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard());
    browser.press("nav-servers");
    for server in ["kv", "kv-prefork"] {
        put_load(&browser, server, "200");
    }
    for server in ["kv", "kv-prefork"] {
        browser.until(&number_in(server, "load-per-s"));
        browser.until(&number_in(server, "load-p50"));
        browser.until(&number_in(server, "load-answered"));
    }
    browser.screenshot("load-1280-light");
    for server in ["kv", "kv-prefork"] {
        let card = format!("[data-testid=\"server-{server}\"]");
        browser.click(&format!("{card} [data-testid=load-stop]"));
        browser.until(&format!(
            "document.querySelector('{card} [data-testid=load-note]').textContent.includes('over')
                && document.querySelector('{card} [data-testid=load-stop]').hidden"
        ));
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// It is above zero.
fn number_in(server: &str, id: &str) -> String {
    let css = format!("[data-testid=\"server-{server}\"] [data-testid={id}]");
    format!("parseFloat(document.querySelector('{css}').textContent) > 0")
}

fn put_load(browser: &Browser, server: &str, rate: &str) {
    let card = format!("[data-testid=\"server-{server}\"]");
    browser.until(&format!("document.querySelector('{card}')"));
    browser.fill(&format!("{card} [data-testid=load-seconds]"), "600");
    browser.fill(&format!("{card} [data-testid=load-rate]"), rate);
    browser.click(&format!("{card} [data-testid=load-start]"));
}

/// The pictures of the README are made here.
#[test]
fn the_default_stage_has_its_picture_taken() {
    let printed =
        Command::new(env!("CARGO_BIN_EXE_palco")).args(["up", "--print"]).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let lines = printed.lines().filter(|line| !line.starts_with("listen")).collect::<Vec<_>>();
    let stage = Stage::stuck(&lines.join("\n"));
    let browser = Browser::at(stage.dashboard());
    browser.press("nav-servers");
    for (server, rate) in [("kv", "300"), ("kv-prefork", "150")] {
        put_load(&browser, server, rate);
    }
    browser.until(
        r"document.querySelector('[data-testid=server-kv] [data-testid=load-answered]')
            ?.textContent.replace(/\D/g, '') > 300",
    );
    browser.press("nav-overview");
    browser.until("$('lint-card') && document.querySelector('#toasts').childElementCount === 0");
    for scheme in ["light", "dark"] {
        browser.looks(1280, scheme);
        browser.until("document.querySelector('main h1').textContent === 'Overview'");
        browser.screenshot(&format!("readme-overview-{scheme}"));
    }
}
