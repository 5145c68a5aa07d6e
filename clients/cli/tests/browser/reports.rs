//! The last reports of benchmarks, linked from the overview.

use super::browser::Browser;
use super::stage::{SERVERS, Stage};
use super::views::TOO_WIDE;

const DATA: &str =
    r#"{"command":"palco bench switch","environment":{"date":"2026-03-01T12:00:00Z"},"grade":"B"}"#;
const PAGE: &str = "<!doctype html><title>Switching</title><style>p { color: rgb(1, 2, 3) }</style>\
    <p>12 ns a switch</p><script>document.title = 'a script has run'</script>";

#[test]
fn a_report_that_is_kept_is_linked_and_opens_in_a_sandbox() {
    let stage = Stage::up(SERVERS, &[]);
    let browser = Browser::at(stage.dashboard());
    browser
        .until("text('reports-none').includes('palco bench switch') && !$('reports-none').hidden");
    stage.keep_report("switch", DATA, PAGE);
    for (width, scheme) in [(1280, "light"), (390, "dark")] {
        browser.looks(width, scheme);
        browser.until("text('report-switch').includes('2026-03-01 12:00 UTC◐ grade B')");
        browser.run("$('report-switch').scrollIntoView()");
        browser.screenshot(&format!("reports-{width}-{scheme}"));
        assert_eq!(browser.run(TOO_WIDE), "", "{width}");
    }
    assert_eq!(browser.run("return $('reports-none').hidden"), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    browser.run("$('report-switch').target = ''"); // in this window, which is the one that is driven
    browser.press("report-switch");
    browser.until("location.pathname === '/reports/switch' && document.querySelector('p')");
    let seen =
        browser.run("return [self.origin, document.title, document.querySelector('p').innerText]");
    assert_eq!(seen, serde_json::json!(["null", "Switching", "12 ns a switch"]));
    let colour = browser.run("return getComputedStyle(document.querySelector('p')).color");
    assert_eq!(colour, "rgb(1, 2, 3)");
    browser.screenshot("report-390-dark");
}
