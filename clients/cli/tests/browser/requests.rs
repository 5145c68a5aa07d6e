//! Requests that are being served: held, resumed, slid down and given up by hand.

use std::io::{BufRead, BufReader};

use super::browser::Browser;
use super::stage::{SERVERS, Stage};
use super::views::TOO_WIDE;

const WORK: &str = r#"
[[server]]
name = "work"
service = "work"
model = "per-connection"
place = "thread"
"#;

/// A button of the only request.
fn button(verb: &str) -> String {
    format!("[data-testid^=\"request-{verb}-\"]")
}

/// The text that begins a cell of the only request.
fn says(cell: &str, words: &str) -> String {
    format!(
        "document.querySelector('td[data-testid^=\"request-{cell}-\"]').textContent.includes('{words}')"
    )
}

#[test]
fn a_request_is_held_resumed_and_cancelled_and_its_client_hears_of_it() {
    let stage = Stage::up(WORK, &[]);
    let browser = Browser::at(stage.dashboard());
    browser.press("nav-requests");
    browser.until("text('requests-none').includes('commands below')");
    browser.until("document.querySelector('main').innerText.includes('palco call work --cpu 30s')");
    let client = stage.client("work", "sleep 60000\n");
    browser.until(&says("state", "running"));

    browser.click(&button("hold"));
    browser.until(&says("state", "held"));
    browser.until(&says("answer", "✓ held"));
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
        browser.looks(width, scheme);
        browser.until(&says("state", "held"));
        browser.screenshot(&format!("requests-{width}-{scheme}"));
        assert_eq!(browser.run(TOO_WIDE), "", "{width}");
    }
    browser.looks(1280, "light");
    browser.click(&button("resume"));
    browser.until(&says("state", "running"));
    browser.until(&says("answer", "✓ running"));

    browser.click(&button("cancel"));
    browser.until(&says("answer", "✓ finished"));
    let mut heard = String::new();
    BufReader::new(client).read_line(&mut heard).unwrap();
    assert_eq!(heard, "error: the call was interrupted\n");
    browser.until("document.querySelector('[data-testid^=\"request-cancel-\"]').disabled");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_request_leads_to_its_actor_and_back_and_a_priority_is_set_by_hand() {
    let stage = Stage::up(WORK, &[]);
    let browser = Browser::at(stage.dashboard());
    let _client = stage.client("work", "sleep 60000\n");
    browser.view("requests");
    browser.click("table[aria-label=requests] a[href]");
    browser.until("location.hash.startsWith('#/actor/')");
    browser.until("text('actor-request').startsWith('work/')");
    browser.press("actor-request");
    browser.until("document.querySelector('tr[aria-current] b').textContent.startsWith('work/')");
    // As the arrow keys do it.
    browser.run(
        "const slider = document.querySelector('td[data-testid^=\"request-nice-\"] input');
        slider.value = 5; slider.dispatchEvent(new Event('change'))",
    );
    browser.until(&says("answer", "✓ running: nice 5"));
    browser.until(&says("nice", "5"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_row_stays_where_it_is_while_the_one_above_ends_under_the_mouse() {
    let stage = Stage::up(WORK, &[]);
    let browser = Browser::at(stage.dashboard());
    browser.view("requests");
    let _first = stage.client("work", "sleep 60000\n");
    browser.until(&says("state", "running"));
    let _second = stage.client("work", "sleep 60000\n");
    browser.until("document.querySelectorAll('table[aria-label=requests] tbody tr').length === 2");
    let top = "Math.round(document.querySelectorAll('table[aria-label=requests] tbody tr')[1]
        .getBoundingClientRect().top)";
    // The mouse is on a button of the second row from now on.
    browser
        .click("table[aria-label=requests] tbody tr:nth-child(2) [data-testid^=\"request-hold-\"]");
    browser.until("document.querySelector('tbody tr:nth-child(2)[data-state=held]')");
    let before = browser.run(&format!("return {top}"));
    // By somebody else.
    browser.run(
        "const first = document.querySelector('[data-testid^=\"request-cancel-\"]').dataset.testid;
        fetch('/api/requests/act', { method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ request: first.replace('request-cancel-', ''), verb: 'cancel' }) })",
    );
    browser.until("document.querySelector('tbody tr:nth-child(1)[data-state=finished]')");
    assert_eq!(browser.run(&format!("return {top}")), before);
}

#[test]
fn what_is_pending_does_not_look_like_success_and_can_be_taken_back() {
    let stage = Stage::up(WORK, &[]);
    let browser = Browser::at(stage.dashboard());
    browser.view("requests");
    let _client = stage.client("work", "hog 60000000\n");
    browser.until(&says("state", "running"));
    let top = |verb: &str| {
        let button = button(verb);
        browser
            .run(&format!("return document.querySelector('{button}').getBoundingClientRect().top"))
    };
    let before = top("hold");
    browser.click(&button("hold"));
    browser.until(&says("answer", "hold pending: no checkpoint"));
    assert_eq!(top("resume"), before, "the button is where it was");
    browser.until(
        "document.querySelector('td[data-testid^=\"request-answer-\"] [data-tone=warn]')
            && getComputedStyle(document.querySelector('.word[data-tone=warn]')).backgroundColor !== 'rgba(0, 0, 0, 0)'",
    );
    browser.screenshot("requests-pending");
    browser.click(&button("resume"));
    browser.until(&says("answer", "✓ running"));
    browser.until(&format!("document.querySelector('{}')", button("hold")));
}

#[test]
fn who_has_no_token_sees_requests_and_can_do_nothing_about_them() {
    let stage = Stage::up(WORK, &[]);
    let browser = Browser::at(stage.dashboard_to_look_at());
    let _client = stage.client("work", "sleep 60000\n");
    browser.view("requests");
    browser.until(&says("state", "running"));
    browser.until(
        "[...document.querySelectorAll('table[aria-label=requests] button, table[aria-label=requests] input')]
            .every((control) => control.disabled && control.title.includes('may only look'))",
    );
    let other = Stage::up(SERVERS, &[]);
    browser.open(other.dashboard());
    browser.until("!$('nav-requests').hidden");
    browser.view("requests");
    browser.until("text('requests-none').includes('service work')");
}
