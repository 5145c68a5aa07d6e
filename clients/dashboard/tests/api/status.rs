//! What collectors of Apache's mod_status read.

use crate::stage::Stage;

fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{key}: {text}"))
}

#[test]
fn every_place_has_its_letter_and_all_are_counted() {
    let stage = Stage::start();
    let all = stage.ask("GET", "/server-status?auto").answer();
    assert_eq!(all.status, 200);
    assert_eq!(all.header("content-type"), Some("text/plain; charset=utf-8"));
    let all = all.text();
    let one = stage.ask("GET", "/server-status?auto&server=kv").answer().text();
    let (letters, of_one) = (value(&all, "Scoreboard"), value(&one, "Scoreboard"));
    assert!(
        letters.len() > of_one.len() && letters.chars().all(|letter| "_RWKG.".contains(letter))
    );
    for (text, letters) in [(&all, letters), (&one, of_one)] {
        let count = |key: &str| value(text, key).parse::<usize>().unwrap();
        let of = |wanted: char| letters.chars().filter(|letter| *letter == wanted).count();
        assert_eq!(count("IdleWorkers"), of('_'));
        assert_eq!(count("BusyWorkers"), letters.len() - of('_') - of('.'));
        assert!(count("Processes") >= 1 && count("Total Accesses") < 1_000_000);
        assert!(value(text, "ReqPerSec").parse::<f64>().is_ok());
    }
    assert!(value(&one, "ServerMPM").contains(" × "));
}

#[test]
fn what_is_not_there_is_told_and_people_are_sent_to_the_page() {
    let stage = Stage::start();
    let unknown = stage.ask("GET", "/server-status?auto&server=nobody").answer();
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("servers are: "), "{}", unknown.text());
    let people = stage.ask("GET", "/server-status").answer();
    assert_eq!((people.status, people.header("location")), (302, Some("/#/servers")));
}
