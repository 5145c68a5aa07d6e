//! A person finds the actor that is stuck, sees why, and frees it, with nothing but clicks.

use super::browser::Browser;
use super::stage::{SERVERS, Stage};

const CARD: &str = "[...document.querySelectorAll('[data-testid=lint-card]')]
    .find((card) => card.querySelector('[data-testid=lint-actor]').textContent === 'archive')";

#[test]
fn a_stuck_actor_is_found_explained_and_freed_by_clicks() {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard());
    browser.until(CARD);
    browser.until(&format!("({CARD}).innerText.includes('waiting for a letter from a friend')"));
    browser.screenshot("stuck-1-overview");

    let archive = browser.until(&format!("({CARD}).querySelector('a').getAttribute('href')"));
    browser.click(&format!("[data-testid=lint-card] a[href=\"{}\"]", archive.as_str().unwrap()));
    browser.until("document.querySelector('h1.actor-title').textContent === 'archive'");
    browser.until("text('actor-status').includes('busy')");
    browser.until("!$('why').hidden && text('why').includes('waiting for a letter from a friend')");
    assert!(browser.text("why").contains("Interrupt"), "{}", browser.text("why"));
    assert_eq!(browser.number("actor-handled"), 0);
    assert_eq!(
        browser.run("return document.querySelector('.crumbs').textContent"),
        "below the stage"
    );
    browser.screenshot("stuck-2-actor");

    browser.press("action-interrupt");
    browser
        .until("document.querySelector('#toasts').textContent.includes('interrupt archive: done')");
    browser.until("text('actor-status').includes('idle')");
    browser.until("number('actor-handled') > 5");
    browser.until("$('why').hidden");
    browser.screenshot("stuck-3-freed");

    browser.press("nav-overview");
    browser.until(&format!(
        "document.querySelector('main h1').textContent === 'Overview' && !({CARD})"
    ));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
