//! The page for users: what it shows is what happens.

use crate::support::Connection;

const PAGE: &str = include_str!("../../../../docs/REGISTERS.md");

/// What `redis-cli` shows of an answer in the lines of a transcript.
fn shown(answer: &str) -> String {
    let mut lines = answer.split('|');
    match lines.next().unwrap_or_default() {
        "$-1" => "(nil)".into(),
        head if head.starts_with('$') => format!("\"{}\"", lines.next().unwrap_or_default()),
        head if head.starts_with(':') => format!("(integer) {}", &head[1..]),
        head if head.starts_with('-') => format!("(error) {}", &head[1..]),
        head if head.starts_with('*') => {
            let count: usize = head[1..].parse().expect("an array has a count");
            let mut rest = lines.collect::<Vec<_>>().join("|");
            let mut items = Vec::new();
            for number in 1..=count {
                let parts = if rest.starts_with('$') && !rest.starts_with("$-1") { 2 } else { 1 };
                let at = rest.match_indices('|').nth(parts - 1).expect("an item has its lines").0;
                items.push(format!("{number}) {}", shown(&rest[..at])));
                rest.drain(..=at);
            }
            items.join("\n")
        }
        head => head.trim_start_matches('+').into(),
    }
}

#[test]
fn the_transcript_on_the_page_is_what_a_client_sees() {
    let prompt = "127.0.0.1:6379> ";
    let transcript = PAGE.split("```console\n").find(|block| block.contains(prompt)).unwrap();
    let transcript = transcript.split("```").next().unwrap();
    let mut connection = Connection::alone();
    let mut asked = 0;
    for exchange in transcript.split(prompt).skip(1) {
        let (line, expected) = exchange.split_once('\n').unwrap();
        assert_eq!(shown(&connection.ask(line)), expected.trim_end(), "{line}");
        asked += 1;
    }
    assert!(asked >= 10, "{asked} commands");
}

#[test]
fn every_command_has_its_place_on_the_page() {
    let list = Connection::alone().ask("COMMAND LIST");
    let names: Vec<&str> =
        list.split('|').filter(|part| !part.is_empty() && !part.starts_with(['*', '$'])).collect();
    assert!(names.len() > 30, "{list}");
    for name in names {
        assert!(PAGE.contains(&format!("`{}", name.to_uppercase())), "{name} is not on the page");
    }
}
