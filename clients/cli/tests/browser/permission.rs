//! Who may not act, and what cannot be smuggled into the page.

use super::browser::Browser;
use super::stage::{SERVERS, Stage};

#[test]
fn who_has_no_token_may_look_and_is_told_why_not_more() {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard_to_look_at());
    browser.until("document.querySelector('#notice').textContent.includes('may only look')");
    browser.open_actor("archive");
    browser.until("$('action-interrupt').getAttribute('aria-disabled') === 'true'");
    browser.until("text('actions-about').includes('may only look')");
    browser.press("action-interrupt");
    browser.until("document.querySelector('#toasts').textContent.includes('may only look')");
    browser.until("text('actor-status').includes('busy')");
    browser.screenshot("without-token");

    browser.press("nav-servers");
    browser.until("$('load-start').disabled && $('load-start').title.includes('may only look')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_wrong_token_is_said_to_be_wrong() {
    let stage = Stage::up(SERVERS, &[]);
    let address = format!("{}?token={}", stage.dashboard_to_look_at(), "0".repeat(32));
    let browser = Browser::at(&address);
    browser.until("document.body.innerText.includes('this is not the token')");
    browser.screenshot("wrong-token");
}

#[test]
fn the_token_does_not_stay_in_the_address_nor_within_reach_of_scripts() {
    let stage = Stage::up(SERVERS, &[]);
    let browser = Browser::at(stage.dashboard());
    browser.until("$('nav-overview')");
    assert_eq!(browser.run("return location.search"), "");
    assert_eq!(browser.run("return document.cookie"), "");
}

#[test]
fn names_are_text_and_never_markup() {
    // A name has no blanks and no slashes, so this is the worst that it can be.
    let name = r"<b>bold<img>&lt;";
    let servers = SERVERS.replacen("name = \"kv\"", &format!("name = '{name}'"), 1);
    let stage = Stage::stuck(&servers);
    let browser = Browser::at(stage.dashboard());
    for view in ["", "tree", "actors", "flow", "servers", "processes", "log", "waits"] {
        browser.view(view);
        browser.until("document.querySelector('main h1')");
        if ["tree", "actors", "servers"].contains(&view) {
            browser
                .until(&format!("document.querySelector('main').textContent.includes('{name}')"));
        }
        assert_eq!(browser.run("return document.querySelectorAll('main img').length"), 0, "{view}");
    }
    for view in ["actors", "actor"] {
        browser.view(&format!("{view}/%3Cimg%20src=x%20onerror=alert(1)%3E"));
        browser.until("document.querySelector('main h1')");
        assert_eq!(browser.run("return document.querySelectorAll('main img').length"), 0, "{view}");
    }
}
