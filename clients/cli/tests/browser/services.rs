//! A superserver's services: who is served, and its file read again.

use std::io::{Read, Write};

use super::browser::Browser;
use super::stage::{SERVERS, Stage};
use super::views::TOO_WIDE;

const CAT: &str = r#"
[[service]]
name = "copy"
listen = "unix DIRECTORY/copy.sock"
program = ["/bin/cat"]
"#;

#[test]
fn a_client_is_seen_with_its_program_and_leads_to_its_actor() {
    let stage = Stage::inetd(CAT);
    let browser = Browser::at(stage.dashboard());
    browser.until("!$('nav-services').hidden");
    browser.press("nav-services");
    browser.until("text('service-state-copy').includes('listening')");
    let mut client = stage.connect("copy.sock");
    client.write_all(b"here").unwrap();
    client.read_exact(&mut [0; 4]).unwrap();
    browser.until("document.querySelector('main').innerText.includes('START')");
    for (width, scheme) in [(1280, "light"), (390, "dark")] {
        browser.looks(width, scheme);
        browser.until("document.querySelector('table[aria-label=instances] a[href]')");
        browser.screenshot(&format!("services-{width}-{scheme}"));
        assert_eq!(browser.run(TOO_WIDE), "", "{width}");
    }
    browser.click("table[aria-label=instances] a[href]");
    browser.until("text('actor-status') && location.hash.startsWith('#/actor/')");
    browser.view("services");
    drop(client);
    browser.until(
        "document.querySelector('table[aria-label=\"last exits\"]').innerText.includes('status=0')",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_button_reads_the_file_again_and_says_what_came_of_it() {
    let stage = Stage::inetd(CAT);
    let browser = Browser::at(stage.dashboard());
    browser.view("services");
    browser.until("$('service-copy')");
    stage.write_services(&format!("{CAT}{}", CAT.replace("copy", "more")));
    browser.press("services-reload");
    browser.until("text('toast').includes('added more')");
    browser.until("$('service-more')");
    stage.write_services("[[service]]\nname = 7\n");
    browser.press("services-reload");
    browser.until("document.querySelector('#toasts').textContent.includes('nothing was changed')");
    browser.until("$('service-more')");
}

#[test]
fn who_has_no_token_cannot_reload_and_a_stage_without_services_offers_none() {
    let stage = Stage::inetd(CAT);
    let browser = Browser::at(stage.dashboard_to_look_at());
    browser.view("services");
    browser.until(
        "$('services-reload').disabled && $('services-reload').title.includes('may only look')",
    );
    let other = Stage::up(SERVERS, &[]);
    browser.open(other.dashboard());
    browser.until("$('connection').dataset.state === 'live' && $('nav-services').hidden");
}
