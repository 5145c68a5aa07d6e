//! What each place of a server is doing, as the scoreboard says it.

use std::thread;

use palco_actors::PlaceKind;
use palco_models::{ModelKind, Server, ServerSettings, Slot};
use palco_service::services::work::WorkService;

use crate::client::Client;
use crate::stage::{LIMIT, in_every_cell, trials, until};

trials! {
    every_place_says_what_it_is_doing,
    who_waits_to_be_accepted_is_told_why,
}

fn until_one(server: &Server, slot: Slot) {
    until(slot.meaning(), || server.slots().count(slot) == 1);
}

fn every_place_says_what_it_is_doing() {
    in_every_cell(|stage| {
        let one_worker = stage.settings_for_one_worker();
        let settings = ServerSettings { drain_within: LIMIT, ..one_worker };
        let places = settings.limits.connections_max;
        let server = stage.serve::<WorkService>(settings, ());
        // A connection with an actor of its own needs nobody who stands there for it.
        let standing = match (stage.cell.model, stage.cell.place) {
            (ModelKind::PerConnection, _) | (ModelKind::Team, PlaceKind::Task) => 0,
            _ => 1,
        };
        until("all workers stand", || server.slots().count(Slot::Waiting) == standing);
        assert_eq!(server.slots().count(Slot::Open), places - standing);
        let mut client = Client::of(&server);
        until_one(&server, Slot::Reading);
        client.say("sleep 500\n");
        until_one(&server, Slot::Serving);
        assert!(client.line().starts_with("ok sleep 500 "));
        until_one(&server, Slot::KeptAlive);
        let slots = server.slots();
        assert_eq!((slots.busy(), slots.count(Slot::Waiting)), (1, 0));
        assert_eq!(slots.to_string().len(), places);
        client.say("sleep 500\n");
        until_one(&server, Slot::Serving);
        thread::scope(|scope| {
            let drain = scope.spawn(|| stage.wait("the drain", server.drain()));
            until_one(&server, Slot::Finishing);
            assert!(client.line().starts_with("ok sleep 500 "));
            drain.join().unwrap();
        });
        assert_eq!(server.slots().busy(), 0);
    });
}

fn who_waits_to_be_accepted_is_told_why() {
    in_every_cell(|stage| {
        let mut settings = stage.settings_for_one_worker();
        settings.limits.connections_max = 1;
        let server = stage.serve::<WorkService>(settings, ());
        let mut served = Client::of(&server);
        served.say("sleep 0\n");
        assert!(served.line().starts_with("ok sleep 0 "));
        let _waits = Client::of(&server);
        until("one waits", || server.status().waiting == 1);
        let why = server.status().why.unwrap();
        assert!(why.contains("connections-max 1 is reached"), "{why}");
    });
}
