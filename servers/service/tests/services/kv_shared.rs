//! The key-value store when its state is elsewhere: a client cannot tell, but for sizes and `INFO`.

use std::future;
use std::sync::Arc;

use palco_service::services::kv::{Answer, KvService, Limits, Question, RespCodec};
use palco_service::services::time::{TimeFormat, TimeService};
use palco_service::{Ask, Relaunch, SharedState};

use crate::support::{Connection, TestHost};

/// A worker without a store, and the keeper it asks: questions and answers cross as bytes.
fn worker(keeper: &Arc<KvService>) -> (KvService, RespCodec) {
    let keeper = Arc::clone(keeper);
    let ask: Ask<KvService> = Arc::new(move |question| {
        let question = postcard::to_stdvec(&question).unwrap();
        let question: Question = postcard::from_bytes(&question).unwrap();
        let answer = postcard::to_stdvec(&keeper.answer(question)).unwrap();
        let answer: Answer = postcard::from_bytes(&answer).unwrap();
        Box::pin(future::ready(Some(answer)))
    });
    KvService::asking(&Limits::default(), ask).unwrap()
}

#[test]
fn every_command_is_answered_as_if_the_store_were_here() {
    let host = TestHost::default();
    let (here, keeper) = (KvService::default(), Arc::new(KvService::default()));
    let (one, two) = (worker(&keeper), worker(&keeper));
    let mut plain = Connection::open(&here, RespCodec::default(), &host);
    let mut workers =
        [Connection::open(&one.0, one.1, &host), Connection::open(&two.0, two.1, &host)];
    let commands = [
        "GET k",
        "SET k v",
        "GET k",
        "SET k w NX",
        "SET k w XX GET",
        "APPEND k \"\\x00 x\"",
        "STRLEN k",
        "GET k",
        "INCR k",
        "INCR n",
        "INCRBY n 41",
        "DECR n",
        "MSET a 1 b 2",
        "MSET a",
        "MGET a none b",
        "EXISTS a a none",
        "DBSIZE",
        "DEL a none",
        "GET",
        "NOSUCH a b",
        "PING",
        "ECHO hello",
        "SELECT 0",
        "SELECT 1",
        "CONFIG GET save",
        "COMMAND COUNT",
        "FLUSHDB LATER",
        "FLUSHDB ASYNC",
        "DBSIZE",
    ];
    for (number, command) in commands.into_iter().enumerate() {
        let expected = plain.ask(format!("{command}\r\n"));
        assert_eq!(workers[number % 2].ask(format!("{command}\r\n")), expected, "{command}");
    }
    assert!(!workers[0].ask("QUIT\r\n").is_empty() && workers[0].closed);
}

#[test]
fn info_says_whose_the_state_is() {
    let host = TestHost::default();
    let keeper = Arc::new(KvService::default());
    let (service, codec) = worker(&keeper);
    let mut connection = Connection::open(&service, codec, &host);
    connection.ask("MSET a 1 b 2\r\n");
    let info = connection.ask("INFO\r\n");
    let process =
        format!("\r\nprocess_id:{}\r\npalco_state:shared\r\n\r\n# Memory\r\n", std::process::id());
    assert!(info.contains(&process), "{info}");
    assert!(info.contains("# Keyspace\r\ndb0:keys=2,"), "{info}");
    assert!(!connection.ask("INFO keyspace\r\n").contains("process_id"));
    let local = KvService::default();
    let mut connection = Connection::open(&local, RespCodec::default(), &host);
    assert!(connection.ask("INFO server\r\n").contains("\r\npalco_state:local\r\n"));
}

#[test]
fn who_gets_no_answer_says_that_nothing_is_known() {
    let host = TestHost::default();
    let nobody: Ask<KvService> = Arc::new(|_| Box::pin(future::ready(None)));
    let (service, codec) = KvService::asking(&Limits::default(), nobody).unwrap();
    let mut connection = Connection::open(&service, codec, &host);
    let answer = "-ERR no answer from the keeper of the state; it may have acted\r\n";
    assert_eq!(connection.ask("INCR n\r\n"), answer);
    assert_eq!(connection.ask("PING\r\n"), "+PONG\r\n");
}

#[test]
fn configurations_survive_the_way_to_another_process() {
    fn there_and_back<S: Relaunch>(config: &S::Config) {
        let bytes = postcard::to_stdvec(config).unwrap();
        let back: S::Config = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(format!("{back:?}"), format!("{config:?}"));
    }
    there_and_back::<KvService>(&Limits { keys_max: 7, ..Limits::default() });
    there_and_back::<TimeService>(&TimeFormat::Line);
}
