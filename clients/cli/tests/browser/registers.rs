//! Registers of the stage that `palco up` runs: quorums that light up, and nodes to which something happens.

use super::browser::Browser;
use super::stage::{SERVERS, Stage};
use super::views::TOO_WIDE;

/// Three replicas in three processes, as on the stage without a file.
fn stage() -> Stage {
    Stage::up(&format!("[registers]\nlisten = \"127.0.0.1:0\"\n{SERVERS}"), &[])
}

fn opened(stage: &Stage) -> Browser {
    let browser = Browser::at(stage.dashboard());
    browser.until("!$('nav-registers').hidden");
    browser.press("nav-registers");
    for node in ["n1", "n2", "n3"] {
        browser.until(&format!("text('node-state-{node}').includes('running')"));
        browser.until(&format!("text('map-{node}') === 'c0'"));
    }
    browser
}

fn set(browser: &Browser, key: &str, value: &str) {
    browser.fill("[data-testid=register-key]", key);
    browser.fill("[data-testid=register-value]", value);
    browser.press("register-set");
    browser.until("text('register-outcome').includes('✓ written')");
}

fn get(browser: &Browser, value: &str) {
    browser.press("register-get");
    browser.until(&format!(
        "text('register-outcome').includes('✓ read') && text('register-found') === '{value}'"
    ));
}

#[test]
fn a_write_lights_up_a_quorum_in_each_round_and_the_newest_tags_are_marked() {
    let stage = stage();
    let browser = opened(&stage);
    set(&browser, "city", "Lyon");
    for round in ["query", "propagate"] {
        let lit = "querySelectorAll('[data-answered=true]').length >= 2";
        browser.until(&format!("$('round-{round}').{lit}"));
    }
    browser.until("text('round-query').includes('members of c0: a read quorum')");
    browser.until("text('round-propagate').includes('members of c0: a write quorum')");
    browser.until("document.querySelectorAll('td[data-held=newest]').length === 3");
    get(&browser, "Lyon");
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
        browser.looks(width, scheme);
        browser.until("$('round-query') && document.getAnimations().length === 0");
        browser.screenshot(&format!("registers-{width}-{scheme}"));
        assert_eq!(browser.run(TOO_WIDE), "", "{width}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_killed_replica_is_seen_and_replaced_and_nothing_is_lost() {
    let stage = stage();
    let browser = opened(&stage);
    set(&browser, "city", "Lyon");
    browser.press("node-kill-n1");
    browser.press("confirm-yes");
    browser.until("text('node-state-n1').includes('ended') && $('node-kill-n1').disabled");
    get(&browser, "Lyon");
    browser.press("node-add");
    browser.until("text('node-state-n4').includes('running')");
    browser.until("text('map-n4') === 'c0' && !$('replace').disabled");
    browser.until("$('replace-old').value === 'n1' && $('replace-new').value === 'n4'");
    browser.press("replace");
    browser.until("text('toast').includes('configuration 1 is installed')");
    for node in ["n2", "n3", "n4"] {
        browser.until(&format!("text('map-{node}') === '±c1' || text('map-{node}') === '±1c1'"));
    }
    browser
        .until("text('configuration-1') === 'c1' && text('registers-now').includes('n2, n3, n4')");
    get(&browser, "Lyon");
    browser.until("text('round-query').includes('members of c1')");
    browser.screenshot("registers-replaced");

    // Members by hand, and another kind of quorums.
    browser.press("member-n4");
    browser.run("$('quorum-kind').value = 'thresholds'; $('quorum-kind').dispatchEvent(new Event('change'))");
    browser.fill("[data-testid=quorum-one]", "1");
    browser.until("$('reconfigure').disabled === false || text('reconfigure-why')");
    browser.press("reconfigure");
    browser.until("text('registers-now').includes('c2: n2, n3 (1 to read, 2 to write)')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn who_is_cut_off_has_no_quorum_until_it_is_healed() {
    let stage = stage();
    let browser = opened(&stage);
    browser.press("cut-n1-n2");
    browser.press("cut-n1-n3");
    browser.until("text('node-remark-n1').includes('cut off from n2, n3')");
    browser.run("$('register-through').value = 'n1'; $('register-through').dispatchEvent(new Event('change'))");
    browser.press("register-get");
    browser.until("text('register-outcome').includes('no quorum answered in time')");
    browser.until("text('round-query').includes('1 of 3 members of c0: no read quorum')");
    browser.screenshot("registers-cut");
    browser.press("cut-n1-n2");
    browser.until("$('cut-n1-n2').getAttribute('aria-pressed') === 'false'");
    browser.press("register-get");
    browser.until("text('round-query').includes('a read quorum')");

    browser.press("node-suspend-n3");
    browser.until("text('node-state-n3').includes('suspended')");
    browser.press("node-resume-n3");
    browser.until("text('node-state-n3').includes('running')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn who_has_no_token_may_look_and_a_stage_without_registers_offers_none() {
    let stage = stage();
    let browser = Browser::at(stage.dashboard_to_look_at());
    browser.view("registers");
    browser.until("text('node-state-n1').includes('running')");
    for button in ["register-get", "node-kill-n1", "node-add", "cut-n1-n2", "reconfigure"] {
        browser.until(&format!(
            "$('{button}').disabled && ($('{button}').title.includes('may only look') || '{button}' === 'reconfigure')"
        ));
    }
    let other = Stage::up(SERVERS, &[]);
    browser.open(other.dashboard());
    browser.until("$('connection').dataset.state === 'live' && $('nav-registers').hidden");
}
