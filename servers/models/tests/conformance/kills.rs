//! A kill takes the connections of whoever is killed; an acceptor is started again and who waits is served.

use std::time::Duration;

use palco_actors::{AnyRef, ExitReason, Signal};

use crate::actors::{acceptors, connections, serving};
use crate::client::Client;
use crate::stage::{in_every_cell, trials, until};

trials! {
    a_killed_connection_ends_without_an_answer_and_the_server_lives_on,
    a_killed_connection_of_its_own_takes_nobody_along,
    a_killed_acceptor_is_started_again_and_those_who_wait_are_served,
    acceptors_can_be_killed_one_after_the_other_under_load,
    a_server_whose_acceptors_fail_too_often_is_started_again_as_a_whole,
}

fn a_killed_connection_ends_without_an_answer_and_the_server_lives_on() {
    in_every_cell(|stage| {
        let (server, begun) = stage.work(stage.settings_for_one_worker());
        let mut client = Client::of(&server);
        client.say("sleep 60000\n");
        begun.until(1);
        let serving = serving(&server);
        assert_eq!(serving.len(), 1);
        serving[0].signal(Signal::Kill);
        assert!(client.everything().0.is_empty());
        until("it is counted", || server.scores().abandoned == 1);
        let mut next = Client::of(&server);
        next.say("sleep 0\n");
        assert!(next.line().starts_with("ok sleep 0 "));
        assert_eq!(server.supervisor().snapshot().restarts, 0);
    });
}

fn a_killed_connection_of_its_own_takes_nobody_along() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        let mut victim = Client::of(&server);
        victim.say("sleep 0\n");
        assert!(victim.line().starts_with("ok sleep 0 "));
        let victims = connections(&server);
        if victims.is_empty() {
            return; // no actor of its own
        }
        let mut other = Client::of(&server);
        other.say("sleep 0\n");
        assert!(other.line().starts_with("ok sleep 0 "));
        stage.signal(&victims, Signal::Kill);
        assert!(victim.everything().0.is_empty());
        other.say("sleep 0\n");
        assert!(other.line().starts_with("ok sleep 0 "));
        assert!(acceptors(&server).iter().all(|acceptor| acceptor.snapshot().restarts == 0));
        until("it is counted", || server.scores().abandoned == 1);
    });
}

fn a_killed_acceptor_is_started_again_and_those_who_wait_are_served() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings_for_one_worker());
        let ids = |actors: &[AnyRef]| actors.iter().map(AnyRef::id).collect::<Vec<_>>();
        let before = acceptors(&server);
        stage.signal(&before, Signal::Suspend);
        let mut waiting: Vec<Client> = (0..4).map(|_| Client::of(&server)).collect();
        for client in &mut waiting {
            client.say("sleep 0\n");
        }
        stage.signal(&before, Signal::Kill);
        stage.signal(&before, Signal::Resume);
        for mut client in waiting {
            assert!(client.line().starts_with("ok sleep 0 "));
        }
        let after = acceptors(&server);
        assert_eq!(ids(&after), ids(&before), "the address survives");
        for acceptor in after {
            let seen = acceptor.snapshot();
            assert_eq!((seen.restarts, seen.last_exit), (1, Some(ExitReason::Killed)));
        }
        assert_eq!(server.scores().accepted, 4);
    });
}

fn acceptors_can_be_killed_one_after_the_other_under_load() {
    in_every_cell(|stage| {
        let (server, _) = stage.work(stage.settings());
        for round in 0..5 {
            let acceptors = acceptors(&server);
            acceptors[round % acceptors.len()].signal(Signal::Kill);
            let mut client = Client::of(&server);
            client.say("sleep 0\n");
            // A client that was being accepted at that moment goes down with its acceptor; the next one does not.
            if client.line_if_any().is_none() {
                until("the next is served", || {
                    let mut next = Client::of(&server);
                    next.try_say("sleep 0\n") && next.line_if_any().is_some()
                });
            }
        }
        assert_eq!(server.supervisor().snapshot().restarts, 0);
    });
}

fn a_server_whose_acceptors_fail_too_often_is_started_again_as_a_whole() {
    in_every_cell(|stage| {
        let mut settings = stage.settings_for_one_worker();
        settings.supervision = settings.supervision.with_intensity(1, Duration::from_secs(60));
        let (server, _) = stage.work(settings);
        for _ in 0..2 {
            let acceptor = acceptors(&server).remove(0);
            stage.signal(&[acceptor], Signal::Kill);
            let mut client = Client::of(&server);
            client.say("sleep 0\n");
            assert!(client.line().starts_with("ok sleep 0 "));
        }
        assert_eq!(server.supervisor().snapshot().restarts, 1);
        assert_eq!(acceptors(&server).len(), 1);
    });
}
