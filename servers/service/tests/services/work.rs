//! Work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use palco_service::services::work::{LINE_BYTES_MAX, WorkCodec, WorkService};
use palco_service::{Crash, Farewell, Malformed};

use crate::support::{Connection, TestHost, farewell, ticket};

fn ask(host: &TestHost, line: &str) -> String {
    let service = WorkService::default();
    Connection::open(&service, WorkCodec::default(), host).ask(line)
}

/// The measured time at the end of an answer, in µs.
fn took(answer: &str) -> u64 {
    let words: Vec<&str> = answer.split_whitespace().collect();
    let [.., "took", number, "us"] = words[..] else { panic!("{answer}") };
    number.parse().unwrap()
}

#[test]
fn cpu_passes_a_checkpoint_every_100_us() {
    let host = TestHost::default();
    let answer = ask(&host, "cpu 10000\n");
    assert!(answer.starts_with("ok cpu 10000 us took "), "{answer}");
    assert!(took(&answer) >= 10_000, "{answer}");
    assert!((95..=100).contains(&host.checkpoints.get()), "{}", host.checkpoints.get());
}

#[test]
fn hog_and_block_pass_one_checkpoint_before_they_begin() {
    for (line, least) in [("hog 10000\r\n", 10_000), ("block 0\n", 0)] {
        let host = TestHost::default();
        let answer = ask(&host, line);
        assert!(took(&answer) >= least, "{answer}");
        assert_eq!(host.checkpoints.get(), 1, "{line}");
    }
}

#[test]
fn count_answers_in_small_parts_with_a_checkpoint_each() {
    let host = TestHost::default();
    let service = WorkService::default();
    let mut connection = Connection::open(&service, WorkCodec::default(), &host);
    let answer = connection.ask("count 10000\n");
    let (lines, done) = answer.split_at(answer.find("ok").unwrap());
    assert_eq!(lines, (1..=10_000).map(|number| format!("{number}\n")).collect::<String>());
    assert!(done.starts_with("ok count 10000 took ") && done.ends_with(" us\n"), "{done}");
    assert!(connection.part_peak <= 16 * 1024, "{}", connection.part_peak);
    assert_eq!(host.checkpoints.get(), 8);
    assert!(connection.ask("count 1\n").starts_with("1\nok count 1 took "));
    assert!(connection.ask("count 0\n").starts_with("ok count 0 took "));
}

#[test]
fn every_line_counts_for_the_ticket_of_the_next() {
    let host = TestHost::with_urgent_port();
    let service = WorkService::default();
    let mut connection = Connection::open(&service, WorkCodec::default(), &host);
    assert_eq!(connection.ask("ticket\n"), format!("ok ticket {}\n", ticket(2)));
    connection.ask("\nwrong\ncount 2000\n");
    assert_eq!(connection.ask("ticket\r\n"), format!("ok ticket {}\n", ticket(6)));
    assert_eq!(connection.ask("ticket 1\n"), "error: ticket takes no argument\n");
}

#[test]
fn without_an_urgent_port_there_is_no_ticket() {
    let host = TestHost::default();
    assert_eq!(ask(&host, "ticket\n"), "error: this server has no urgent port\n");
}

#[test]
fn the_same_amount_of_work_takes_the_same_time_again() {
    let host = TestHost::default();
    let service = WorkService::default();
    let mut connection = Connection::open(&service, WorkCodec::default(), &host);
    let first = connection.ask("hog 500\n");
    assert_eq!(connection.ask("hog 500\n"), first);
}

#[test]
fn sleep_waits_in_the_places_own_way() {
    let host = TestHost::default();
    let answer = ask(&host, "sleep 60000\n");
    assert_eq!(*host.slept.borrow(), [Duration::from_secs(60)]);
    assert!(took(&answer) >= 60_000_000, "{answer}");
}

#[test]
fn block_stays_in_the_handler_and_offload_does_not() {
    let host = TestHost::default();
    assert!(ask(&host, "block 0\n").starts_with("ok block 0 ms took "));
    assert_eq!(host.blocks.get(), 0);
    assert!(ask(&host, "offload 0\n").starts_with("ok offload 0 ms took "));
    assert_eq!(host.blocks.get(), 1);
}

#[test]
fn alloc_touches_memory_between_checkpoints() {
    let host = TestHost::default();
    assert!(ask(&host, "alloc 1024\n").starts_with("ok alloc 1024 KiB took "));
    assert_eq!(host.checkpoints.get(), 4);
    assert!(ask(&host, "alloc 0\n").starts_with("ok alloc 0 KiB took "));
}

