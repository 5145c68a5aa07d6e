//! Signals by buttons: hold, step, go on, kill.

use super::browser::Browser;
use super::stage::{SERVERS, Stage};

#[test]
fn a_suspended_actor_rests_steps_by_one_message_and_goes_on() {
    let stage = Stage::stuck(SERVERS);
    let browser = Browser::at(stage.dashboard());
    browser.open_actor("messenger");
    browser.until("number('actor-handled') > 2");

    browser.press("action-suspend");
    browser.until("text('actor-status').includes('suspended')");
    let handled = browser.number("actor-handled");
    // A round trip through the stage, and nothing has been handled meanwhile.
    browser.press("action-inspect");
    browser.until("document.querySelector('#toasts').textContent.includes('inspect messenger')");
    assert_eq!(browser.number("actor-handled"), handled);

    browser.press("action-step");
    browser.until("document.querySelector('#toasts').textContent.includes('step messenger')");
    browser.until(&format!("number('actor-handled') === {}", handled + 1));
    browser.until("text('actor-status').includes('suspended')");
    assert_eq!(browser.number("actor-handled"), handled + 1);
    browser.screenshot("suspended");

    browser.press("action-resume");
    browser.until(&format!("number('actor-handled') > {}", handled + 5));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_killed_process_is_asked_about_restarted_and_logged() {
    let stage = Stage::up(SERVERS, &[]);
    let browser = Browser::at(stage.dashboard());
    browser.open_actor("kv-prefork/worker-0");
    assert!(browser.text("actor-restarts").starts_with('0'));

    browser.press("action-kill");
    browser.until("text('confirm-dialog').includes('Kill kv-prefork/worker-0?')");
    browser.screenshot("kill-confirm");
    browser.press("confirm-no");
    browser.until("!$('confirm-dialog')");
    assert!(browser.text("actor-restarts").starts_with('0'));

    browser.press("action-kill");
    browser.press("confirm-yes");
    browser.until("text('actor-restarts').startsWith('1')");
    browser.until("text('actor-last-exit').includes('killed')");

    browser.press("nav-log");
    let line = |kind: &str, words: &str| {
        browser.until(&format!(
            "[...document.querySelectorAll('table[aria-label=\"supervision log\"] tbody tr')].find((row) =>
                row.querySelector('[data-kind={kind}]') && row.textContent.includes('kv-prefork/worker-0')
                && row.textContent.includes('{words}'))"
        ))
    };
    line("action", "(by token@127.0.0.1");
    line("restarted", "");
    browser.screenshot("kill-log");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let answer = stage.ask("kv-prefork", "PING\r\n");
    assert_eq!(answer, "+PONG\r\n");
}
