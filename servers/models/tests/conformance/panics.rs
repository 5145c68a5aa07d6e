//! A panic ends the connection whose call panicked, and nothing else.

use crate::actors::{connections, standing};
use crate::client::Client;
use crate::stage::{in_every_cell, trials, until};

trials! {
    a_panic_ends_one_connection_with_a_word_fifty_times_over,
    a_panic_is_counted_also_when_its_client_has_gone,
}

fn a_panic_ends_one_connection_with_a_word_fifty_times_over() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut other = stage.cell.serves_several().then(|| Client::of(&server));
        let born: Vec<_> = standing(&server).iter().map(|actor| actor.id()).collect();
        for round in 1..=50 {
            let mut client = Client::of(&server);
            client.say("sleep 0\npanic on purpose\nsleep 0\n");
            assert!(client.line().starts_with("ok sleep 0 ms took "));
            assert_eq!(client.rest(), "error: the call failed\n");
            drop(client);
            until("the panic is counted", || server.scores().panicked == round);
            if let Some(other) = &mut other {
                other.say("sleep 0\n");
                assert!(other.line().starts_with("ok sleep 0 ms took "));
            }
        }
        drop(other);
        let mut client = Client::of(&server);
        client.say("sleep 0\n");
        assert!(client.line().starts_with("ok sleep 0 ms took "));
        let standing = standing(&server);
        assert_eq!(standing.iter().map(|actor| actor.id()).collect::<Vec<_>>(), born);
        assert!(standing.iter().all(|actor| actor.snapshot().restarts == 0));
        assert_eq!(server.supervisor().snapshot().restarts, 0);
        until("the connections that panicked have gone", || connections(&server).len() <= 1);
    });
}

fn a_panic_is_counted_also_when_its_client_has_gone() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings());
        let mut client = Client::of(&server);
        client.say("sleep 100\npanic on purpose\n");
        begun.until(1);
        client.abort();
        until("the panic is counted", || server.scores().panicked == 1);
        assert_eq!(server.scores().broken, 0);
    });
}