#[test]
fn leaks_end_at_a_gib_of_one_instance() {
    let host = TestHost::default();
    assert!(ask(&host, "leak 1024\n").starts_with("ok leak 1024 KiB took "));
    assert_eq!(host.checkpoints.get(), 4);
    let both = ask(&host, "leak 8\nleak 1048576\n");
    let said = both.lines().nth(1).unwrap();
    assert_eq!(said, "error: 8 KiB are leaked already, and 1048576 KiB are the most");
}

#[test]
fn panic_panics_with_its_text() {
    let host = TestHost::default();
    let panic = catch_unwind(AssertUnwindSafe(|| ask(&host, "panic on \x1b stage\n"))).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(text, "asked to panic: on \\u{1b} stage");
}

#[test]
fn crash_asks_the_host_and_is_refused_if_the_host_lives_on() {
    let host = TestHost::default();
    let service = WorkService::default();
    let mut connection = Connection::open(&service, WorkCodec::default(), &host);
    let refused = "error: this process serves others too: it does not crash\n";
    for (line, how) in [
        ("crash segv\n", Crash::Fault),
        ("crash abort\n", Crash::Abort),
        ("crash exit 3\n", Crash::Exit(3)),
        ("crash memory\n", Crash::Memory),
    ] {
        assert_eq!(connection.ask(line), refused);
        assert_eq!(host.crashes.borrow_mut().pop(), Some(how));
    }
    assert!(connection.ask("help\n").starts_with("ok "));
}

#[test]
fn errors_name_the_limit_and_keep_the_connection() {
    let host = TestHost::default();
    let service = WorkService::default();
    let mut connection = Connection::open(&service, WorkCodec::default(), &host);
    for (line, answer) in [
        ("cpu 60000001", "error: cpu ends at 60000000 us\n"),
        ("sleep 60001", "error: sleep ends at 60000 ms\n"),
        ("block 99999999999999999999999", "error: block ends at 60000 ms\n"),
        ("alloc 1048577", "error: alloc ends at 1048576 KiB\n"),
        ("count 1000000001", "error: count ends at 1000000000 lines\n"),
        ("count", "error: count takes a whole number of lines, not \"\"\n"),
        ("hog -1", "error: hog takes a whole number of us, not \"-1\"\n"),
        ("offload", "error: offload takes a whole number of ms, not \"\"\n"),
        (
            "dance 1",
            "error: unknown verb \"dance\"; the verbs are cpu, hog, sleep, block, offload, alloc, \
             leak, count, panic, crash, ticket, help\n",
        ),
        ("crash", "error: crash how? segv, abort, exit <status> or memory, not \"\"\n"),
        (
            "crash abort now",
            "error: crash how? segv, abort, exit <status> or memory, not \"abort now\"\n",
        ),
        ("crash exit 256", "error: an exit status is 0 to 255, not \"256\"\n"),
        ("help me", "error: help takes no argument\n"),
    ] {
        assert_eq!(connection.ask(format!("{line}\n")), answer, "{line}");
    }
    assert!(connection.ask("help\n").starts_with("ok cpu <us> | hog <us> | "));
    assert!(!connection.closed);
}

#[test]
fn the_longest_line_is_read_and_a_longer_one_ends_the_connection() {
    let host = TestHost::default();
    let service = WorkService::default();
    let mut connection = Connection::open(&service, WorkCodec::default(), &host);
    let longest = format!("{:LINE_BYTES_MAX$}\r\n", "help");
    assert!(connection.ask(&longest).starts_with("ok "));
    let answer = connection.ask(format!(" {longest}"));
    assert_eq!(answer, "error: line exceeds the limit of 1024 bytes\n");
    assert!(connection.closed);
    assert_eq!(
        connection.malformed,
        Some(Malformed::TooLarge { what: "line", limit: LINE_BYTES_MAX })
    );
}

#[test]
fn last_words_are_lines() {
    let say = |why| farewell::<WorkService, _>(&WorkCodec::default(), &why);
    assert_eq!(say(Farewell::Busy), "error: too many connections\n");
    assert_eq!(say(Farewell::Failed), "error: the call failed\n");
    assert_eq!(say(Farewell::Interrupted), "error: the call was interrupted\n");
    assert_eq!(say(Farewell::TooSlow), "error: the line took too long\n");
    assert_eq!(say(Farewell::Idle), "error: idle for too long\n");
}
