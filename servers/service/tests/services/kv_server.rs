//! The key-value store: what clients ask about the server and the connection.

use bytes::BytesMut;
use palco_service::services::kv::{KvService, Reply, RespCodec};
use palco_service::{Codec, Farewell};

use crate::support::{Connection, TestHost, farewell, ticket};

fn open<'a>(service: &'a KvService, host: &'a TestHost) -> Connection<'a, KvService, RespCodec> {
    Connection::open(service, RespCodec::default(), host)
}

#[test]
fn benchmark_and_cli_get_the_answers_they_start_with() {
    let (host, service) = (TestHost::default(), KvService::default());
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask("CONFIG GET save\r\n"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
    assert_eq!(connection.ask("CONFIG GET append*\r\n"), "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n");
    assert_eq!(connection.ask("CONFIG GET SA?E\r\n"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
    assert_eq!(connection.ask("CONFIG GET nothing\r\n"), "*0\r\n");
    assert_eq!(connection.ask("SELECT 0\r\n"), "+OK\r\n");
    assert_eq!(connection.ask("COMMAND COUNT\r\n"), ":24\r\n");
    assert!(connection.ask("COMMAND\r\n").starts_with("*24\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n"));
    assert_eq!(connection.ask("COMMAND INFO nothing\r\n"), "*1\r\n*-1\r\n");
    assert_eq!(
        connection.ask("COMMAND DOCS get nothing\r\n"),
        "*2\r\n$3\r\nget\r\n*6\r\n$7\r\nsummary\r\n$18\r\nThe value of a key\r\n$5\r\nsince\r\n\
         $5\r\n1.0.0\r\n$5\r\ngroup\r\n$6\r\nstring\r\n"
    );
}

#[test]
fn info_tells_the_truth_about_the_contents() {
    let (host, service) = (TestHost::default(), KvService::default());
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask("INFO keyspace\r\n"), "$12\r\n# Keyspace\r\n\r\n");
    connection.ask("MSET a 1 b 2\r\n");
    let info = connection.ask("INFO\r\n");
    for line in [
        "# Server\r\nredis_version:7.0.0\r\npalco_version:",
        "# Memory\r\nused_memory:",
        "\r\nmaxmemory:268435456\r\n",
        "# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n",
    ] {
        assert!(info.contains(line), "{info}");
    }
    assert!(!connection.ask("INFO memory\r\n").contains("Keyspace"));
    assert_eq!(connection.ask("INFO nothing\r\n"), "$0\r\n\r\n");
}

#[test]
fn hello_agrees_on_resp2_and_on_nothing_else() {
    let (host, service) = (TestHost::default(), KvService::default());
    let mut connection = open(&service, &host);
    let hello = connection.ask("HELLO\r\n");
    assert!(hello.starts_with("*14\r\n$6\r\nserver\r\n$5\r\npalco\r\n"), "{hello}");
    assert!(hello.contains("$5\r\nproto\r\n:2\r\n"), "{hello}");
    assert_eq!(connection.ask("HELLO 2 SETNAME me\r\n"), hello);
    assert_eq!(connection.ask("CLIENT GETNAME\r\n"), "$2\r\nme\r\n");
    assert_eq!(connection.ask("HELLO 3\r\n"), "-NOPROTO unsupported protocol version\r\n");
    assert_eq!(
        connection.ask("HELLO x\r\n"),
        "-ERR Protocol version is not an integer or out of range\r\n"
    );
    assert_eq!(
        connection.ask("HELLO 2 AUTH a b\r\n"),
        "-ERR option 'AUTH' of 'hello' is not supported\r\n"
    );
    assert_eq!(connection.ask("HELLO 2 SETNAME\r\n"), "-ERR syntax error\r\n");
}

#[test]
fn each_client_has_its_own_name() {
    let (host, service) = (TestHost::default(), KvService::default());
    let (mut first, mut second) = (open(&service, &host), open(&service, &host));
    assert_eq!(first.ask("CLIENT ID\r\n"), ":1\r\n");
    assert_eq!(second.ask("CLIENT ID\r\n"), ":2\r\n");
    assert_eq!(first.ask("CLIENT SETNAME anna\r\n"), "+OK\r\n");
    assert_eq!(first.ask("CLIENT GETNAME\r\n"), "$4\r\nanna\r\n");
    assert_eq!(second.ask("CLIENT GETNAME\r\n"), "$-1\r\n");
    assert_eq!(
        first.ask("CLIENT SETNAME \"a b\"\r\n"),
        "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"
    );
    assert_eq!(first.ask("CLIENT SETINFO LIB-NAME lib\r\n"), "+OK\r\n");
    assert_eq!(first.ask("CLIENT SETINFO x y\r\n"), "-ERR Unrecognized option 'x'\r\n");
    let info = first.ask("CLIENT INFO\r\n");
    assert!(
        info.contains("id=1 addr=test:1 name=anna db=0 resp=2 lib-name=lib lib-ver="),
        "{info}"
    );
    assert_eq!(
        first.ask("CLIENT KILL\r\n"),
        "-ERR unknown subcommand 'KILL'. Try CLIENT HELP.\r\n"
    );
    assert_eq!(
        first.ask("CLIENT ID x\r\n"),
        "-ERR wrong number of arguments for 'client|id' command\r\n"
    );
}

#[test]
fn a_ticket_is_of_the_next_command_and_wrong_ones_count() {
    let (host, service) = (TestHost::with_urgent_port(), KvService::default());
    let mut connection = open(&service, &host);
    let bulk = |text: String| format!("${}\r\n{text}\r\n", text.len());
    assert_eq!(connection.ask("PALCO.TICKET\r\n"), bulk(ticket(2)));
    connection.ask("nonsense\r\n\r\n*0\r\nGET\r\n");
    assert_eq!(connection.ask("palco.ticket\r\n"), bulk(ticket(5)));
    assert_eq!(
        connection.ask("PALCO.TICKET now\r\n"),
        "-ERR wrong number of arguments for 'palco.ticket' command\r\n"
    );
    let host = TestHost::default();
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask("PALCO.TICKET\r\n"), "-ERR this server has no urgent port\r\n");
}

#[test]
fn quit_is_answered_and_ends_the_connection() {
    let (host, service) = (TestHost::default(), KvService::default());
    let mut connection = open(&service, &host);
    assert_eq!(connection.ask("QUIT\r\nPING\r\n"), "+OK\r\n");
    assert!(connection.closed);
}

#[test]
fn no_last_words_are_said_inside_an_array() {
    let mut codec = RespCodec::default();
    let item = Reply::text("x".repeat(40_000));
    let mut reply = Reply::array(vec![item; 5]);
    let mut output = BytesMut::new();
    Codec::<KvService>::encode(&mut codec, &mut reply, &mut output);
    assert_eq!(farewell::<KvService, _>(&codec, &Farewell::Interrupted), "");
    while reply.has_more() {
        Codec::<KvService>::encode(&mut codec, &mut reply, &mut output);
    }
    assert_eq!(farewell::<KvService, _>(&codec, &Farewell::Interrupted), "-ERR interrupted\r\n");
}

#[test]
fn flushing_frees_memory_where_it_blocks_nobody() {
    let (host, service) = (TestHost::default(), KvService::default());
    let mut connection = open(&service, &host);
    connection.ask("SET a 1\r\n");
    assert_eq!(connection.ask("FLUSHALL\r\n"), "+OK\r\n");
    assert_eq!(host.blocks.get(), 1);
    assert_eq!(connection.ask("DBSIZE\r\n"), ":0\r\n");
}
