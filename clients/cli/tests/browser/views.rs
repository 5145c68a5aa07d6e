//! Every view, in light and in dark, at a desk and on a phone.

use super::browser::Browser;
use super::stage::{SERVERS, Stage};

/// A view's name in the address, the word for it in the navigation, and what proves that it shows the stage.
const VIEWS: [(&str, &str, &str); 11] = [
    ("", "Overview", "$('lint-card')"),
    ("tree", "Tree", "document.querySelector('[role=treegrid] a[title=archive]')"),
    ("actors", "Actors", "document.querySelector('[data-testid=actor-row][data-path=archive]')"),
    ("flow", "Flow", "document.querySelector('main svg').textContent.includes('messenger')"),
    ("sequence", "Sequence", "$('capture')"),
    ("timeline", "Timeline", "$('capture')"),
    ("servers", "Servers", "$('server-kv-prefork')"),
    ("requests", "Requests", "text('requests-note').includes('now') && text('urgent-port')"),
    (
        "processes",
        "Processes",
        "document.querySelector('main').innerText.includes('kv-prefork/worker-1')",
    ),
    ("log", "Log", "$('log-search')"),
    ("waits", "Waits", "document.querySelector('main').innerText.includes('clerk-1')"),
];

/// How far something sticks out of the page, and what.
pub(crate) const TOO_WIDE: &str = "
    const page = document.documentElement, main = document.querySelector('main');
    if (page.scrollWidth <= innerWidth && main.scrollWidth <= main.clientWidth) return '';
    return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth)
        .map((e) => `${e.tagName}.${e.className}`).slice(0, 12).join(' ');
";

fn every_view_opens(width: u32, scheme: &str) {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard());
    browser.looks(width, scheme);
    for (name, heading, proof) in VIEWS {
        browser.view(name);
        browser.until(&format!(
            "document.querySelector('main h1').textContent.startsWith('{heading}')"
        ));
        browser.until(&format!("document.title === '{heading} · palco'"));
        browser.until(proof);
        let shown = if name.is_empty() { "overview" } else { name };
        browser.screenshot(&format!("{shown}-{width}-{scheme}"));
        let too_wide = browser.run(TOO_WIDE);
        assert_eq!(too_wide, "", "{heading} scrolls sideways");
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{heading}");
    }
    let dark = browser.run("return getComputedStyle(document.body).colorScheme");
    let back = browser.run("return getComputedStyle(document.body).backgroundColor");
    let back = back.as_str().unwrap();
    let first: u32 =
        back.split(['(', ',']).nth(1).and_then(|part| part.trim().parse().ok()).unwrap();
    assert_eq!(first < 128, scheme == "dark", "{scheme}: {back} {dark}");
}

#[test]
fn every_view_opens_in_light() {
    every_view_opens(1280, "light");
}

#[test]
fn every_view_opens_in_dark() {
    every_view_opens(1280, "dark");
}

#[test]
fn every_view_fits_on_a_phone_in_light() {
    every_view_opens(390, "light");
}

#[test]
fn every_view_fits_on_a_phone_in_dark() {
    every_view_opens(390, "dark");
}

#[test]
fn an_actors_page_fits_on_a_phone() {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard());
    browser.looks(390, "light");
    browser.open_actor("archive");
    browser.until("$('actor-status').textContent.includes('busy')");
    browser.screenshot("actor-390-light");
    assert_eq!(browser.run(TOO_WIDE), "");
    browser.looks(1280, "dark");
    browser.screenshot("actor-1280-dark");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
